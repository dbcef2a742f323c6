"""Names of the columns of a table: those of its first line, or those of the options."""

from memwave.core.messages import listed
from memwave.readers.base import Options
from memwave.readers.sources import TableSource


def require_names(table: TableSource, names: list[str]) -> None:
    """Raise MemwaveError if the names are numbers, as of a row; a note says if many are."""
    numbers = sum(map(_is_number, names))
    if numbers == len(names):
        raise table.error(
            "has numbers in its first line, expected the names of the channels. Add a line with a "
            "name for each column, or set header: none for the dataset"
        )
    if 2 * numbers > len(names):
        table.note(
            f"{numbers} of {len(names)} names in its first line are numbers; if that line is a "
            "row, set header: none for the dataset"
        )


def given_names(table: TableSource, options: Options, found: int) -> list[str]:
    """Names of the columns of a table without a header: numbers, channels, or a list.

    Raises
    ------
    MemwaveError
        If they are not as many as `found`, the columns of its first row.
    """
    given, channels = options.header, list(options.channels or ())
    if not isinstance(given, str):
        if len(given) != found:
            raise table.error(
                f"has {found} columns in its first row, header names {len(given)}: "
                f"{listed(given)}. Name each column, from first to last"
            )
        return list(given)
    numbers = [str(i) for i in range(1, found + 1)]
    if len(channels) == found and not set(channels) & set(numbers):
        return channels
    if not set(channels) <= set(numbers):
        raise table.error(
            f"has {found} columns and no header, but there are {len(channels)} channels. Name all "
            f"columns, such as header: [{', '.join(f'column{n}' for n in numbers)}] with the "
            "channels among them"
        )
    return numbers


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
