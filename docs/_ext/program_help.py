"""The directive ``program-help``: what ``memwave COMMAND --help`` prints, for every command."""

import contextlib
import io
import os

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from memwave import cli

COLUMNS = "78"


def help_of(*command: str) -> str:
    """What a command prints when it is asked for help."""
    printed = io.StringIO()
    os.environ["COLUMNS"] = COLUMNS
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        cli.main([*command, "--help"])
    return printed.getvalue()


class ProgramHelp(SphinxDirective):
    """A section for each command."""

    def run(self) -> list[nodes.Node]:
        sections: list[nodes.Node] = [self.block("memwave --help", help_of())]
        for name in cli.COMMANDS:
            section = nodes.section(ids=[f"memwave-{name}"], names=[f"memwave {name}"])
            section += nodes.title(text=f"memwave {name}")
            section += self.block(f"memwave {name} --help", help_of(name))
            sections.append(section)
        return sections

    @staticmethod
    def block(command: str, printed: str) -> nodes.literal_block:
        text = f"$ {command}\n{printed.rstrip()}"
        return nodes.literal_block(text, text, language="text")


def setup(app: Sphinx) -> dict:
    app.add_directive("program-help", ProgramHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
