"""The Dockerfile and the compose file: built where docker works, read otherwise."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from nearnet.cli.app import VERBS
from nearnet.config import load_config

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy" / "compose"


def docker_works() -> bool:
    """Whether there is a docker with a daemon behind it."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, with continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines if line.strip()]


def last_stage() -> list[tuple[str, str]]:
    """What ends up in the image."""
    every = instructions()
    start = max(number for number, (word, _) in enumerate(every) if word == "FROM")
    return every[start:]


def environment() -> dict[str, str]:
    """The image's variables."""
    return dict(
        pair.split("=", 1) for word, rest in last_stage() if word == "ENV" for pair in rest.split() if "=" in pair
    )


def test_every_instruction_is_one() -> None:
    known = {"FROM", "WORKDIR", "RUN", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "CMD"}
    assert {word for word, _ in instructions()} <= known | {"ENTRYPOINT"}
    assert not [rest for word, rest in instructions() if word == "FROM" and ":" not in rest.split()[0]]


def test_it_is_small_and_not_root() -> None:
    stage = dict(last_stage())
    assert stage["FROM"].endswith("-slim")
    assert int(stage["USER"].partition(":")[0]) > 0
    words = [word for word, _ in last_stage()]
    assert words.index("USER") < words.index("HEALTHCHECK") < words.index("ENTRYPOINT") < words.index("CMD")
    assert "pip install" not in "".join(rest for word, rest in last_stage() if word == "RUN")
    assert stage["STOPSIGNAL"] == "SIGTERM"


def test_it_calls_verbs_that_exist() -> None:
    stage = dict(last_stage())
    health = json.loads(stage["HEALTHCHECK"].partition("CMD ")[2])
    assert json.loads(stage["ENTRYPOINT"]) == ["nearnet"]
    assert json.loads(stage["CMD"])[0] in VERBS
    assert health[0] == "nearnet"
    assert health[1] in VERBS


def test_what_it_copies_is_there_and_not_ignored() -> None:
    copied = [part for word, rest in instructions() if word == "COPY" and "--from" not in rest for part in rest.split()]
    ignored = (ROOT / ".dockerignore").read_text().split()
    for name in [name for name in copied if not name.startswith("./")]:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored


def test_its_variables_are_a_config() -> None:
    """The node in it takes peers and metrics from outside, and the RPC only on its own loopback."""
    told = environment()
    loaded = load_config(None, {name: value for name, value in told.items() if name != "NEARNET_HOME"})
    assert loaded.warnings == ()
    config = loaded.config
    exposed = dict(last_stage())["EXPOSE"].split()
    assert config.network.addr.rpartition(":")[2] in exposed
    assert config.rpc.prometheus_addr.rpartition(":")[2] in exposed
    assert config.rpc.addr.startswith("127.0.0.1:")
    assert told["NEARNET_HOME"] == dict(last_stage())["VOLUME"]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not docker_works(), reason="no docker that works")
def test_the_image_builds_and_runs() -> None:
    subprocess.run(["docker", "build", "--tag", "nearnet:test", "."], cwd=ROOT, check=True, capture_output=True)
    call = ["docker", "run", "--rm", "--entrypoint", "sh", "nearnet:test", "-c", "id -u; nearnet version"]
    out = subprocess.run(call, check=True, capture_output=True, text=True).stdout.split("\n")
    assert out[0] == "10001"
    assert out[1].startswith("nearnet ")


# --- compose ---------------------------------------------------------------------------------------


def composed() -> dict[str, Any]:
    """The compose file."""
    loaded: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())
    return loaded


def test_what_compose_mounts_is_there() -> None:
    named = composed()["volumes"]
    for service in composed()["services"].values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (COMPOSE / source).exists(), source
            else:
                assert source in named


def test_compose_runs_what_exists_and_opens_only_the_peers_port() -> None:
    services = composed()["services"]
    for name in ("init", "nearnet"):
        assert services[name]["command"][0] in VERBS
        assert (COMPOSE / services[name]["build"]["context"] / "Dockerfile").exists()
    open_to_others = [
        port for service in services.values() for port in service.get("ports", []) if not port.startswith("127.0.0.1:")
    ]
    assert open_to_others == ["24567:24567"]
    for service in services.values():
        assert not service["image"].endswith(":latest")
        for needed in service.get("depends_on", []):
            assert needed in services


def test_prometheus_scrapes_the_port_that_the_image_exposes() -> None:
    scrape = yaml.safe_load((COMPOSE / "prometheus.yml").read_text())["scrape_configs"][0]
    (target,) = scrape["static_configs"][0]["targets"]
    assert target == f"nearnet:{environment()['NEARNET_RPC__PROMETHEUS_ADDR'].rpartition(':')[2]}"


def test_grafana_is_provisioned_with_what_is_mounted() -> None:
    mounts = dict(mount.split(":")[:2] for mount in composed()["services"]["grafana"]["volumes"])
    folder = yaml.safe_load((COMPOSE / "grafana" / "dashboards.yaml").read_text())["providers"][0]["options"]["path"]
    assert mounts["../grafana"] == folder
    (source,) = yaml.safe_load((COMPOSE / "grafana" / "datasources.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
