"""The verbs and what is common to all: lazy import, errors in one sentence, exit codes (`cli.md`).

To add a verb: write a function with typer's annotations in ``cli/<module>.py`` (a group of verbs: a `typer.Typer` made
by `new_app`) and name it in `VERBS` as ``module:name`` with a line of help. Its module is imported only when the verb
is called, so that `nearnet run` never pays for another verb's imports. The docstring is the help text; it ends with a
paragraph ``Example: nearnet ..``. Errors are raised as `NearnetError` (a sentence: what is wrong and what to do);
another exit code than those below by `typer.Exit`. Such a module does without postponed annotations: typer reads them.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from nearnet.errors import ConfigError, NearnetError, StoreMismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

__all__ = ["VERBS", "main", "new_app"]

VERBS = {
    "init": ("init:init", "make a home folder: config, key, admin token"),
    "run": ("run:run", "run one node in the foreground"),
    "localnet": ("localnet:localnet", "run a network of real nodes on this machine"),
    "status": ("remote:status", "what a running node is and does"),
    "peers": ("remote:peers", "its connections"),
    "edges": ("remote:edges", "the edges of its graph"),
    "routes": ("remote:routes", "its next hops, for all peers or one"),
    "accounts": ("remote:accounts", "which peer serves which account"),
    "bans": ("remote:bans", "whom it has banned"),
    "known": ("remote:known", "the peers that it knows"),
    "connect": ("remote:connect", "have it dial a peer"),
    "disconnect": ("remote:disconnect", "have it close a connection"),
    "ban": ("remote:ban", "have it ban a peer"),
    "unban": ("remote:unban", "have it end a ban"),
    "top": ("top:top", "a running node in the terminal"),
    "ping": ("ping:ping", "measure round trips to peers, as a peer of its own"),
    "doctor": ("doctor:doctor", "why have I no peers: checks, each with what to do"),
    "config": ("config:app", "show or validate the config"),
    "keys": ("keys:app", "show, make and check keys"),
    "store": ("store:app", "check, dump or compact the database"),
    "decode": ("decode:decode", "show what bytes of the wire mean"),
    "sim": ("sim:app", "simulate whole networks, each from one seed"),
    "bench": ("bench:bench", "the project's own benchmarks"),
    "version": ("version:version", "the version"),
}
"""Each verb: where it is, under ``nearnet.cli.``, and what it does."""

_FAILED, _WRONG_CALL, _INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0 done, 1 failed, 2 wrong call or config, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        return _dispatch(words)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough; the interpreter shall not complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except Exception as error:
        if debug:
            raise
        return _tell(error)
    finally:
        gc.enable()


def new_app(help_text: str) -> typer.Typer:
    """A group of verbs: plain help, no tracebacks, no shell completion."""
    import typer

    return typer.Typer(help=help_text, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _dispatch(words: list[str]) -> int:
    verb = words[0] if words else "--help"
    if verb in ("--help", "-h", "help"):
        print(_overview())
        return 0
    if verb == "--version":
        verb = "version"
    if verb not in VERBS:
        raise ConfigError(f"{verb!r} is no verb of nearnet; nearnet --help lists them")
    if verb == "run":
        # Nothing of what is imported becomes garbage; to look for some takes a tenth of the start. `Daemon` turns it
        # on again. Nor has the config any plug-ins, for which pydantic would look through all installed packages.
        gc.disable()
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    import typer

    module, _, name = VERBS[verb][0].partition(":")
    target: Any = getattr(importlib.import_module(f"nearnet.cli.{module}"), name)
    if not isinstance(target, typer.Typer):
        app = new_app("")
        app.command()(target)
        target = app
    try:
        result = typer.main.get_command(target)(words[1:], prog_name=f"nearnet {verb}", standalone_mode=False)
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        return _INTERRUPTED
    return result if isinstance(result, int) else 0


def _overview() -> str:
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {text}" for verb, (_, text) in VERBS.items()]
    return "\n".join(
        [
            "usage: nearnet VERB [OPTIONS]",
            "",
            "NEAR's peer-to-peer network.",
            "",
            *lines,
            "",
            "nearnet VERB --help says more; --debug shows the traceback of an error.",
            "Example: nearnet localnet",
        ]
    )


def _tell(error: Exception) -> int:
    """One sentence on stderr, and the exit code that goes with it."""
    format_message = getattr(error, "format_message", None)
    if format_message is not None:
        text, code = str(format_message()), int(getattr(error, "exit_code", _WRONG_CALL))
        context = getattr(error, "ctx", None)
        if context is not None:
            text = f"{text.rstrip('.')}; see {context.command_path} --help"
    elif isinstance(error, NearnetError):
        text, code = str(error), _WRONG_CALL if isinstance(error, (ConfigError, StoreMismatch)) else _FAILED
    elif isinstance(error, OSError):
        text, code = f"{error.filename or 'system'}: {error.strerror or error}", _FAILED
    else:
        text, code = f"a fault in nearnet: {type(error).__name__}: {error}; --debug shows where", _FAILED
    print(f"nearnet: {text}", file=sys.stderr)
    return code
