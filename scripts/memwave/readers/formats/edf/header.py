"""Headers of EDF, EDF+, BDF and BDF+ files.

The formats are those of Kemp et al. (1992), *A simple format for exchange of digitized polygraphic
recordings*, of Kemp and Olivan (2003), *European data format 'plus'*, and of BioSemi's BDF: fields
of text, first of the file, then of its signals. Many files deviate from the standard. A value that
is certain in spite of that is read, with a note.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from typing import BinaryIO

ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
FIXED_BYTES = 256
# Bytes of the fields of a signal: label, transducer, dimension, physical and digital limits,
# prefilter, samples in a record, reserved.
WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)


class NotEDF(ValueError):
    """The header cannot be read; the message says why."""


@dataclass(frozen=True)
class Signal:
    """One signal of a file.

    Attributes
    ----------
    label, unit : str
    limits : tuple of str
        Physical minimum and maximum, digital minimum and maximum, as text in the file.
    samples : int
        Samples in a record.
    offset : int
        Offset of its samples in a record, in bytes.
    """

    label: str
    unit: str
    limits: tuple[str, str, str, str]
    samples: int
    offset: int

    @property
    def is_annotation(self) -> bool:
        return self.label in ANNOTATIONS

    def scaling(self) -> tuple[float, float]:
        """Return gain and offset: a physical value is ``gain * (offset + digital)``.

        Raises
        ------
        NotEDF
            If the limits do not determine them.
        """
        low, high, digital_low, digital_high = (
            _number(text, float, f"the {name} of signal {self.label!r}")
            for text, name in zip(
                self.limits,
                ("physical minimum", "physical maximum", "digital minimum", "digital maximum"),
                strict=True,
            )
        )
        if low == high or digital_low >= digital_high:
            raise NotEDF(
                f"signal {self.label!r} has physical values from {low:g} to {high:g} for digital "
                f"values from {digital_low:g} to {digital_high:g}, which give it no scale"
            )
        gain = (high - low) / (digital_high - digital_low)
        return gain, high / gain - digital_high


@dataclass(frozen=True)
class Header:
    """Header of a file.

    Attributes
    ----------
    width : int
        Bytes of a sample: 2 in EDF, 3 in BDF.
    start : int
        Offset of the first record, in bytes.
    records : int
        Number of records by the header; -1 if the recorder did not write it.
    duration : float
        Seconds of a record.
    discontinuous : bool
        Whether there may be gaps between records.
    signals : tuple of Signal
    notes : list of str
        Deviations from the standard.
    """

    width: int
    start: int
    records: int
    duration: float
    discontinuous: bool
    signals: tuple[Signal, ...]
    notes: list[str] = field(default_factory=list)

    @property
    def record_bytes(self) -> int:
        return sum(signal.samples for signal in self.signals) * self.width


def read_header(file: BinaryIO) -> Header:
    """Read the header of a file from its start; raises NotEDF if it is none."""
    fixed = _exactly(file, FIXED_BYTES)
    notes: list[str] = []
    width = _width(fixed, notes)
    n_signals = int(_number(_text(fixed[252:256]), int, "the number of signals"))
    if not 0 < n_signals <= 9999:
        raise NotEDF(f"its number of signals is {n_signals}, expected 1 to 9999")
    start = FIXED_BYTES * (n_signals + 1)
    said = _text(fixed[184:192])
    if said != str(start):
        notes.append(f"its header should have {start} bytes for {n_signals} signals, not {said!r}")
    records = int(_number(_text(fixed[236:244]), int, "the number of records"))
    duration = float(_number(_text(fixed[244:252]), float, "the duration of a record"))
    described = _exactly(file, start - FIXED_BYTES)
    signals = _signals(described, n_signals, width)
    if not (fixed[8:] + described).isascii():
        notes.append("its header has letters that are not ASCII, taken for Latin-1")
    written = [_text(fixed[244:252]), *(text for s in signals for text in s.limits)]
    if commas := next((text for text in written if "," in text), None):
        point = commas.replace(",", ".")
        notes.append(f"its header has decimal commas: {commas!r} is taken for {point}")
    return Header(
        width,
        start,
        records,
        duration,
        _text(fixed[192:236]).startswith(("EDF+D", "BDF+D")),
        signals,
        notes,
    )


def _width(fixed: bytes, notes: list[str]) -> int:
    """Bytes of a sample, by the version of the format."""
    if fixed[:8] == b"\xffBIOSEMI":
        return 3
    if _text(fixed[:8]) != "0":
        raise NotEDF(f"it begins with {_text(fixed[:8])!r}, expected '0' or BioSemi's sign")
    if fixed[:8] != b"0       ":
        notes.append("its version is not filled up with spaces")
    return 2


def _signals(content: bytes, count: int, width: int) -> tuple[Signal, ...]:
    columns, at = [], 0
    for size in WIDTHS:
        cells = [content[at + i * size : at + (i + 1) * size] for i in range(count)]
        columns.append([_text(cell) for cell in cells])
        at += count * size
    labels, _, units, low, high, digital_low, digital_high, _, samples, _ = columns
    signals, offset = [], 0
    for i in range(count):
        what = f"the samples a record of signal {labels[i]!r}"
        number = int(_number(samples[i], int, what))
        if number < 0:
            raise NotEDF(f"{what} are {number}")
        limits = low[i], high[i], digital_low[i], digital_high[i]
        signals.append(Signal(labels[i], units[i], limits, number, offset))
        offset += number * width
    return tuple(signals)


def _text(content: bytes) -> str:
    """A field without its padding of spaces or zeros."""
    return content.split(b"\0")[0].decode("latin-1").strip()


def _number(text: str, kind: Callable[[str], float], what: str) -> float:
    """A number in a field. Some programs write a decimal comma, or a whole number as a float."""
    plain = text.replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or (kind is int and value != int(value)):
        expected = "a whole number" if kind is int else "a number"
        raise NotEDF(f"{what} is {text!r}, expected {expected}")
    return kind(value)  # type: ignore[arg-type]


def _exactly(file: BinaryIO, size: int) -> bytes:
    content = file.read(size)
    if len(content) < size:
        raise NotEDF(f"it ends within its header, {size - len(content)} bytes early")
    return content
