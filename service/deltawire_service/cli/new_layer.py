"""deltawire new-layer: write a plugin distribution to start from, whose tests pass."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

import click

from deltawire_layers import load_layers
from deltawire_service.cli.outcome import Command

TEMPLATE = Path(__file__).parent / "template"
FILES = {
    "pyproject.toml": "pyproject.txt",
    "README.md": "readme.txt",
    "deltawire_{kind}.py": "layer.txt",
    "test_{kind}.py": "test.txt",
}
"""Files of the distribution, each with its template."""

FORWARD_ONLY = FILES | {"deltawire_{kind}.py": "forward.txt"}
"""The same for a layer that leaves its equations to automatic differentiation."""

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*\Z")


@click.command("new-layer", cls=Command)
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Folder to write into.  [default: the current one]",
)
@click.option("--forward-only", is_flag=True, help="Write the forward line alone; autograd derives the rest.")
def new_layer(name: str, into: Path, forward_only: bool) -> None:
    """Write a plugin distribution to start from.

    Its folder is deltawire-NAME; it has a layer to change, and tests of it that pass. NAME is the kind:
    lower-case letters, digits, underscores or hyphens.
    """
    kind, class_name = name.replace("-", "_"), re.sub(r"[-_]", "", name.title())
    folder = into / f"deltawire-{kind.replace('_', '-')}"
    if not NAME.match(name) or len(kind) > 64:
        raise click.UsageError(
            f"'{name}' is no name: expected lower-case words with - or _ between, at most 64 letters"
        )
    if kind in (installed := load_layers()):
        raise click.UsageError(f"the kind '{kind}' is taken, by {installed.distribution(kind)}")
    files = FORWARD_ONLY if forward_only else FILES
    if keyword.iskeyword(class_name) or re.search(
        rf"\b{class_name}\b", (TEMPLATE / files["deltawire_{kind}.py"]).read_text()
    ):
        raise click.UsageError(f"a class '{class_name}' would hide another one: choose a longer name")
    try:
        folder.mkdir()
    except OSError as error:
        raise click.UsageError(f"cannot make {folder}: {error.strerror}") from None
    requires = "deltawire[autograd]" if forward_only else "deltawire"
    words = {"kind": kind, "name": folder.name, "Class": class_name, "requires": requires}
    for target, source in files.items():
        text = Template((TEMPLATE / source).read_text(encoding="utf-8")).substitute(words)
        (folder / target.format(kind=kind)).write_text(text, encoding="utf-8")
    click.echo(f"""\
wrote {folder}

  cd {folder}
  pytest                                     # change the layer; the test says which rule it breaks, and where
  pip install -e .                           # beside the service
  deltawire serve --reload                   # starts again after each edit
  deltawire layers {kind}""")
