"""nearnet bench: the project's own benchmarks."""

# Without postponed annotations, as typer reads them (see `app.py`).
from typing import Annotated

import typer

from nearnet.tools.bench import run_benchmarks

__all__ = ["bench"]


def bench(
    cases: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; all unless told.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    small: Annotated[bool, typer.Option("--small", help="Little work, once: does it run?")] = False,
    rounds: Annotated[int | None, typer.Option("--rounds", help="Of each case.", min=1)] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when a figure is not reached.")] = False,
    save: Annotated[bool, typer.Option("--save", help="Add the figures to .benchmarks/history.jsonl.")] = False,
    beside: Annotated[
        str | None, typer.Option("--beside", metavar="CMD", help="Another node's program; {port}: where to listen.")
    ] = None,
    peer_id: Annotated[str | None, typer.Option("--peer-id", metavar="KEY", help="Its public key.")] = None,
    beside_dialect: Annotated[str | None, typer.Option("--beside-dialect", help="borsh or protobuf.")] = None,
    chain_id: Annotated[str | None, typer.Option("--chain-id", help="Of its chain.")] = None,
    genesis_hash: Annotated[str | None, typer.Option("--genesis-hash", help="Of its chain.")] = None,
) -> int:
    """The project's own benchmarks, as a table: ours beside the bare library calls, by turns in one run.

    Example: nearnet bench forward ingest
    """
    words = list(cases or ())
    for flag, wanted in (("--json", as_json), ("--small", small), ("--check", check), ("--save", save)):
        words += [flag] * wanted
    for option, value in (
        ("--rounds", rounds),
        ("--beside", beside),
        ("--peer-id", peer_id),
        ("--beside-dialect", beside_dialect),
        ("--chain-id", chain_id),
        ("--genesis-hash", genesis_hash),
    ):
        words += [] if value is None else [option, str(value)]
    return run_benchmarks(words)
