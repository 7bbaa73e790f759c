"""The pages name files that exist, and links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import generate
import pytest
from source_files import PACKAGE, ROOT, tracked_files

PAGES = sorted(path for path in tracked_files() if path.suffix == ".md")
NAMED = re.compile(r"`([\w./-]+/[\w./-]*[\w-]\.(?:py|md|json|toml|gz|proto))`")
LINKED = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def _exists(name: str, page: Path) -> bool:
    return any((base / name).exists() for base in (ROOT, PACKAGE, page.parent))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    named = {name for name in NAMED.findall(text) if not name.startswith((".", "near/"))}
    assert sorted(name for name in named if not _exists(name, page)) == []
    assert sorted(name for name in LINKED.findall(text) if not (page.parent / name).exists()) == []


@pytest.mark.parametrize("name", generate.PAGES)
def test_generated_pages_are_current(name: str) -> None:
    assert (generate.DOCS / name).read_text() == generate.PAGES[name](), "run `make docs`"


@pytest.mark.parametrize(("mark", "page"), [("threat", "threats"), ("scenario", "scenarios"), ("interop", "interop")])
def test_every_promised_row_has_a_test(mark: str, page: str) -> None:
    assert sorted(set(generate.promised(page)) - set(generate.marked(mark))) == []


def test_every_threat_is_proved_in_every_wanted_way() -> None:
    assert generate.unproved() == []
