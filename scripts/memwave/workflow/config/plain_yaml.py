"""What a configuration file may hold of YAML: plain values, each key once, of a size to be read.

Snakemake reads the files. It takes the last of equal keys, reads ``1:30`` as 90, follows aliases
that stand for billions of values, and runs code where a file asks for its template language. None
of this is meant in a configuration, so that a file with it is refused.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from memwave.core.errors import ConfigurationError
from memwave.core.messages import shown

# Far beyond any configuration.
MOST_BYTES, MOST_LEVELS, MOST_VALUES = 10_000_000, 100, 1_000_000

# A key with which Snakemake processes a file as a template, which runs code (yte).
TEMPLATE_KEY = "__use_yte__"

NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def require_plain(files: Iterable[str | Path]) -> None:
    """Look at configuration files; what is no YAML at all is left to Snakemake.

    Parameters
    ----------
    files : iterable of path
        Those that are missing are skipped.

    Raises
    ------
    ConfigurationError
        Names file and line of everything that is refused.
    """
    findings = [
        f"{file}: {finding}"
        for file in dict.fromkeys(map(str, files))
        if os.path.isfile(file)
        for finding in _findings(file)
    ]
    if findings:
        raise ConfigurationError(findings)


def _findings(file: str) -> Iterator[str]:
    if os.path.getsize(file) > MOST_BYTES:
        yield f"is larger than {MOST_BYTES:,} bytes. Expected a configuration."
        return
    try:
        text = Path(file).read_text(encoding="utf-8")
        too_much = _too_much(text)
        if too_much:
            yield too_much
        else:
            yield from _odd(yaml.compose(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError, OSError):
        return


def _too_much(text: str) -> str | None:
    """Whether a file nests too deep, or stands for too many values; reads it event by event."""
    sizes: dict[str, int] = {}  # values that an anchor stands for
    nodes: list[list] = [[None, 0]]  # anchor and values of each open collection
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        place = f"line {event.start_mark.line + 1}" if event.start_mark else "somewhere"
        anchor, size = getattr(event, "anchor", None), 1
        if isinstance(event, yaml.CollectionStartEvent):
            nodes.append([anchor, 1])
            if len(nodes) > MOST_LEVELS:
                return f"{place}: more than {MOST_LEVELS} levels. Expected a configuration."
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, size = nodes.pop()
        elif isinstance(event, yaml.AliasEvent):
            anchor, size = None, sizes.get(str(anchor), 1)
        sizes |= {anchor: size} if anchor else {}
        nodes[-1][1] += size
        if nodes[-1][1] > MOST_VALUES:
            return (
                f"{place}: stands for more than {MOST_VALUES:,} values, with what its aliases "
                "(*name) repeat. Expected a configuration."
            )
    return None


def _odd(root: yaml.Node | None) -> Iterator[str]:
    """Keys that come twice, numbers in base 60, and templates."""
    waiting, seen = [root] if root else [], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield from _odd_keys(node, is_top=node is root)
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif node.tag in NUMBERS and ":" in node.value:
            line = node.start_mark.line + 1
            yield (
                f"line {line}: {node.value} is a number in base 60 in YAML. Write it in base 10, "
                f'or as a text: "{node.value}".'
            )


def _odd_keys(node: yaml.MappingNode, *, is_top: bool) -> Iterator[str]:
    lines: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        line, name = key.start_mark.line + 1, (key.tag, key.value)
        if is_top and key.value == TEMPLATE_KEY:
            yield f"line {line}: {TEMPLATE_KEY} asks Snakemake to run code. Remove it."
        elif name in lines:
            yield (
                f"line {line}: the key {shown(key.value)} is there already, in line {lines[name]}, "
                "and one of them would be ignored. Remove one."
            )
        lines.setdefault(name, line)
