"""What is likely to be wrong with a file that is not the table that was expected."""

from memwave.core.messages import shown
from memwave.readers.base import Options
from memwave.readers.shared.text import DELIMITERS

# The first bytes of a text in UTF-16, of a compressed text, and of workbooks (.xlsx, .xls).
UTF16, GZIP = (b"\xff\xfe", b"\xfe\xff"), b"\x1f\x8b"
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")

# What lines of remarks begin with, often.
COMMENTS = ("#", "%", "//")


def another_kind(beginning: bytes) -> str:
    """Say which kind of file begins like this; nothing for a text."""
    if beginning.startswith(WORKBOOKS):
        return "is a workbook or a compressed file. Save the table as CSV"
    if beginning.startswith(GZIP):
        return "is compressed by gzip. Give it a name that ends in .csv.gz"
    if beginning.startswith(UTF16):
        return "is a text in UTF-16, expected UTF-8. Save it as UTF-8"
    if b"\0" in beginning:
        return (
            f"cannot be read as a table (byte {beginning.index(0)} is zero, as in a text in UTF-16 "
            "or in a binary file). Save it as a text in UTF-8"
        )
    return ""


def other_delimiter(line: bytes, delimiter: str, found: int) -> str:
    """A remark on the number of columns with another delimiter, if that is likely.

    Parameters
    ----------
    line : bytes
        The first one of the table.
    delimiter : str
        With which it was read.
    found : int
        Columns that it has with this delimiter.
    """
    if found == 1 and not line.count(b"\t") and len(line.split()) > 1:
        return (
            f" Its first line has spaces between {len(line.split())} words, expected commas, "
            'semicolons or tabs. NumPy writes commas by savetxt(..., delimiter=",").'
        )
    counts = {sign: line.count(sign.encode()) for sign in DELIMITERS if sign != delimiter}
    sign = max(counts, key=lambda sign: counts[sign])
    if counts[sign] < found:
        return ""
    return (
        f" It was read as {found} column{'s' * (found > 1)} with {DELIMITERS[delimiter]} "
        f"between them; its first line has {counts[sign]} {DELIMITERS[sign]}, which would make "
        f"{counts[sign] + 1}."
        + " A file with tabs has a name that ends in .tsv or .txt."
        * (sign == "\t")
    )


def comment_lines(line: bytes, options: Options) -> str:
    """What to set if the table, whose first line this is, begins with a remark."""
    text = line.decode("utf-8-sig", "replace").lstrip()
    if text.lower().startswith("sep="):
        return " To skip its first line, which is for Excel, set skip_lines: 1."
    sign = next((sign for sign in COMMENTS if text.startswith(sign)), None)
    if sign is None or options.comment is not None:
        return ""
    return f" To skip lines that begin with {shown(sign)}, set comment: {shown(sign)}."


def expected_table(options: Options, delimiter: str) -> str:
    """What a table is, as it is read."""
    point = "point" if options.decimal == "." else "comma"
    other = ' (for commas, set decimal: ",")' * (point == "point" and delimiter != ",")
    return (
        "UTF-8 text: a line with names, then a line a row with as many numbers, "
        f"{DELIMITERS[delimiter]} between them, a {point} for decimals{other}."
    )
