"""Annotations of EDF+ and BDF+: lists of onset, duration and texts in a separate signal."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from memwave.readers.formats.edf.header import Header, NotEDF

# Onset, duration and texts of an annotation end with these bytes.
END, DURATION, TEXT = b"\x00", b"\x15", b"\x14"


def record_onsets(file: BinaryIO, header: Header, records: Sequence[int]) -> np.ndarray | None:
    """Read the onsets of records in seconds; None if the file does not state them."""
    if not any(signal.is_annotation for signal in header.signals) or not records:
        return None
    onsets = np.empty(len(records))
    for i, record in enumerate(records):
        first = next(_lists(file, header, record)).split(END)[0]
        onset, *texts = first.split(TEXT)
        if not texts or texts[0]:
            raise NotEDF(f"its record {record} does not say when it begins")
        onsets[i] = _seconds(onset)
    return onsets


def annotations_of(
    file: BinaryIO, header: Header, records: int
) -> Iterator[tuple[float, float, str]]:
    """Read onset, duration (-1 if there is none) and text of every annotation."""
    for record in range(records):
        for content in _lists(file, header, record):
            for entry in filter(None, content.split(END)):
                times, *texts = entry.split(TEXT)
                onset, _, duration = times.partition(DURATION)
                for text in filter(None, texts):
                    seconds = _seconds(duration) if duration else -1.0
                    yield _seconds(onset), seconds, text.decode("utf-8", "replace")


def _lists(file: BinaryIO, header: Header, record: int) -> Iterator[bytes]:
    """The bytes of each signal of annotations in a record."""
    for signal in header.signals:
        if signal.is_annotation:
            file.seek(header.start + record * header.record_bytes + signal.offset)
            size = signal.samples * header.width
            content = file.read(size)
            if len(content) < size:
                raise NotEDF(f"the annotations of record {record} end early")
            yield content


def _seconds(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        raise NotEDF(f"an annotation has the time {text!r}, expected seconds") from None
