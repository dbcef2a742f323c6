"""The columns of a recordings sheet, and a row of it."""

from dataclasses import dataclass

COLUMNS = {
    "recording": "Name of the recording, unique in the sheet, at most 200 characters.",
    "path": (
        "File with an array of rows x channels: `x.npy`, a raw binary file in C order (`.dat`, "
        "`.bin`, `.raw`, `.mmap`), `x.h5::/path/to/dataset`, or a file in another format of "
        "`docs/formats.md`. Relative paths start in the folder in which Snakemake runs."
    ),
    "labels": (
        "File with the labels of its rows. One whole number per row: `x.npy` or "
        "`x.h5::/path/to/dataset`. One text per row, in a column of a table: `x.csv::column`. "
        "Texts of intervals: a table `x.csv` or `x.tsv` with the columns start, stop and label, or "
        "EDF+ annotations, `x.edf`. Either all recordings have labels or none."
    ),
    "recording_label": "One label for all its rows, instead of `labels`.",
    "split": (
        "`train` or `test`. Components are fitted on the windows of `train`; all windows are "
        "projected. Without this column every recording is `train`."
    ),
    "dtype": (
        "Type of the values of a raw file, such as `float32`, or with a byte order `<i2`, `>f4`. "
        "Empty for other files: they contain their type."
    ),
    "sampling_rate": (
        "Rows per second, in Hz. Needed only if the file does not contain its exact rate and the "
        "rate differs from that of the dataset; see `resample` of the dataset. If the file "
        "contains another rate, this one is used, with a warning."
    ),
    "skip_lines": "Lines of a text file above its header, if not as in the dataset.",
    "header": "`none` if a text file has no line with names, `names` if it has one.",
}
REQUIRED = ("recording", "path")


@dataclass(frozen=True)
class Recording:
    """One row of the sheet.

    Attributes
    ----------
    name : str
    path : str
        As in the sheet, in the syntax of `memwave.readers.open_array`.
    dtype : str or None
        Type of the values of a raw file.
    labels : str or None
        Path of the labels.
    recording_label : str or None
        Label of all rows.
    split : {"train", "test"}
    sampling_rate : float or None
        Rows per second, in Hz.
    skip_lines : int or None
    header : {"names", "none"} or None
        How a text file is read, if not as its dataset says.
    """

    name: str
    path: str
    dtype: str | None
    labels: str | None
    recording_label: str | None
    split: str
    sampling_rate: float | None = None
    skip_lines: int | None = None
    header: str | None = None
