"""Project the windows of one shard from the recordings, if features are not stored."""

from memwave.core.progress import Progress
from memwave.pca.lags.recording_scores import FeatureScoring, ScoreSource, SignalScoring
from memwave.pca.lags.signal_scores import has_signal_scores
from memwave.pca.projection import Projector
from memwave.recordings.prepared import load_reading
from memwave.recordings.segments import count_windows, recordings_of
from memwave.recordings.valid_windows import valid_ranges, valid_segments
from memwave.results.extraction import load_scaling
from memwave.results.model_file import load_model
from memwave.results.partial_projection import create_partial
from memwave.workflow.process.stage import run_script
from memwave.workflow.requests.projection import Projection


def project_recordings(
    request: Projection,
    *,
    model: str,
    partial: str,
    channels: str | None = None,
    valid: str | None = None,
) -> None:
    """Project a shard.

    Parameters
    ----------
    request : Projection
    model : path
        The fitted model.
    partial : path
        The HDF5 file to write, with the same content as that of `project_features`.
    channels : path, optional
        Output of `measure_channels`, or a model, if the channels are scaled.
    valid : path, optional
        Output of `find_gaps`, if windows are dropped.

    Raises
    ------
    MemwaveError
        If a recording differs from the plan or has a value that is not finite, or if a feature
        overflows the dtype. The message names recording, row and channel.
    """
    spec, fitted = request.spec, load_model(model)
    scaling, projector = (
        load_scaling(spec.scale, channels, spec.channels),
        Projector(fitted, request.dtype),
    )
    segments = valid_segments(request.segments, valid)
    ranges = valid_ranges(request.train_ranges, valid)
    n_rows = count_windows(segments)
    progress = Progress(n_rows, f"project_recordings {partial}")
    if has_signal_scores(spec, fitted):
        source: ScoreSource = SignalScoring(spec, scaling, fitted, projector)
    else:
        source = FeatureScoring(spec, scaling, projector, request.block_rows, request.dtype)
    row = 0
    with create_partial(
        partial, projector, n_rows, request.first_row, request.n_windows, request.score_dtype
    ) as writer:
        for segment in segments:
            is_train = any(start <= row < stop for start, stop in ranges)
            for scores, errors in source.project(segment, is_train=is_train):
                writer.append(scores, errors, projector.hotelling_t2(scores))
                progress.add(len(scores))
            row += segment.count
    progress.close()


if "snakemake" in globals():
    run_script(
        snakemake, project_recordings, load=lambda r: load_reading(recordings_of(r.segments))
    )
