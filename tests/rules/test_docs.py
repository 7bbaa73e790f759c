"""The pages name files that exist, and links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import generate
import pytest
from source_files import PACKAGE, ROOT, label, tracked_files

PAGES = sorted(path for path in tracked_files() if path.suffix == ".md")
NAMED = re.compile(r"`([\w./-]+/[\w./-]*[\w-]\.(?:py|md|json|toml|gz|proto))`")
LINKED = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def _exists(name: str, page: Path) -> bool:
    return any((base / name).exists() for base in (ROOT, PACKAGE, page.parent))


def _missing(page: Path) -> set[str]:
    """Return what a page names or links, and nobody finds."""
    text = page.read_text()
    named = {name for name in NAMED.findall(text) if not name.startswith((".", "near/"))}
    return {name for name in named if not _exists(name, page)} | {
        name for name in LINKED.findall(text) if not (page.parent / name).exists()
    }


def test_the_files_that_pages_name_exist() -> None:
    found = [f"{label(page)}: {name}" for page in PAGES for name in sorted(_missing(page))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", generate.PAGES)
def test_generated_pages_are_current(name: str) -> None:
    assert (generate.DOCS / name).read_text() == generate.PAGES[name](), "run `make docs`"


@pytest.mark.parametrize(("mark", "page"), [("threat", "threats"), ("scenario", "scenarios"), ("interop", "interop")])
def test_every_promised_row_has_a_test(mark: str, page: str) -> None:
    assert sorted(set(generate.promised(page)) - set(generate.marked(mark))) == []


def test_every_threat_is_proved_in_every_wanted_way() -> None:
    assert generate.unproved() == []
