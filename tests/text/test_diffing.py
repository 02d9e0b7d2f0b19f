"""Comparing two versions: both can be read back from the comparison, and the work is bounded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.text import diffing

TEXTS = st.lists(st.text("ab .\u00e4", max_size=20), max_size=12).map("\n".join)


def read_back(lines: list[diffing.Line], without: str) -> str:
    kept = []
    for line in lines:
        parts = [part for part in line.parts if part.kind != without]
        if parts or not line.parts:
            kept.append("".join(part.text for part in parts))
        elif any(part.kind == without for part in line.parts) and not line.parts:
            kept.append("")
    return "\n".join(kept)


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
def test_every_word_of_both_versions_is_in_the_comparison(old: str, new: str) -> None:
    lines = diffing.compare(old, new)
    for text, without in ((old, "come"), (new, "gone")):
        assert "".join(read_back(lines, without).split()) == "".join(text.split())


def test_a_changed_word_is_told_apart_from_its_line() -> None:
    (line,) = diffing.compare("I teach at the table.", "I teach beside the table.")
    assert [(part.kind, part.text) for part in line.parts] == [("same", "I teach "), ("gone", "at"), ("come", "beside"), ("same", " the table.")]


@pytest.mark.parametrize(("old", "new"), [
    ("a b " * 5_000, "b a " * 5_000),
    ("\n".join(["a b"] * 4_000), "\n".join(["b a"] * 4_000)),
    ("\n".join(["x " * 290] * 40), "\n".join(["y " * 290] * 40)),
])
def test_texts_made_to_be_costly_are_shown_whole(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    compared = 0

    class Counting(diffing.SequenceMatcher):  # type: ignore[type-arg]
        def __init__(self, junk: object, a: list[str], b: list[str], autojunk: bool = True) -> None:
            nonlocal compared
            compared += len(a) * len(b)
            super().__init__(None, a, b, autojunk)

    monkeypatch.setattr(diffing, "SequenceMatcher", Counting)
    diffing.compare(old, new)
    assert compared <= diffing.MOST_LINES**2 + diffing.MOST_PAIRS
