"""The page of a table is complete, and runs nothing that stands in the table."""

import json
import math
import re
import shutil

import pytest

from memwave.results import table
from memwave.results.table import table_page
from memwave.workflow import code_digests

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    "$title ${rows} $$",
    "back\\slash \u2028 'quotes\" &amp;",
]


def script_of(page):
    return re.search(r"<script>\n(.*?)</script>", page, re.DOTALL)[1]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_a_table_stay_texts(text):
    rows = [{"model": text, text: 1.5}]
    page = table_page(text, rows, [text])
    assert page.count("<script>") == 1
    assert page.count("</script>") == 1
    assert "<img" not in page
    assert "<!--" not in page
    line = re.search(r"^const columns = (.*), rows = (.*), few = (.*);$", script_of(page), re.M)
    assert [json.loads(part) for part in line.groups()] == [["model", text], [[text, 1.5]], [text]]


def test_the_page_has_no_place_left_to_fill():
    page = table_page("title", [{"a": math.nan, "b": math.inf, "c": 3}], ["a"])
    assert "rows = [[null, null, 3]]" in page
    assert not re.search(r"\$\w", page)
    assert page.startswith("<!DOCTYPE html>\n")
    assert page.endswith("</html>\n")


def test_an_edit_of_the_template_reruns_what_writes_the_page(tmp_path):
    for name in ("table.py", "table.html"):
        shutil.copy(table.__file__.replace("table.py", name), tmp_path)
    before = code_digests.digest(tmp_path / "table.py")
    assert before == code_digests.digest.__wrapped__(tmp_path / "table.py")
    with open(tmp_path / "table.html", "a") as template:
        template.write("<!-- edited -->")
    assert code_digests.digest.__wrapped__(tmp_path / "table.py") != before
