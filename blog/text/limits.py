"""How much a text may hold, and the counting that refuses more before it costs anything.

Each cap exists because some short text makes long work: measured on one core, 20,000 characters could take a
second and 100,000 characters ten without them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

# Deeper quotes and lists are refused, not cut: the parser's own cap would silently lose the words below it.
NESTING = 20
# HTML longer than this many times its source, beyond the slack, is a text built to swell.
SWELLING = 10
SWELLING_SLACK = 20_480

# Characters at which the parser stops to think. Words in code blocks are not counted.
_MARKS = "[]*_~`<&\\"
# A quote looks at every line up to the next empty one; this many looks, on average, are allowed for each line.
_LOOKS_AT_A_LINE = 10
# Mentions and unfinished addresses are looked at like addresses; four for each link is far beyond honest use.
_ADDRESSES_PER_LINK = 4


class TextRefused(ValueError):
    """A text is too much for the board. `sentence` says what is too much and what to do, and is shown to people."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps of one kind of text."""

    kind: str
    characters: int
    lines: int
    blocks: int  # paragraphs, list items, quotes, headings
    marks: int
    links: int  # and pictures
    cells: int  # of all tables, padded ones too


COMMENT = Limits("comment", characters=20_000, lines=2_000, blocks=2_000, marks=4_000, links=50, cells=500)
POST = Limits("post", characters=100_000, lines=5_000, blocks=6_000, marks=10_000, links=300, cells=2_000)


@dataclass(slots=True)
class Count:
    """What one text has used of its limits so far. Every method raises TextRefused past the limit."""

    limits: Limits
    source_length: int = 0
    _blocks: int = field(default=0, init=False)
    _quoted_lines: int = field(default=0, init=False)
    _links: int = field(default=0, init=False)
    _cells: int = field(default=0, init=False)
    _attributes: int = field(default=0, init=False)

    def source(self, source: str) -> None:
        """Judge the whole text, newlines normalised, before it is parsed."""
        limits, self.source_length = self.limits, len(source)
        if self.source_length > limits.characters:
            raise self._too_much(f"have at most {limits.characters:,} characters; this one has {self.source_length:,}", "Shorten it or split it in two.")
        if source.count("\n") >= limits.lines:
            raise self._too_much(f"have at most {limits.lines:,} lines", "Join some of them or split it in two.")

    def block(self, level: int) -> None:
        """One paragraph, item, quote or heading begins, `level` quotes and lists deep."""
        if level > NESTING:
            raise self._too_much(f"nest quotes and lists at most {NESTING} deep", "Take the outermost ones away.")
        self._blocks += 1
        if self._blocks > self.limits.blocks:
            raise self._too_much(f"have at most {self.limits.blocks:,} paragraphs and list items", "Join some of them or split it in two.")

    def quoted_line(self) -> None:
        """A quote looks at one more line. Lines under several quotes, or after many without an empty one, count each time."""
        self._quoted_lines += 1
        if self._quoted_lines > _LOOKS_AT_A_LINE * self.limits.lines:
            raise self._too_much("not hold so many quotes that run into each other", "Put an empty line after each quote.")

    def table(self, columns: int, rows: int) -> None:
        """A table of `rows` rows, each padded to `columns` cells, is about to be made."""
        self._cells += columns * rows
        if self._cells > self.limits.cells:
            raise self._too_much(f"have at most {self.limits.cells:,} table cells, empty ones counted", "Make the table smaller or link to it.")

    def words(self, contents: Iterable[str]) -> None:
        """Judge the contents of all paragraphs, headings and cells before anything in them is parsed."""
        marks = brackets = addresses = 0
        for content in contents:
            marks += sum(map(content.count, _MARKS))
            brackets += content.count("[") + content.count("]")
            addresses += content.count("://") + content.count("www.") + content.count("@")
        if addresses > _ADDRESSES_PER_LINK * self.limits.links or (marks > self.limits.marks and brackets > marks // 2):
            raise self._too_many_links()
        if marks > self.limits.marks:
            raise self._too_much(
                f"have at most {self.limits.marks:,} formatting characters ({' '.join(_MARKS)})",
                "Put code between two lines of ``` (there they are not counted) or split it in two.",
            )

    def link(self) -> None:
        """One more link or picture."""
        self._links += 1
        if self._links > self.limits.links:
            raise self._too_many_links()

    def attributes(self, length: int) -> None:
        """`length` more characters of addresses and titles, which one definition can repeat many times."""
        self._attributes += length
        self.html(self._attributes)

    def html(self, length: int) -> None:
        """Judge the length of the HTML made from the text."""
        if length > SWELLING * self.source_length + SWELLING_SLACK:
            raise self._too_much("not make a page many times longer than itself", "Use fewer links with long addresses, and less markup.")

    def _too_many_links(self) -> TextRefused:
        return self._too_much(f"have at most {self.limits.links} links, pictures and addresses", "Take some out or split it in two.")

    def _too_much(self, rule: str, advice: str) -> TextRefused:
        return TextRefused(f"A {self.limits.kind} may {rule}. {advice}")
