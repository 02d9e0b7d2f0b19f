"""Two versions of a text side by side: lines first, words only inside lines that changed, and never more work than the caps allow.

Comparing words of whole texts costs seconds for two pages that somebody made for it; so lines decide first, and what is over a cap is
shown as taken out and put in whole.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# Lines compared on each side; a longer text is shown whole.
MOST_LINES = 1_000
# Words compared in one pair of lines, and pairs of words compared in all.
MOST_WORDS = 300
MOST_PAIRS = 400_000

WORDS = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text: "same", "gone" (only in the old version) or "come" (only in the new)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the comparison: its parts in order, and whether anything in it changed."""

    parts: tuple[Part, ...]

    @property
    def is_changed(self) -> bool:
        return any(part.kind != "same" for part in self.parts)


def compare(old: str, new: str) -> list[Line]:
    """The two texts as one list of lines. Joining the parts that are not "come" gives `old`, those that are not "gone" gives `new`."""
    before, after = old.split("\n"), new.split("\n")
    if len(before) > MOST_LINES or len(after) > MOST_LINES:
        return [_whole("gone", old), _whole("come", new)]  # not by lines: a hundred thousand empty ones would be megabytes of markup
    lines: list[Line] = []
    pairs = 0
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=len(before) > 200).get_opcodes():
        if tag == "equal":
            lines += [_whole("same", line) for line in before[a:b]]
            continue
        both = min(b - a, d - c)
        for first, second in zip(before[a : a + both], after[c : c + both], strict=True):
            one, two = WORDS.findall(first), WORDS.findall(second)
            pairs += len(one) * len(two)
            if len(one) > MOST_WORDS or len(two) > MOST_WORDS or pairs > MOST_PAIRS:
                lines += [_whole("gone", first), _whole("come", second)]
            else:
                lines.append(Line(tuple(_joined(_words(one, two)))))
        lines += [_whole("gone", line) for line in before[a + both : b]]
        lines += [_whole("come", line) for line in after[c + both : d]]
    return lines


def _whole(kind: str, line: str) -> Line:
    return Line((Part(kind, line),))


def _words(one: Sequence[str], two: Sequence[str]) -> Iterator[Part]:
    for tag, a, b, c, d in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Part("same", "".join(one[a:b]))
        else:
            yield Part("gone", "".join(one[a:b]))
            yield Part("come", "".join(two[c:d]))


def _joined(parts: Iterator[Part]) -> Iterator[Part]:
    return (part for part in parts if part.text)
