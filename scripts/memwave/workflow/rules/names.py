"""Patterns of the wildcards: exactly the names in a plan."""

import re
from collections.abc import Iterable

from memwave.workflow import paths
from memwave.workflow.planning.inputs import unique
from memwave.workflow.planning.jobs.batches import batches
from memwave.workflow.planning.models import is_applied
from memwave.workflow.planning.plan import Plan, recording_keys, shard_names

# Names that a pattern of a wildcard lists.
MOST_ALTERNATIVES = 100


def wildcard_patterns(plan: Plan) -> dict[str, str]:
    """Patterns of the wildcards of all rules, by the names of the wildcards."""
    pairs = dict.fromkeys((e.dataset, e.features) for e in plan.experiments)
    known: dict[str, Iterable[str]] = {
        "dataset": plan.recordings,
        "recording": unique(k for name in plan.recordings for k in recording_keys(plan, name)),
        "features": unique(e.features for e in plan.experiments),
        "model": unique(e.model for e in plan.experiments),
        "batch": unique(
            b for d in plan.recordings for s in paths.PARTS.values() for b in batches(plan, d, s)
        ),
        "shard": unique(s for p in pairs for s in shard_names(plan, *p)),
    }
    names = {name: _one_of(list(of)) for name, of in known.items()}
    # Without parentheses, Snakemake takes an empty pattern for any text.
    return names | {"run": f"({re.escape(plan.run)})"}


def model_pattern(plan: Plan, *, applied: bool) -> str:
    """Pattern of the names of models that are applied, or of those that are fitted."""
    models = plan.settings["models"].items()
    return "|".join(name for name, m in models if is_applied(m) == applied) or "(?!)"


def _one_of(names: list[str]) -> str:
    """A pattern of names. Of many, since each is tried one by one, of all that look like them."""
    if len(names) <= MOST_ALTERNATIVES:
        return "|".join(map(re.escape, names))
    return r"[A-Za-z0-9_-]+(?:\.\d+)?"
