"""`make bench-threads` runs from end to end, names every reading and deed, and keeps its verdicts honest. No time is asserted."""

import re
from pathlib import Path

import pytest

from bench import document, measure_threads, picture
from bench.measure_threads import ANEW, IN, KEPT, OUT, Case, Taken
from blog.comments.thread import SORTS


@pytest.mark.one_database
def test_a_small_run_measures_every_reading_and_deed(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "performance.md"
    page.write_text("Before.\n\n<!-- threads: written by bench/ -->\nThe run before.\n<!-- end of threads -->\n\nAfter.\n", encoding="utf-8")
    monkeypatch.setattr(document, "DOCUMENT", page)
    monkeypatch.setattr("sys.argv", ["bench", "--largest", "1000", "--rounds", "1", "--databases", database, "--shapes", "real", "--document"])
    measure_threads.main()
    told = capsys.readouterr().out
    written = page.read_text(encoding="utf-8")
    assert written.startswith("Before.")
    assert written.endswith("After.\n")
    assert "The run before." not in written
    everything = told[told.index("### Everything"):]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in everything.splitlines() if line.startswith(f"| {database}")]
    named = {(row[1], row[2]) for row in rows}
    assert {(f"first page, {sort}", f"{who}, {state}") for sort in SORTS for who in (OUT, IN) for state in (ANEW, KEPT)} <= named
    deeds = {"a new comment", "reply to the busiest", "reply to the deepest", "edit", "thank, take it back", "hide, unhide", "delete, restore"}
    assert {(deed, "") for deed in deeds} <= named
    anew = next(row for row in rows if (row[1], row[2]) == ("first page, oldest", f"{OUT}, {ANEW}"))
    assert re.fullmatch(r"9\d|100", anew[-3].split()[-1]), "a page of a thousand comments is not full"
    drawn = (tmp_path / "performance-threads.svg").read_text(encoding="utf-8")
    assert drawn.count("<polyline") == 4
    assert "SQLite" in drawn


def results(**of_large: float) -> measure_threads.Results:
    """A first page of 100 comments that takes 10 ms and 1,000 bytes, and a large one beside it."""
    made = {}
    for size in (100, 1_000):
        for sort in SORTS:
            for state in (f"{who}, {kind}" for who in (OUT, IN) for kind in (ANEW, KEPT)):
                large = size == 1_000
                took = 10 * of_large.get("time", 1.0) if large else 10.0
                made[Case("sqlite", "real", size, f"first page, {sort}", state)] = Taken(
                    cpu=[took], packed=int(1_000 * (of_large.get("bytes", 1.0) if large else 1)), shown=100)
    return made


@pytest.mark.parametrize(("of_large", "holds"), [({}, True), ({"time": 1.45}, True), ({"time": 1.6}, False), ({"bytes": 1.3}, False)])
def test_a_page_that_costs_too_much_is_called_so(of_large: dict[str, float], holds: bool) -> None:
    lines = measure_threads.judged(results(**of_large), [100, 1_000], ["real"])
    assert [line.endswith("| yes |") for line in lines[2:]] == [holds] * 4


def test_a_page_that_is_not_full_is_no_measure() -> None:
    made = results(time=3.0)
    for case, taken in made.items():
        if case.size == 100:
            taken.shown = 35
    assert measure_threads.base_of(made, "sqlite", "real", [100, 1_000]) == 1_000


def test_a_document_without_marks_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("Nothing.", encoding="utf-8")
    monkeypatch.setattr(document, "DOCUMENT", page)
    with pytest.raises(ValueError, match="no marks"):
        document.write_part("threads", "words")


def test_the_picture_escapes_and_scales() -> None:
    drawn = picture.drawn([picture.Line("a < b", "sqlite", [(100, 1.0), (1_000_000, 3.0)])])
    assert "a &lt; b" in drawn
    assert ">4</text>" in drawn
    assert "1,000,000" in drawn
