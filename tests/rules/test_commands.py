"""Commands that the pages, the deployment files and the help texts quote exist, with their flags."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer
from source_files import ROOT, label, tracked_files

from nearnet.cli.app import VERBS, new_app

SPECIFICATION = ROOT / "docs" / "spec"
"""It also names commands that are planned, and marks them as such."""

PAGES = sorted(
    path
    for path in tracked_files()
    if (path.suffix == ".md" or path.name == "Dockerfile" or path.relative_to(ROOT).parts[0] == "deploy")
    and SPECIFICATION not in path.parents
)
QUOTED = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
COMMAND = re.compile(r"(?:^\s*|/bin/|=\S* |-- )nearnet ([a-z][\w-]*(?: .*)?)$")


def quoted(path: Path) -> Iterator[str]:
    """The words after ``nearnet`` of each command in a page: what stands in back quotes, or on lines of other files."""
    text = path.read_text()
    pieces = ["".join(found) for found in QUOTED.findall(text)] if path.suffix == ".md" else [text]
    for piece in pieces:
        for line in piece.splitlines():
            found = COMMAND.search(line.split("  #")[0].rstrip())
            if found is not None and not line.lstrip().startswith("#"):
                yield found[1]


@cache
def command(verb: str) -> Any:
    """The verb as click knows it."""
    module, _, name = VERBS[verb][0].partition(":")
    target = getattr(importlib.import_module(f"nearnet.cli.{module}"), name)
    if not isinstance(target, typer.Typer):
        app = new_app("")
        app.command()(target)
        target = app
    return typer.main.get_command(target)


def wrong_with(words: list[str]) -> str | None:
    """What is wrong with a call; None for nothing. Values are not looked at, they stand for the reader's own."""
    verb, *rest = words
    if verb not in VERBS:
        return f"no verb {verb}"
    found = command(verb)
    if hasattr(found, "commands"):
        if not rest or rest[0] not in found.commands:
            return None if not rest else f"nearnet {verb} has no {rest[0]}"
        found = found.commands[rest.pop(0)]
    known = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "--debug"}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    return f"nearnet {verb} has no {' '.join(unknown)}" if unknown else None


def test_the_commands_that_pages_quote_exist() -> None:
    found = [
        f"{label(page)}: {wrong}"
        for page in PAGES
        for words in quoted(page)
        if (wrong := wrong_with(shlex.split(words.replace("'", " ").replace('"', " ")))) is not None
    ]
    assert not found, "\n".join(found)


def test_commands_are_found() -> None:
    """The test above looks at something."""
    calls = list(quoted(ROOT / "docs" / "operating.md"))
    assert len(calls) > 15
    assert any(call.startswith("init --home ~/.nearnet --chain-id testnet") for call in calls)
    assert wrong_with(["ban", "PEER", "--for", "3h"]) is None
    assert wrong_with(["ban", "PEER", "--forever"]) == "nearnet ban has no --forever"
    assert wrong_with(["store", "eat"]) == "nearnet store has no eat"
    assert wrong_with(["dance"]) == "no verb dance"


def test_every_verb_has_help_with_an_example() -> None:
    commands = {verb: getattr(command(verb), "commands", {verb: command(verb)}) for verb in VERBS}
    found = [
        f"{verb}: {one.name}"
        for verb, below in commands.items()
        for one in below.values()
        if "Example: nearnet" not in (one.help or "")
    ]
    assert not found, "\n".join(found)
