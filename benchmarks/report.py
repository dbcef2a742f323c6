"""The report: a table a person can read, made from the figures."""

from pathlib import Path


def line(record: dict) -> str:
    """One run, for the terminal."""
    text = (
        f"  {record['contender']:<48} {record['seconds']:8.2f} s {record['peak_mb']:7.0f} MB "
        f"(together {record['together_mb']:.0f}, resident {record['resident_mb']:.0f})"
    )
    if "accuracy" in record:
        text += "".join(f"  {name} {value:.2g}" for name, value in record["accuracy"].items())
    return text


def write(figures: dict, path: Path) -> None:
    raise NotImplementedError
