"""A table as a page of its own, to be sorted and searched in a browser without a network."""

import json
import math
from collections.abc import Sequence
from html import escape
from string import Template

_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title</title>
<style>
body { font: 14px/1.5 "DejaVu Sans", Verdana, Arial, sans-serif; margin: 1.5em; color: #222; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2em 0.7em; text-align: right; white-space: nowrap; }
th { white-space: normal; cursor: pointer; vertical-align: bottom; user-select: none;
     border-bottom: 1px solid #999; position: sticky; top: 0; background: white; }
th[aria-sort=ascending]::after { content: " \\2191"; }
th[aria-sort=descending]::after { content: " \\2193"; }
th.text, td.text { text-align: left; }
tbody tr:nth-child(even) { background: #f3f6f8; }
input { font: inherit; margin: 0 1.5em 0.8em 0; padding: 0.2em 0.5em; width: 16em; }
</style>
</head>
<body>
<label>Show rows with <input id="search" type="search" placeholder="a word"></label>
<label><input id="all" type="checkbox" style="width: auto; margin: 0"> all columns</label>
<table><thead><tr></tr></thead><tbody></tbody></table>
<script>
const columns = $columns, rows = $rows, few = $few;
const head = document.querySelector("thead tr"), body = document.querySelector("tbody");
const search = document.querySelector("#search"), all = document.querySelector("#all");
let by = null, direction = 1;
function number(value) {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6
    ? value.toExponential(1) : value.toPrecision(4);
}
function cell(kind, value) {
  const made = document.createElement(kind), text = typeof value === "string";
  made.textContent = text ? value : value === null ? "" : number(value);
  if (text) made.className = "text";
  return made;
}
function compare(a, b) {
  if (a[by] === b[by]) return 0;
  if (a[by] === null || a[by] === "") return 1;
  if (b[by] === null || b[by] === "") return -1;
  return direction * (a[by] < b[by] ? -1 : 1);
}
function draw() {
  const shown = columns.map((name, i) => i).filter(i => all.checked || few.includes(columns[i]));
  head.replaceChildren(...shown.map(i => {
    const made = cell("th", columns[i].replaceAll("_", " "));
    made.className = typeof rows[0][i] === "string" ? "text" : "";
    if (by === i) made.ariaSort = direction > 0 ? "ascending" : "descending";
    made.onclick = () => { direction = by === i ? -direction : 1; by = i; draw(); };
    return made;
  }));
  const found = rows.filter(row => row.join(" ").includes(search.value));
  if (by !== null) found.sort(compare);
  body.replaceChildren(...found.map(row => {
    const line = document.createElement("tr");
    line.replaceChildren(...shown.map(i => cell("td", row[i])));
    return line;
  }));
}
search.oninput = all.onchange = draw;
draw();
</script>
</body>
</html>
""")


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
    return _PAGE.substitute(
        title=escape(title), columns=_script(columns), rows=_script(values), few=_script(list(few))
    )


def _plain(value: object) -> object:
    """NaN is no JSON."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _script(value: object) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(value).replace("<", "\\u003c")
