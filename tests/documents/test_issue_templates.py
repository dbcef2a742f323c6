"""The forms for reports have the shape that code hosts read, and ask for ``memwave doctor``."""

from pathlib import Path

import pytest
import yaml

from memwave.cli import COMMANDS

TEMPLATES = Path(__file__).parents[2] / ".github" / "ISSUE_TEMPLATE"
FORMS = sorted(path for path in TEMPLATES.glob("*.yml") if path.name != "config.yml")
# Of the syntax of GitHub's issue forms.
KINDS = {"markdown", "textarea", "input"}
ATTRIBUTES = {"label", "description", "render", "value"}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_is_well_formed(path):
    form = load(path)
    assert set(form) == {"name", "description", "labels", "body"}
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    names = [field["id"] for field in fields]
    assert len(set(names)) == len(names)
    assert all(field["attributes"]["label"] for field in fields)
    for field in form["body"]:
        assert field["type"] in KINDS
        assert set(field["attributes"]) <= ATTRIBUTES
        assert set(field) <= {"type", "id", "attributes", "validations"}


def test_reports_of_problems_ask_for_what_the_doctor_prints():
    assert "doctor" in COMMANDS
    for name in ("problem.yml", "format.yml"):
        (field,) = (f for f in load(TEMPLATES / name)["body"] if f.get("id") == "doctor")
        assert field["validations"] == {"required": True}
        assert "memwave doctor" in field["attributes"]["label"]
