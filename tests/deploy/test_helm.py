"""The Helm chart: rendered where helm is, its YAML read otherwise."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from nearnet.cli.app import VERBS
from nearnet.config import load_config

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "nearnet"
TEMPLATES = sorted((CHART / "templates").glob("*.yaml"))
HELM = shutil.which("helm") or os.environ.get("HELM")


def values() -> dict[str, Any]:
    """values.yaml."""
    loaded: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return loaded


def skeleton(path: Path) -> list[dict[str, Any]]:
    """A template's documents with every expression replaced by a word, and lines of nothing else left out."""
    lines = []
    for line in path.read_text().splitlines():
        bare = re.sub(r"\{\{.*?\}\}", "", line)
        if bare.strip() or not line.strip():
            lines.append(re.sub(r"\{\{.*?\}\}", "x", line))
    return [document for document in yaml.safe_load_all("\n".join(lines)) if document]


def rendered(*options: str) -> list[dict[str, Any]]:
    """What helm makes of it."""
    assert HELM is not None
    call = [HELM, "template", "nodes", str(CHART), *options]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def test_the_values_that_templates_use_exist() -> None:
    used = {name for path in TEMPLATES for name in re.findall(r"\.Values((?:\.\w+)+)", path.read_text())}
    for dotted in used:
        found: Any = values()
        for part in dotted.strip(".").split("."):
            assert part in found, dotted
            found = found[part]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_are_yaml(path: Path) -> None:
    text = path.read_text()
    assert text.count("{{") == text.count("}}")
    opened = len(re.findall(r"\{\{-? (?:if|range|with|define) ", text))
    assert opened == len(re.findall(r"\{\{-? end -?\}\}", text))
    assert all({"apiVersion", "kind", "metadata"} <= document.keys() for document in skeleton(path))


def check_pods(stateful: dict[str, Any]) -> None:
    """One identity for each pod, no root, probes."""
    assert stateful["kind"] == "StatefulSet"
    pod = stateful["spec"]["template"]["spec"]
    (node,), (init,) = pod["containers"], pod["initContainers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["enableServiceLinks"] is False
    assert (init["args"][0], node["args"]) == ("init", ["run"])
    assert {init["args"][0], *node["args"]} <= VERBS.keys()
    assert node["readinessProbe"]["tcpSocket"]["port"] == "peers"
    assert (
        node["livenessProbe"]["httpGet"] == node["startupProbe"]["httpGet"] == {"path": "/metrics", "port": "metrics"}
    )
    assert {port["name"] for port in node["ports"]} == {"peers", "metrics"}
    (claim,) = stateful["spec"]["volumeClaimTemplates"]
    assert {mount["name"] for one in (node, init) for mount in one["volumeMounts"]} == {claim["metadata"]["name"]}
    home = next(one["value"] for one in node["env"] if one["name"] == "NEARNET_HOME")
    assert init["args"][init["args"].index("--home") + 1] == home


def test_the_pods() -> None:
    check_pods(skeleton(CHART / "templates" / "statefulset.yaml")[0])


def test_a_service_for_each_pod() -> None:
    shared, each = skeleton(CHART / "templates" / "services.yaml")
    assert shared["spec"]["clusterIP"] == "None"
    assert "statefulset.kubernetes.io/pod-name" in each["spec"]["selector"]


def test_versions_agree() -> None:
    from nearnet.version import VERSION

    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["apiVersion"], chart["appVersion"]) == ("v2", VERSION)


@pytest.mark.skipif(HELM is None, reason="no helm here")
def test_helm_renders_it() -> None:
    documents = rendered("--set", "replicas=2", "--set", "chain.id=testnet")
    check_pods(next(one for one in documents if one["kind"] == "StatefulSet"))
    services = [one for one in documents if one["kind"] == "Service"]
    assert [one["metadata"]["name"] for one in services] == ["nodes", "nodes-0", "nodes-1"]
    assert services[2]["spec"]["selector"]["statefulset.kubernetes.io/pod-name"] == "nodes-1"


@pytest.mark.skipif(HELM is None, reason="no helm here")
def test_every_option_reaches_the_node() -> None:
    """The rendered variables are a config without a warning."""
    boot = "ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX@10.0.0.7:24567"
    options = {
        "bootNodes": boot,
        "chain.genesisHash": "EPnLgE7iEq9s7yTkos96M3cWymH5avBAPm3qx3NXqR8H",
        "config.network__max_num_peers": "60",
        "service.type": "LoadBalancer",
        "persistence.storageClass": "fast",
        "otlpEndpoint": "http://otel:4318",
        "serviceMonitor.enabled": "true",
        "nodeSelector.disk": "ssd",
    }
    documents = rendered(
        "--set-json",
        f"tolerations={json.dumps([{'operator': 'Exists'}])}",
        *(word for name, value in options.items() for word in ("--set", f"{name}={value}")),
    )
    stateful = next(one for one in documents if one["kind"] == "StatefulSet")
    pod = stateful["spec"]["template"]["spec"]
    env = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
    loaded = load_config(None, {name: env[name] for name in env if name.startswith("NEARNET_") and "__" in name})
    assert loaded.warnings == ()
    assert loaded.config.network.max_num_peers == 60
    assert str(loaded.config.network.boot_nodes[0]) == boot
    assert env["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://otel:4318"
    assert "--genesis-hash" in pod["initContainers"][0]["args"]
    assert (pod["nodeSelector"], pod["tolerations"]) == ({"disk": "ssd"}, [{"operator": "Exists"}])
    assert stateful["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "fast"
    assert {one["kind"] for one in documents} == {"StatefulSet", "Service", "ServiceMonitor"}
