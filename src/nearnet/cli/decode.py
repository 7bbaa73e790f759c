"""nearnet decode: what bytes of the wire mean."""

# Without postponed annotations, as typer reads them (see `app.py`).
import sys
from pathlib import Path
from typing import Annotated

import typer

from nearnet.cli.options import JsonOption
from nearnet.cli.output import print_json, printable
from nearnet.errors import ConfigError
from nearnet.tools.decode import decode_all, frames_in, tree

__all__ = ["decode"]


def decode(
    source: Annotated[
        str, typer.Argument(metavar="[HEX | FILE | -]", help="Hex, a file of hex lines, or stdin.")
    ] = "-",
    roundtrip: Annotated[
        bool, typer.Option("--roundtrip", help="Encode each again and compare the bytes; exit 1 when one differs.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show frames or messages of either dialect as trees, with their signatures checked. Exit 1 when one does not read.

    Example: nearnet decode 06
    """
    decoded = list(decode_all(frames_in(_text(source))))
    if not decoded:
        raise ConfigError("there is nothing to decode; give hex, a file of hex lines, or - for stdin")
    for number, one in enumerate(decoded, 1):
        if as_json:
            print_json({**one.fields, "equal": one.equal} if roundtrip else one.fields)
        elif not roundtrip:
            print(f"message {number}")
            for line in tree(one.fields, 1):
                print(printable(line))
    if roundtrip:
        equal = sum(one.equal for one in decoded)
        print(f"{equal} of {len(decoded)} equal", file=sys.stderr if as_json else sys.stdout)
        raise typer.Exit(int(equal < len(decoded)))
    raise typer.Exit(int(not all(one.readable for one in decoded)))


def _text(source: str) -> str:
    if source == "-":
        return sys.stdin.read()
    if not _is_file(source):
        return source
    try:
        return Path(source).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{source} cannot be read as lines of hex: {error}") from None


def _is_file(source: str) -> bool:
    try:
        return Path(source).is_file()
    except (OSError, ValueError):  # Longer than a name may be: hex.
        return False
