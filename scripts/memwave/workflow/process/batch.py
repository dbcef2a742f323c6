"""A batch: one job that does the same for many files, of which each has a receipt of its own.

Starting a process costs about a second, and a job of Snakemake some milliseconds of planning. So
small conversions share a job. What is planned, proven and repeated is still the single file.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from memwave.core.errors import MemwaveError
from memwave.storage.receipts import identities, is_stale, write_receipt
from memwave.workflow.process.current import Ticket
from memwave.workflow.process.stage import Terminated
from memwave.workflow.requests.recordings import Conversion
from memwave.workflow.sources.readings import unchanged

log = logging.getLogger("memwave")


def run_batch(
    request: Sequence[Conversion], ticket: Ticket | None, convert: Callable[[Conversion], None]
) -> None:
    """Convert those files of a batch that are not as planned yet.

    Parameters
    ----------
    request : sequence of Conversion
    ticket : Ticket or None
        Of the batch, with a part for each file. Without one, as in a test, all are converted and
        no receipt is written.
    convert : callable
        Converts one file.

    Raises
    ------
    MemwaveError
        After the other files were converted: all errors, a line each.
    """
    errors: list[str] = []
    parts = ticket.parts if ticket else (None,) * len(request)
    for conversion, part in zip(request, parts, strict=True):
        if ticket:
            ticket.require_wanted()
        if part is not None and _is_done(conversion, part):
            continue
        try:
            _convert(conversion, part, convert)
        except Terminated:
            raise
        except MemwaveError as error:
            log.error("%s", error)
            errors.append(str(error))
    if errors:
        raise MemwaveError("\n".join(errors))


def _is_done(conversion: Conversion, part: Ticket) -> bool:
    """Whether the files are there, and are what this plan wants."""
    if not all(Path(file).exists() for file in conversion.files):
        return False
    return not is_stale(part.receipt, (part.made_for, part.made_with))


def _convert(
    conversion: Conversion, part: Ticket | None, convert: Callable[[Conversion], None]
) -> None:
    if part is None:
        convert(conversion)
        return
    with unchanged(part.sources) as read:
        convert(conversion)
    facts = {"stage": Path(part.receipt).parent.name, "files": identities(conversion.files)}
    write_receipt(part.receipt, facts | part.said | {"sources": dict(read)})
