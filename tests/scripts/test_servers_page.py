"""The page about servers: what doctor says is compared with the traits and with what was seen before, and nothing
stands in the page that nobody was asked about."""

import importlib.util
import json
import pathlib
import sys
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import servers_page  # noqa: E402
import servers_tables  # noqa: E402


def row(verdict: str, needed: bool = False) -> dict[str, Any]:
    return {"area": "keys", "tried": "a put", "verdict": verdict, "seen": f"saw {verdict}", "needed": needed}


def answers(plain: dict[str, Any], versioned: dict[str, Any] | None = None, fit: bool = True) -> dict[str, Any]:
    buckets = {"plain": {"fit": fit, "server": "S", "notes": [], "rows": plain}}
    if versioned is not None:
        buckets["versioned"] = {"fit": fit, "server": "S", "notes": ["a race"], "rows": versioned}
    return {"version": "1", "date": "2026-01-01", "buckets": buckets}


def test_a_trait_that_doctor_does_not_find_is_told() -> None:
    good = answers({"encoding-type": row("yes")})
    assert servers_tables.against_traits("x", good, []) == []
    (wrong,) = servers_tables.against_traits("x", good, ["raw-listings"])
    assert "catalogue.py has raw-listings, and doctor says yes to encoding-type" in wrong
    bad = answers({"encoding-type": row("no")})
    (wrong,) = servers_tables.against_traits("x", bad, [])
    assert "lacks raw-listings" in wrong
    assert servers_tables.against_traits("x", answers({"encoding-type": row("unknown")}), ["raw-listings"]) == []


def test_a_difference_needs_a_reason_and_a_reason_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = answers({"content-md5": row("yes")})
    monkeypatch.setattr(servers_tables, "REASONS", {})
    (wrong,) = servers_tables.against_earlier("moto", changed)
    assert "was no and is yes: say why" in wrong
    monkeypatch.setattr(servers_tables, "REASONS", {("moto", "plain", "content-md5"): "a newer release"})
    assert servers_tables.against_earlier("moto", changed) == []
    assert "| moto | plain | content-md5 | no | yes | a newer release |" in servers_tables.page_of({"moto": changed})
    (wrong,) = servers_tables.against_earlier("moto", answers({"content-md5": row("no")}))
    assert "take its reason out" in wrong


def test_the_page_has_a_column_for_each_server_and_a_cell_for_each_answer() -> None:
    page = servers_tables.page_of({
        "one": answers({"put": row("yes"), "odd": row("no")}, {"put": row("no", needed=True), "odd": row("no")}),
        "two": answers({"put": row("unknown")}),
        "three": {"version": "3", "date": "2026-01-01", "missing": "java is missing"},
    })  # fmt: skip
    plain, versioned = page.split("## A plain bucket")[1].split("## A bucket that keeps versions")
    assert "| area | question | what was tried | one | two | three |" in plain
    assert "| keys | put | a put | yes | ? |  |" in plain
    assert "| keys | odd | a put | no |  |  |" in plain
    assert "|  | **verdict** |  | fit, 1 weaker |" in versioned
    assert "| keys | put | a put | **no** |" in versioned
    assert "| keys | odd |" not in versioned.split("## What was seen")[0]
    assert "Not asked: java is missing." in page


def test_what_differs_from_run_to_run_is_left_out() -> None:
    seen = "get of 'a/01KDVDNCE4QRSVKTZAAESDX69Z/b' at http://127.0.0.1:20000: 404"
    assert servers_page.plain_text(seen) == "get of '...' at the server: 404"


def test_the_rows_that_are_compared_are_doctors() -> None:
    """A row that is renamed would be compared with nothing, in silence."""
    sources = "".join(path.read_text() for path in (ROOT / "src").rglob("*exam_*.cc"))
    sources += (ROOT / "src/check/doctor_cases.cc").read_text()
    compared = {name for _, name in servers_tables.SAME.values()} | {name for _, name in servers_tables.EARLIER}
    assert [name for name in sorted(compared) if f'"{name}"' not in sources] == []


def test_the_page_is_made_of_what_is_kept() -> None:
    assert importlib.util.find_spec("servers_earlier")
    kept = json.loads((ROOT / "docs" / "servers.json").read_text())
    assert (ROOT / "docs" / "servers.md").read_text() == servers_tables.page_of(kept)
