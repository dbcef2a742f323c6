"""What is odd in a configuration file is said before anything is made of it."""

import pytest

from memwave.core.errors import ConfigurationError
from memwave.workflow.config.grids import MOST_POINTS, expand_grids
from memwave.workflow.config.plain_yaml import MOST_LEVELS, require_plain

BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{{', '.join(f'k{j}: *a{i - 1}' for j in range(9))}}}\n" for i in range(1, 12)
)
ODD = {
    "shards: 2\nblock_mb: 1\nshards: 3\n": 'line 3: the key "shards" is there already, in line 1',
    "datasets:\n  a: {x: 1, x: 2}\n": 'line 2: the key "x" is there already',
    "rate: 1:30\n": "line 1: 1:30 is a number in base 60",
    "rates: [1, 20:30.5]\n": "line 1: 20:30.5 is a number in base 60",
    "__use_yte__: true\n?x: 1\n": "line 1: __use_yte__ asks Snakemake to run code",
    BOMB: "stands for more than 1,000,000 values",
    "a: " + "[" * 3000 + "]" * 3000: f"more than {MOST_LEVELS} levels",
    "- &a [*a, *a]\n": "is a list, expected keys with values",
    "a: &b {x: 1}\nc: *b\nd: {<<: *b, y: '1:30'}\n": None,
    '{"shards": 2}': None,
    '{\n\t"shards": 2}': None,  # JSON
    "a: [1\n": "line 2, column 1: is not YAML (expected ',' or ']'",
    "datasets:\n\ta: 1\n": "line 2, column 1: is not YAML (found character '\\t' that cannot",
    "a: b: 3\n": "line 1, column 5: is not YAML (mapping values are not allowed here). Look",
    "hello\n": "is a text, expected keys with values, such as datasets",
    "": "is empty. config/README.md has a small configuration to copy",
    "# nothing yet\n": "is empty",
}


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_what_is_odd_is_named_with_its_line(tmp_path, text):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    if ODD[text] is None:
        require_plain([file, tmp_path / "missing.yaml"])
        return
    with pytest.raises(ConfigurationError) as error:
        require_plain([file])
    (finding,) = error.value.findings
    assert finding.startswith(f"{file}: ")
    assert ODD[text] in finding


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    file = tmp_path / "config.yaml"
    with open(file, "wb") as sparse:
        sparse.truncate(2**32)
    with pytest.raises(ConfigurationError, match="is larger than 10,000,000 bytes"):
        require_plain([file])


def test_a_grid_has_only_so_many_points():
    values = list(range(720))
    config = {"models": {"m": {"grid": {"a": values, "b": values}}}, "experiments": []}
    with pytest.raises(ConfigurationError, match=f"518,400 points, .* most {MOST_POINTS:,}"):
        expand_grids(config)
