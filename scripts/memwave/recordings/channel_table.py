"""channels.tsv: measures of the channels of a dataset, one row a channel."""

import csv
from pathlib import Path

from memwave.core.errors import MemwaveError
from memwave.recordings.channels import COLUMNS, Channel, Scaling
from memwave.results.model_file import load_extraction
from memwave.storage.atomic import replacing


def save_channels(path: str | Path, channels: list[Channel]) -> None:
    """Write the table. Numbers are written so that they are read back to the last bit."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow([*COLUMNS, "remark"])
        for channel in channels:
            writer.writerow([*(getattr(channel, name) for name in COLUMNS), channel.remark])


def load_channels(path: str | Path) -> list[Channel]:
    """Read what `save_channels` wrote; raises MemwaveError if it is anything else."""
    kinds = Channel.__annotations__
    try:
        with open(path, encoding="utf-8", newline="") as file:
            channels = [
                Channel(**{name: kinds[name](row[name]) for name in COLUMNS})
                for row in csv.DictReader(file, delimiter="\t")
            ]
            if not channels:
                raise ValueError("it is empty")
            return channels
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise MemwaveError(
            f"{path}: is no table of channels ({error}). Delete the file and run again to remake "
            "it."
        ) from error


def is_model(scale: str) -> bool:
    """Whether a scale of the configuration is that of a model fitted before."""
    return scale.endswith(".h5")


def load_scaling(scale: str, path: str | Path | None) -> Scaling | None:
    """Return the scaling of a feature set; None for ``none``.

    Parameters
    ----------
    scale : str
        As in the configuration.
    path : path or None
        The table of the channels, or the model whose scaling is taken.

    Raises
    ------
    MemwaveError
        If the table is not one, a channel cannot be scaled that way, or the model has no scaling.
    """
    if scale == "none" or path is None:
        return None
    if is_model(scale):
        _, scaling = load_extraction(path)
        if scaling is None:
            raise MemwaveError(f"{path}: was fitted to channels that were not scaled.")
        return scaling
    try:
        return Scaling.of(scale, load_channels(path))
    except ValueError as error:
        raise MemwaveError(f"{path}: {error}.") from error
