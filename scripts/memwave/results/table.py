"""A table as a page of its own, to be sorted and searched in a browser without a network.

The page is the template ``table.html`` beside this module.
"""

import json
import math
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template


def table_page(title: str, rows: Sequence[dict], few: Sequence[str]) -> str:
    """Make a page of a table.

    Parameters
    ----------
    title : str
    rows : sequence of dict
        At least one; all with the same keys. Values are numbers or text.
    few : sequence of str
        Columns that are shown at first.

    Returns
    -------
    str
        HTML with everything in it.
    """
    columns = list(rows[0])
    values = [[_plain(row[column]) for column in columns] for row in rows]
    template = files(__package__).joinpath("table.html").read_text(encoding="utf-8")
    return Template(template).substitute(
        title=escape(title), columns=_script(columns), rows=_script(values), few=_script(list(few))
    )


def _plain(value: object) -> object:
    """NaN is no JSON."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _script(value: object) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(value).replace("<", "\\u003c")
