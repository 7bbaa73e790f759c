"""nearnet version."""

# Without postponed annotations, as typer reads them (see `app.py`).
import platform
from typing import Annotated

import typer

from nearnet.cli.output import print_json
from nearnet.version import VERSION

__all__ = ["version"]


def version(as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False) -> None:
    """The version.

    Example: nearnet version
    """
    if as_json:
        print_json({"version": VERSION, "python": platform.python_version(), "platform": platform.platform()})
    else:
        print(f"nearnet {VERSION}")
