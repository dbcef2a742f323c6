"""What a configuration file may hold of YAML: plain values, each key once, of a size to be read.

Snakemake reads the files. Its errors name neither file nor line. It takes the last of equal keys,
reads ``1:30`` as 90, follows aliases that stand for billions of values, and runs code where a file
asks for its template language. None of this is meant in a configuration, so that a file with it is
refused.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from memwave.core.errors import ConfigurationError
from memwave.core.messages import printable, shown

# Far beyond any configuration.
MOST_BYTES, MOST_LEVELS, MOST_VALUES = 10_000_000, 100, 1_000_000

TO_COPY = "config/README.md has a small configuration to copy."

# A key with which Snakemake processes a file as a template, which runs code (yte).
TEMPLATE_KEY = "__use_yte__"

NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def require_plain(files: Iterable[str | Path]) -> None:
    """Look at configuration files.

    Parameters
    ----------
    files : iterable of path
        Those that are missing are skipped.

    Raises
    ------
    ConfigurationError
        Names file and line of everything that is refused.
    """
    _require(files, odd=True)


def require_readable(files: Iterable[str | Path]) -> None:
    """Require only what Snakemake requires of a configuration file; see `require_plain`."""
    _require(files, odd=False)


def _require(files: Iterable[str | Path], *, odd: bool) -> None:
    findings = [
        f"{file}: {finding}"
        for file in dict.fromkeys(map(str, files))
        if os.path.isfile(file)
        for finding in _findings(file, odd=odd)
    ]
    if findings:
        raise ConfigurationError(findings)


def _findings(file: str, *, odd: bool) -> Iterator[str]:
    if os.path.getsize(file) > MOST_BYTES:
        yield f"is larger than {MOST_BYTES:,} bytes. Expected a configuration."
        return
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
        too_much = _too_much(text)
        root = None if too_much else yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        yield f"cannot be read ({error.strerror}). Check the path."
    except UnicodeDecodeError:
        yield "is not UTF-8 text. Save the configuration as UTF-8."
    except yaml.YAMLError as error:
        if not _is_json(text):  # which may have tabs
            yield _not_yaml(error)
    else:
        wrong = too_much or _wrong_root(root)
        if wrong:
            yield wrong
        elif odd:
            yield from _odd(root)


def _wrong_root(root: yaml.Node | None) -> str | None:
    """Whether the file has no keys."""
    if root is None:
        return f"is empty. {TO_COPY}"
    if isinstance(root, yaml.MappingNode):
        return None
    kind = "list" if isinstance(root, yaml.SequenceNode) else "text"
    return f"is a {kind}, expected keys with values, such as datasets: ... {TO_COPY}"


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _not_yaml(error: yaml.YAMLError) -> str:
    """The place and the reason of a syntax error."""
    place = getattr(error, "problem_mark", None)
    problem = printable(getattr(error, "problem", None) or error)
    line = f"line {place.line + 1}, column {place.column + 1}: " if place else ""
    hint = "Look at this line and the one above it."
    if "'\\t'" in problem:
        hint = "Indent with spaces: YAML allows no tabs."
    return f"{line}is not YAML ({problem}). {hint}"


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
