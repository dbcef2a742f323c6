"""A job: its stage and wildcards, the files that it writes, and which job writes a file."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from memwave.workflow import paths


@dataclass(frozen=True)
class Job:
    """A job: its stage and its wildcards."""

    stage: str
    dataset: str = ""
    features: str = ""
    model: str = ""
    shard: str = ""
    recording: str = ""
    batch: str = ""
    run: str = ""

    @classmethod
    def of(cls, stage: str, wildcards: Any) -> "Job":
        """The job of a stage with Snakemake's wildcards, or with those of another job."""
        return cls(stage, **{name: str(getattr(wildcards, name)) for name in _names(stage)})

    @cached_property
    def receipt(self) -> str:
        """Path of its receipt, which is unique."""
        return paths.usage(self.stage).format(**vars(self))

    @property
    def outputs(self) -> list[str]:
        """Paths of its outputs other than its receipt."""
        stage = "fit_model" if self.stage == "adopt_model" else self.stage
        return [pattern.format(**vars(self)) for pattern in paths.OUTPUTS[stage]]


@cache
def _names(stage: str) -> tuple[str, ...]:
    """The wildcards that tell the jobs of a stage apart."""
    return tuple(re.findall(r"{(\w+)}", paths.usage(stage)))


@cache
def maker_of(path: str) -> Job | None:
    """The job that writes a file; `fit_model` for all models, None where no job does."""
    for pattern, stage in _patterns():
        if match := pattern.fullmatch(path):
            return Job(stage, **match.groupdict())
    return None


@cache
def _patterns() -> list[tuple[re.Pattern, str]]:
    outputs = [
        (pattern, stage) for stage, patterns in paths.OUTPUTS.items() for pattern in patterns
    ]
    outputs += [(paths.usage(stage), stage) for stage in paths.SCOPES]
    return [(_regular(pattern), stage) for pattern, stage in outputs]


def _regular(pattern: str) -> re.Pattern:
    dotted = r"[A-Za-z0-9_-]+(?:\.\d+)?"
    kinds = {"shard": dotted, "batch": dotted, "run": "(?:/runs/[A-Za-z0-9_-]+)?"}
    parts = re.split(r"{(\w+)}", pattern)
    return re.compile(
        "".join(
            f"(?P<{part}>{kinds.get(part, '[A-Za-z0-9_-]+')})" if i % 2 else re.escape(part)
            for i, part in enumerate(parts)
        )
    )
