"""Words without tags: teasers, mail excerpts, counting words."""

import html as entities
import re
import unicodedata

import nh3

from blog.text.sanitising import storable

# A grown-up's quiet reading; the figure beside a title is a promise of minutes, not of seconds.
_WORDS_A_MINUTE = 220

_BLOCK = re.compile(r"(?=</?(?:p|br|hr|h[1-6]|blockquote|ul|ol|li|pre|div|table|thead|tbody|tr|th|td)\b)")
_STARTS_AS_HTML = re.compile(r"\s*<(?:p|hr|h[1-6]|blockquote|ul|ol|pre|div)\b[^<]*>")
# Scripts without spaces between words: two characters count as one word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]{1,2}|[^\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+(?:['’][^\W_]+)*")
_WORDS_ONLY = nh3.Cleaner(tags=set(), attributes={}, clean_content_tags={"script", "style"}, link_rel=None)


def plain(html: str) -> str:
    """The words of our stored HTML, without tags; blocks, cells and line breaks part words, white space is one space."""
    spaced = _BLOCK.sub(" ", storable(html))
    return " ".join(entities.unescape(_WORDS_ONLY.clean(spaced)).split())


def teaser(html_or_text: str, limit: int = 220) -> str:
    """The beginning of a text, at most `limit` characters with the `…` that ends it when something was left out.

    Cut at a word end; only a word longer than the limit is cut inside, and then never between a letter and its
    accents or inside an emoji of several characters. HTML is known by the block that our renderer begins with.
    """
    text = plain(html_or_text) if _STARTS_AS_HTML.match(html_or_text) else " ".join(html_or_text.split())
    if len(text) <= limit:
        return text
    room = max(limit - 1, 0)
    cut = text.rfind(" ", 0, room + 1)
    if cut <= 0:
        cut = room
        while cut > 0 and _belong_together(text[cut - 1], text[cut]):
            cut -= 1
    # A comma before the ellipsis reads as a slip; a full stop or a question mark ends a sentence and stays.
    return text[:cut].rstrip(" ,;:–—-(") + "…"


def count_words(text: str) -> int:
    """How many words `text` has; in Chinese and Japanese two characters count as one."""
    return sum(1 for _ in _WORD.finditer(text))


def minutes_to_read(words: int) -> int:
    """Whole minutes, rounded up, at least one."""
    return max(1, -(-words // _WORDS_A_MINUTE))


def _belong_together(before: str, after: str) -> bool:
    """Whether a reader sees these two neighbours as one character."""
    return (
        unicodedata.category(after) in ("Mn", "Mc", "Me", "Cf")
        or before == "\u200d"  # joins the pictures of one emoji
        or 0x1F3FB <= ord(after) <= 0x1F3FF  # skin tones
        or (0x1F1E6 <= ord(before) <= 0x1F1FF and 0x1F1E6 <= ord(after) <= 0x1F1FF)  # two letters of a flag
        or (0xD800 <= ord(before) <= 0xDBFF and 0xDC00 <= ord(after) <= 0xDFFF)
    )
