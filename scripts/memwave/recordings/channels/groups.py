"""Channels of a recording by their sampling rate, if the file has channels of several rates."""

from collections.abc import Callable, Sequence

from memwave.readers import channel_rates, open_source
from memwave.recordings.resampling import Ratio, resampled_rows
from memwave.recordings.segments import ChannelGroup


def channel_groups(
    path: str, channels: Sequence[str], ratio: Callable[[float], Ratio | None]
) -> tuple[ChannelGroup, ...]:
    """Return the channels of each rate, in the order of their first channels.

    Parameters
    ----------
    path : str
    channels : sequence of str
    ratio : callable
        Returns the resampling ratio for a rate.

    Returns
    -------
    tuple of ChannelGroup
        Empty if all channels have the same rate.

    Raises
    ------
    MemwaveError
        If the file cannot be opened, lacks a channel, or a rate cannot be resampled.
    """
    rates = channel_rates(path, channels)
    if rates is None or len(set(rates)) == 1:
        return ()
    groups = []
    for rate in dict.fromkeys(rates):
        chosen = tuple(name for name, r in zip(channels, rates, strict=True) if r == rate)
        groups.append(ChannelGroup(chosen, rate, ratio(rate)))
    return tuple(groups)


def group_rows(path: str, group: ChannelGroup) -> int:
    """Return the number of rows of some channels, at the rate of the dataset."""
    with open_source(path, None, group.channels, sampling_rate=group.rate) as source:
        return resampled_rows(source.shape[0], group.resample)
