"""The verb finds the checkout's benchmarks, or says where they are."""

import pytest

from nearnet.cli import main
from nearnet.errors import ConfigError
from nearnet.tools.bench import run_benchmarks


def test_it_passes_the_words_on(capsys):
    assert main(["bench", "verifiers", "--small", "--rounds", "1", "--json"]) == 0
    assert '"one signature"' in capsys.readouterr().out


def test_a_package_without_its_source(tmp_path):
    with pytest.raises(ConfigError, match="run this in a checkout"):
        run_benchmarks([], tmp_path)


def test_the_checkout_is_found_from_elsewhere(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_benchmarks(["framing", "--small"]) == 0
    assert "frame splitting" in capsys.readouterr().out
