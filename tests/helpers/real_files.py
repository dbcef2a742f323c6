"""Writers of odd recordings as devices make them, and what reading them says."""

import numpy as np
import pytest

from memwave.core.errors import MemwaveError
from memwave.readers import ArraySource, open_array, open_source


def field(value, width):
    return str(value).encode("latin-1")[:width].ljust(width)


def edf(path, values, *, said=None, samples=4, duration=1, reserved="", labels="abc", **fields):
    """Write rows x signals of int16 as EDF, one unit a step, and with what a header may claim."""
    n = values.shape[1]
    limits = {"low": -32768, "high": 32767, "digital_low": -32768, "digital_high": 32767} | fields
    records = values.reshape(-1, samples, n).transpose(0, 2, 1).astype("<i2")
    head = field("0", 8) + field(limits.get("patient", "X"), 80) + field("X", 80)
    head += field("01.01.20", 8) + field("00.00.00", 8) + field(256 * (n + 1), 8)
    head += field(reserved, 44) + field(len(records) if said is None else said, 8)
    head += field(duration, 8) + field(n, 4)
    per_signal = [list(labels[:n]), [""] * n, ["uV"] * n]
    for name in ("low", "high", "digital_low", "digital_high"):
        given = limits[name]
        per_signal.append(given if isinstance(given, list) else [given] * n)
    per_signal += [[""] * n, [samples] * n, [""] * n]
    for column, width in zip(per_signal, (16, 80, 8, 8, 8, 8, 8, 80, 8, 32), strict=True):
        head += b"".join(field(cell, width) for cell in column)
    path.write_bytes(head + records.tobytes())


SIGNAL = np.arange(60).reshape(20, 3)


def read(path, channels=None, **options):
    with open_array(str(path), None, channels, **options) as source:
        return source.read(0, source.shape[0])


def notes(path, channels=None, **options):
    with open_source(str(path), None, channels, **options) as source:
        return " ".join(source.notes)


def read_anyhow(path, channels, options):
    with open_source(path, None, channels, **options) as source:
        if isinstance(source, ArraySource):
            return source.read(0, source.shape[0])
        return list(source.blocks())


def refusal(path, channels=None, **options):
    with pytest.raises(MemwaveError) as caught:
        read_anyhow(path, channels, options)
    assert str(path).split("::")[0] in str(caught.value)
    return str(caught.value)


def wfdb_record(folder, lines, rows, rate=50, **signals):
    signals = signals or {"r": b""}
    for name, content in signals.items():
        (folder / f"{name}.dat").write_bytes(content)
    (folder / "r.hea").write_text(f"r {len(lines)} {rate} {rows}\n" + "\n".join(lines) + "\n")
    return folder / "r.hea"
