"""What is common to all verbs: lazy imports, one sentence for an error, exit codes."""

import subprocess
import sys

import pytest

from nearnet.cli import app as cli_app
from nearnet.cli.app import VERBS, main
from nearnet.errors import NearnetError, StoreError, StoreMismatch


def run(*words):
    return subprocess.run([sys.executable, "-m", "nearnet", *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_the_overview_names_every_verb(words, capsys):
    assert main(words) == 0
    out = capsys.readouterr().out
    assert all(f"  {verb} " in out for verb in VERBS)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nonsense"], "'nonsense' is no verb of nearnet"),
        (["keys"], "see nearnet keys --help"),
        (["keys", "nonsense"], "see nearnet keys --help"),
        (["version", "--nonsense"], "--nonsense"),
        (["init"], "Missing option '--chain-id'"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_2(words, sentence, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("nearnet: ")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (NearnetError("no pong came"), 1, "no pong came"),
        (StoreError("damaged"), 1, "damaged"),
        (StoreMismatch("another genesis"), 2, "another genesis"),
        (OSError(2, "No such file", "x"), 1, "x: No such file"),
        (KeyError("x"), 1, "a fault in nearnet: KeyError: 'x'; --debug shows where"),
        (KeyboardInterrupt(), 130, None),
    ],
)
def test_errors_of_verbs(error, code, sentence, capsys, monkeypatch):
    def verb():
        raise error

    monkeypatch.setattr("nearnet.cli.version.version", verb)
    assert main(["version"]) == code
    err = capsys.readouterr().err.strip()
    if sentence is not None:
        assert err == f"nearnet: {sentence}"


def test_debug_shows_the_traceback(monkeypatch):
    def verb():
        raise KeyError("x")

    monkeypatch.setattr("nearnet.cli.version.version", verb)
    for words in (["version", "--debug"], ["--debug", "version"]):
        with pytest.raises(KeyError):
            main(words)


def test_another_exit_code_by_typer(monkeypatch):
    import typer

    def verb():
        raise typer.Exit(1)

    monkeypatch.setattr("nearnet.cli.version.version", verb)
    assert main(["version"]) == 1


@pytest.mark.parametrize(
    "words",
    [["init"], ["version"], ["config", "show"], ["config", "validate"], ["keys", "show"]]
    + [["keys", verb] for verb in ("generate", "from-seed", "verify")]
    + [["store", verb] for verb in ("check", "dump", "compact")],
)
def test_help_shows_an_example(words, capsys):
    assert main([*words, "--help"]) == 0
    assert f"Example: nearnet {' '.join(words)}" in capsys.readouterr().out


def test_every_verb_is_where_the_table_says():
    assert all(place.count(":") == 1 and text for place, text in cli_app.VERBS.values())


def test_as_a_process():
    done = run("version")
    assert (done.returncode, done.stdout.split()[0], done.stderr) == (0, "nearnet", "")
    done = run("keys", "show", "--home", "/nonexistent")
    assert (done.returncode, done.stdout) == (2, "")
    assert "run nearnet init" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_enough():
    shell = f"{sys.executable} -m nearnet store --help; {sys.executable} -m nearnet --help | true"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_light_verbs_import_nothing_heavy():
    program = "import sys; from nearnet.cli import main; main(['version']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"rich", "aiohttp", "numpy", "structlog", "asyncio", "nacl", "sqlite3"}
    assert not heavy & set(done.stdout.split())


def test_the_config_imports_nothing_heavy():
    program = "import sys; import nearnet.config; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"rich", "aiohttp", "numpy", "typer", "structlog", "asyncio"} & set(done.stdout.split())
