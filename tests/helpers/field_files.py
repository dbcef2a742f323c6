"""Writers of files in the formats of fields of work, each as its library writes them."""

import h5py
import numpy as np
import pytest

NAMES = ["left", "right", "up"]
RATE, ROWS = 50, 400
VALUES = np.random.default_rng(0).integers(-3000, 3000, (ROWS, 3)).astype("i2")


def raw_of(values):
    mne = pytest.importorskip("mne")
    info = mne.create_info(NAMES, RATE, "eeg")
    raw = mne.io.RawArray(values.T * 1e-6, info, verbose="error")
    return raw.set_annotations(mne.Annotations([1.0, 4.0, 5.0], [2.0, 0.0, 1.0], ["a", "b", "c"]))


def save_fif(path, values):
    raw_of(values).save(path, fmt="double", overwrite=True, verbose="error")


def save_brainvision(path, values):
    pybv = pytest.importorskip("pybv")
    events = [{"onset": 50, "duration": 100, "type": "Comment", "description": "a"}]
    pybv.write_brainvision(
        data=values.T * 1e-6, sfreq=RATE, ch_names=NAMES, fname_base=path.stem, events=events,
        folder_out=str(path.parent), overwrite=True, fmt="binary_float32", resolution=1,
    )  # fmt: skip


def save_eeglab(path, values):
    pytest.importorskip("eeglabio")
    raw_of(values).export(path, overwrite=True, verbose="error")


def save_tdms(path, values):
    nptdms = pytest.importorskip("nptdms")
    properties = {"wf_increment": 1 / RATE}
    with nptdms.TdmsWriter(str(path)) as writer:
        for part in np.array_split(values, 3):
            writer.write_segment(
                [
                    nptdms.ChannelObject("g", name, np.ascontiguousarray(part[:, i]), properties)
                    for i, name in enumerate(NAMES)
                ]
            )


def save_nwb(path, values, **attributes):
    """As the specification lays a series out; pynwb writes the same and more."""
    with h5py.File(path, "w") as file:
        group = file.create_group("acquisition/raw")
        data = group.create_dataset("data", data=values, chunks=(64, 2))
        data.attrs.update({"conversion": 1.0, "unit": "volts", **attributes})
        group.create_dataset("starting_time", data=0.0).attrs["rate"] = float(RATE)


def seed(path, starts, name="HHZ", rows=100):
    """Traces of a channel that begin at some samples."""
    obspy = pytest.importorskip("obspy")
    header = {"network": "XX", "station": "TEST", "channel": name, "sampling_rate": RATE}
    traces = []
    for start in starts:
        begin = obspy.UTCDateTime(2020, 1, 1) + start / RATE
        data = np.arange(start, start + rows, dtype="i4")
        traces.append(obspy.Trace(data, header | {"starttime": begin}))
    return traces


def xdf(path, gap=0, announced=None, width=3, values=None, units=("", "", "")):
    """A stream as the Lab Streaming Layer records it, and one of markers; XDF 1.0."""
    values = VALUES.astype("f4") if values is None else values
    kind = {"f4": "float32", "i8": "int64"}[values.dtype.str[1:]]

    def chunk(tag, content):
        size = len(content) + 2
        return b"\x04" + size.to_bytes(4, "little") + tag.to_bytes(2, "little") + content

    def header(number, name, rate, kind, channels):
        labels = "".join(
            f"<channel><label>{c}</label><unit>{u}</unit></channel>"
            for c, u in zip(channels, units, strict=False)
        )
        text = f"<?xml version='1.0'?><info><name>{name}</name><type>T</type>"
        count = width if channels is NAMES else len(channels)
        text += f"<channel_count>{count}</channel_count><nominal_srate>{rate}"
        text += f"</nominal_srate><channel_format>{kind}</channel_format>"
        text += f"<desc><channels>{labels}</channels></desc></info>"
        return chunk(2, number.to_bytes(4, "little") + text.encode())

    def samples(number, rows, times):
        content = number.to_bytes(4, "little") + b"\x04" + len(rows).to_bytes(4, "little")
        for row, time in zip(rows, times, strict=True):
            content += b"\x08" + np.float64(time).tobytes() + row.tobytes()
        return chunk(3, content)

    def footer(number):
        count = f"<sample_count>{announced}</sample_count>" if announced else ""
        text = f"<?xml version='1.0'?><info>{count}</info>"
        return chunk(6, number.to_bytes(4, "little") + text.encode())

    times = 100 + np.arange(ROWS) / RATE
    times[200:] += gap / RATE
    content = b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>")
    content += header(1, "amp", RATE, kind, NAMES)
    content += header(2, "events", 0, "string", ["text"])
    for part in np.array_split(np.arange(ROWS), 4):
        content += samples(1, values[part], times[part])
    path.write_bytes(content + footer(1))
