"""A post's title and text, checked and rendered. Asks nobody and writes nothing."""

import re
from dataclasses import dataclass
from functools import lru_cache

from blog.errors import Invalid
from blog.forms import clean_line, clean_text
from blog.text.excerpts import teaser
from blog.text.markdown import Rendered, TextRefused, render_post
from blog.text.names import is_blank

LONGEST_TITLE = 300
LONGEST_TEXT = 100_000

# Characters of the beginning that lists show.
TEASER = 220

# Titles of sections read badly in the run of a teaser.
_HEADINGS = re.compile(r"<h[2-6][^>]*>.*?</h[2-6]>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Text:
    """A post's Markdown and what is stored of it."""

    source: str
    html: str
    headings: tuple[tuple[int, str, str], ...]  # level, id, words
    teaser: str
    words: int
    renderer: int

    @property
    def contents(self) -> list[list[int | str]]:
        """The headings as the database keeps them."""
        return [list(heading) for heading in self.headings]


def title(typed: str) -> str:
    """A title, trimmed. Raises Invalid unless it has 1 to 300 characters, one of them visible."""
    line = clean_line(typed) or ""
    if is_blank(line):
        raise Invalid("The title is empty. Give the post a name that it can be found by.", "title")
    if len(line) > LONGEST_TITLE:
        raise Invalid(f"A title may have {LONGEST_TITLE} characters; this has {len(line)}. It is all still here: shorten it.", "title")
    return line


# Rendering a long text costs up to a second. A door asks before its transaction, the deed inside: there it costs nothing.
@lru_cache(maxsize=8)
def text(typed: str) -> Text:
    """A post's text, rendered. Raises Invalid where there is nothing to read, or too much."""
    source = (clean_text(typed) or "").strip("\n").rstrip()
    if is_blank(source):
        raise Invalid("The text is empty. Write a few words first.", "body")
    if len(source) > LONGEST_TEXT:
        raise Invalid(f"A post may have {LONGEST_TEXT:,} characters; this has {len(source):,}. It is all still here: shorten it or split it.", "body")
    try:
        rendered = render_post(source)
    except TextRefused as refused:
        raise Invalid(refused.sentence, "body") from None
    if rendered.is_blank:
        raise Invalid("Nothing of this text would be seen. Write a word or two.", "body")
    return _text(source, rendered)


def _text(source: str, rendered: Rendered) -> Text:
    beginning = teaser(_HEADINGS.sub("", rendered.html), TEASER) or teaser(rendered.html, TEASER)
    headings = tuple((heading.level, heading.id, heading.text) for heading in rendered.headings)
    return Text(source, rendered.html, headings, beginning, rendered.words, rendered.renderer)
