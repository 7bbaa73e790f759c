"""nearnet doctor: why have I no peers."""

# Without postponed annotations, as typer reads them (see `app.py`).
from typing import Annotated

import typer

from nearnet.cli.options import HomeOption, JsonOption, home_path
from nearnet.cli.output import print_json, printable
from nearnet.net.loop import run_on_best_loop
from nearnet.tools.doctor import Doctor, Finding, Verdict
from nearnet.tools.rpc_client import RpcClient

__all__ = ["doctor"]

_MARKS = {Verdict.OK: "ok", Verdict.WRONG: "!!", Verdict.UNKNOWN: "??"}
_FAILED, _WRONG_CONFIG = 1, 2


def doctor(
    home: HomeOption = None,
    rpc_addr: Annotated[
        str | None,
        typer.Option("--rpc-addr", help="A running node to ask; without --home it alone.", metavar="IP:PORT"),
    ] = None,
    dial_back_time: Annotated[
        float, typer.Option("--wait", help="For a boot node to dial our port.", min=0, metavar="SECONDS")
    ] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Why have I no peers: each check a line with what was seen, and what to do.

    Of a home folder, with its node stopped or running, or of any running node by its RPC. It shakes hands with the boot
    nodes. Exit 1 when something is to be done, 2 when that is the config or the key.

    Example: nearnet doctor --home ~/.nearnet
    """
    if rpc_addr is not None:
        RpcClient(rpc_addr)
    alone = home is None and rpc_addr is not None
    found = run_on_best_loop(_examine(Doctor(None if alone else home_path(home), rpc_addr, dial_back_time), as_json))
    wrong = [finding for finding in found if finding.verdict is Verdict.WRONG]
    if as_json:
        print_json({"ok": not wrong, "checks": [finding.as_dict() for finding in found]})
    else:
        print(f"{len(wrong)} of {len(found)} checks found something to do" if wrong else "nothing is to be done")
    if wrong:
        raise typer.Exit(_WRONG_CONFIG if wrong[0].check in ("config", "key") else _FAILED)


async def _examine(examination: Doctor, as_json: bool) -> list[Finding]:
    found = []
    async for finding in examination.examine():
        found.append(finding)
        if not as_json:
            _print(finding)
    return found


def _print(finding: Finding) -> None:
    print(f"{_MARKS[finding.verdict]}  {finding.check:<18}  {printable(finding.seen)}", flush=True)
    if finding.advice:
        print(f"{'':>24}→ {printable(finding.advice)}", flush=True)
