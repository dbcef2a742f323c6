"""A model that was fitted by the workflow, applied to a recording by itself."""

import numpy as np
from tiny_project import RECORDINGS, Project

from memwave.api.recordings.projecting import project_recording
from memwave.results.projection_file import open_projection


def assert_applied_alike(project: Project, experiment: str, **options: object) -> None:
    """Require of every recording the rows that it has in the projection of an experiment.

    Parameters
    ----------
    project : Project
        A finished run.
    experiment : str
        ``<features>/<model>``.
    **options
        Of `project_recording`, for all recordings; those of one recording in a list of all.
    """
    folder = project.folder / "results/toy" / experiment
    out = project.folder / "applied.h5"
    with open_projection(folder / "projection.h5") as whole:
        for i, (_, path, *_) in enumerate(RECORDINGS):
            mine = whole["recording"][:] == i
            own = {
                name: value[i] if isinstance(value, list) else value
                for name, value in options.items()
            }
            project_recording(
                model_path=folder / "model.h5",
                recording=str(project.folder / path),
                projection=out,
                **own,
            )
            with open_projection(out) as applied:
                starts = whole["start_row"][:][mine]
                np.testing.assert_array_equal(applied["start_row"][:], starts)
                scores = whole["scores"][:][mine]
                allowed = 1e-5 * np.abs(scores).max()
                np.testing.assert_allclose(applied["scores"][:], scores, rtol=0, atol=allowed)
                errors = whole["reconstruction_error"][:][mine]
                np.testing.assert_allclose(
                    applied["reconstruction_error"][:], errors, rtol=1e-3, atol=allowed
                )
