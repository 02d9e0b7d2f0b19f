"""What HTML may live: the second layer behind the Markdown renderer, which holds even if the first one fails.

The list names what the renderer makes and nothing else; what a browser or htmx could act on has no entry.
"""

import html as entities
import re

import nh3

from blog.text.addresses import is_link, is_own_picture

# PostgreSQL keeps no NUL and no lone surrogate, XML 1.0 (the feeds) none of the others.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_OWN_ID = re.compile(r"user-content-[^\s\"'<>&=`]{1,200}")
_START = re.compile(r"[0-9]{1,9}")
_CLASSES = frozenset({"table", "align-left", "align-center", "align-right"})
# HTML that changes each time it is parsed is what attacks on parsers are made of; honest HTML settles at once.
_ROUNDS = 4


def storable(text: str) -> str:
    """`text` without the characters that a database or an XML document cannot hold."""
    return _UNSTORABLE.sub("", text)


def clean(html: str) -> str:
    """The part of `html` that may be shown: our renderer's tags and attributes, and links that `is_link` admits.

    What comes out is read by a parser as it was judged here: cleaning it again changes nothing. Meant for what our
    renderer made: its caps keep nesting shallow, and deep nesting is what makes a sanitiser slow.
    """
    for _ in range(_ROUNDS):
        # References such as &#1; are decoded by the parser; the next round takes out what they bring.
        cleaned = _CLEANER.clean(storable(html))
        if cleaned == html:
            return cleaned
        html = cleaned
    return entities.escape(storable(html))


def _judged(tag: str, attribute: str, value: str) -> str | None:
    """The value to keep, or None to drop the attribute."""
    match attribute:
        case "href":
            keep = is_link(value)
        case "src":
            keep = is_own_picture(value)
        case "id":
            keep = _OWN_ID.fullmatch(value) is not None
        case "start":
            keep = _START.fullmatch(value) is not None
        case "class":
            keep = value in _CLASSES
        case _:
            keep = True
    return value if keep else None


# Built once: making one costs more than cleaning a comment with it.
_CLEANER = nh3.Cleaner(
    tags={
        *("p", "br", "hr", "blockquote", "ul", "ol", "li", "pre", "code", *_HEADINGS),
        *("em", "strong", "s", "a", "img", "div", "table", "thead", "tbody", "tr", "th", "td"),
    },
    clean_content_tags={"script", "style"},
    attributes={
        "a": {"href", "title"},
        "img": {"src", "alt", "title"},
        "ol": {"start"},
        **{tag: {"class"} for tag in ("div", "th", "td")},
        **{tag: {"id"} for tag in _HEADINGS},
    },
    tag_attribute_values={
        "div": {"role": {"group"}, "aria-label": {"Table"}, "tabindex": {"0"}},
        "pre": {"role": {"group"}, "aria-label": {"Code"}, "tabindex": {"0"}},
    },
    attribute_filter=_judged,
    url_schemes={"http", "https", "mailto"},
    link_rel="nofollow ugc noopener",
    strip_comments=True,
)
