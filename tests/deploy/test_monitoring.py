"""Alert rules and the Grafana dashboard: every query names metrics and labels that a node has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from nearnet import NetworkConfig, Node
from nearnet.api.metrics import exposition
from nearnet.api.rpc_stats import RpcStats

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "deploy" / "prometheus").glob("*.yml"))
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))

OF_PROMETHEUS = {"up"}
NOT_METRICS = re.compile(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|without|ignoring) \([^)]*\)|, instance\b")
NAME = re.compile(r"\b(?:near|nearnet|process)_\w+|\bup\b")


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def queries() -> list[str]:
    told = [rule["expr"] for rule in rules()]
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text())
        told += [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        variables = dashboard["templating"]["list"]
        told += [
            one["query"]["query"] for one in variables if one["type"] == "query" and isinstance(one["query"], dict)
        ]
    return told


async def metrics() -> set[str]:
    """The names that a node exposes."""
    config = NetworkConfig.model_validate({"network": {"addr": ""}})
    async with Node(config) as node:
        text = exposition(node, RpcStats())
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}


async def test_every_query_names_metrics_that_exist() -> None:
    known = await metrics() | OF_PROMETHEUS
    assert len(queries()) > 15
    for query in queries():
        named = set(NAME.findall(NOT_METRICS.sub(" ", query)))
        bases = {name if name in known else re.sub(r"_(?:bucket|sum|count)$", "", name) for name in named}
        assert named, query
        assert bases <= known, query


def test_every_alert_is_explained() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    told = re.findall(r"^\| (\w+) \|", page.partition("## What each alert means")[2], re.MULTILINE)
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names) >= 5
    assert sorted(set(told) - {"alert"}) == sorted(names)


def test_every_alert_has_severity_and_words() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        assert rule["for"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_panels_lie_apart(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24
