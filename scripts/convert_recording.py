"""Convert a recording whose format cannot be read piece by piece to a plain .npy file, once.

It is read from end to end, a piece at a time, and written straight into a file map.
"""

from memwave.core.errors import MemwaveError
from memwave.readers import StreamSource, load_libraries, open_source
from memwave.storage.npy import create_matrix
from memwave.workflow import stage
from memwave.workflow.input_checksums import unchanged
from memwave.workflow.stage import Progress


def convert_recording(*, source: dict, converted: str) -> None:
    """Convert a recording.

    Parameters
    ----------
    source : dict
        Its ``recording`` (name), ``path``, ``channels`` and ``rows``.
    converted : path
        The .npy file to write: rows x channels, channels in the order of the configuration.

    Raises
    ------
    MemwaveError
        If it cannot be read, or is not what was planned.
    """
    with open_source(source["path"], None, source["channels"]) as recording:
        assert isinstance(recording, StreamSource)
        shape = source["rows"], len(source["channels"])
        if recording.shape != shape:
            raise changed(source, recording.shape[0])
        progress = Progress(recording.shape[0], f"convert_recording {source['recording']}")
        filled = 0
        with create_matrix(converted, shape, recording.dtype) as target:
            for rows, columns, values in recording.pieces():
                if rows.stop > shape[0]:
                    raise changed(source, rows.stop)
                target.rows(rows.start, rows.stop)[:, columns] = values
                filled += values.size
                progress.add(len(values) * len(range(*columns.indices(shape[1]))) // shape[1])
            if filled != shape[0] * shape[1]:
                raise changed(source, filled // shape[1])
        progress.close()


def changed(source: dict, rows: int) -> MemwaveError:
    return MemwaveError(
        f"recording {source['recording']!r}: {source['path']} has {rows} rows now, and had "
        f"{source['rows']} when the run was planned. Start again."
    )


if "snakemake" in globals():
    load_libraries([snakemake.params.source["path"]])
    with (
        stage.stage(
            "convert_recording",
            memory_mb=snakemake.resources.mem_mb,
            log_path=snakemake.log[0],
            usage_path=snakemake.output.usage,
        ),
        unchanged(snakemake.params.checksums),
    ):
        convert_recording(source=snakemake.params.source, converted=snakemake.output.recording)
