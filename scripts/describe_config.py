"""Print config/README.md: the reference of the configuration, generated from its schema.

Run as ``python scripts/describe_config.py > config/README.md``.
"""

from collections.abc import Iterator, Sequence

from memwave.core.messages import in_words, shown
from memwave.pca.solvers import solver_module, solver_names
from memwave.recordings.sheet.columns import COLUMNS, REQUIRED
from memwave.workflow.config.schema.composed import schema

OPENING = """\
# Configuration

`make run` runs `config.yaml`, the default configuration. To run your own, copy it or the example
below, change what you need and type

    make run ARGS="--configfile my.yaml"

The file that you give stands alone: nothing of `config.yaml` is added to it, and keys that it omits
have the default below. Of several files (`--configfile one.yaml two.yaml`), the later is merged
into the earlier: mappings are merged, lists and single values are replaced. `--config` changes
single keys, as in `--config shards=8`. Everything is checked before the first job starts, and all
problems are reported at once.

## A minimal example

```yaml
datasets:
  pilot:
    recordings: pilot.tsv
    channels: [left, right]
features:
  haar: {window: 256}
models:
  pca: {solver: covariance, n_components: 20}
experiments:
  - {dataset: pilot, features: haar, model: pca}
```

with `pilot.tsv`, whose columns are separated by tabs:

```
recording	path	split
monday	data/monday.npy	train
tuesday	data/tuesday.npy	test
```

Examples that run without changes: [`config.yaml`](config.yaml), [`examples/`](examples),
[`experiments/`](experiments).
"""


def describe() -> str:
    """Return the reference as Markdown."""
    sections = schema()["properties"]
    entries = {key: _entry(rule) for key, rule in sections.items() if _entry(rule)}
    parts = [OPENING]
    for name, entry in entries.items():
        place = f"{name}[...]" if name == "experiments" else f"{name}.<name>"
        parts += [f"## `{place}`\n", sections[name]["description"] + "\n"]
        parts.append(table(entry["properties"], entry.get("required", ())))
        if name == "models":
            parts += _solver_options()
    parts.append("## Keys at the top level\n")
    parts.append(table({key: rule for key, rule in sections.items() if key not in entries}))
    parts += ["## The recordings sheet\n", "\n".join(_sheet())]
    return "\n".join(parts)


def table(rules: dict[str, dict], required: Sequence[str] = ()) -> str:
    """Return a Markdown table with one line per key."""
    lines = ["| key | value | default | description |", "|---|---|---|---|"]
    for key, rule in rules.items():
        default = f"`{_yaml(rule['default'])}`" if "default" in rule else "optional"
        default = "required" if key in required else default
        cells = (f"`{key}`", in_words(rule), default, rule["description"])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _entry(section: dict) -> dict:
    """Return the schema of one entry of a section; empty if the section is a single value."""
    entry = section.get("additionalProperties") or section.get("items") or {}
    return entry if "properties" in entry else {}


def _solver_options() -> Iterator[str]:
    for solver in solver_names():
        options = solver_module(solver).OPTIONS
        yield f"### Options of `solver: {solver}`\n"
        yield table(options) if options else "None.\n"


def _yaml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return value if isinstance(value, str) else shown(value)


def _sheet() -> Iterator[str]:
    yield (
        "A UTF-8 table with a header line, one line per recording, and tabs between its columns."
        "\n\n| column | needed | description |\n|---|---|---|"
    )
    for column, description in COLUMNS.items():
        needed = "required" if column in REQUIRED else "optional"
        yield f"| `{column}` | {needed} | {description} |"


if __name__ == "__main__":
    print(describe())
