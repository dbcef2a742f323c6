"""PCA of data that does not fit in memory, and wavelet features of long recordings."""

# As `typing` has it, which an import of memwave is not to load.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from memwave.api.estimator import PCA, load_model
    from memwave.api.recordings.functions import extract_features, project, reconstruct
    from memwave.core.errors import MemwaveError

__version__ = "0.2.0"

__all__ = [
    "PCA",
    "MemwaveError",
    "__version__",
    "extract_features",
    "load_model",
    "project",
    "reconstruct",
]

# Where each name is defined. It is imported when it is asked for: an import of memwave loads no
# library and changes nothing in the process.
_HOMES = {
    "PCA": "memwave.api.estimator",
    "load_model": "memwave.api.estimator",
    "extract_features": "memwave.api.recordings.functions",
    "project": "memwave.api.recordings.functions",
    "reconstruct": "memwave.api.recordings.functions",
    "MemwaveError": "memwave.core.errors",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
