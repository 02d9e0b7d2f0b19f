"""Markdown into the HTML that is stored and shown: CommonMark with tables, strikethrough and bare addresses as links.

The way of a text: limits (limits.py), blocks, limits again, words, then the token tree is brought into the shape
that a page of ours can hold (links judged, headings moved, foreign pictures made links), written as HTML and
sanitised (sanitising.py). HTML in a text is never HTML; it shows as it was typed. Nothing else makes Markup of
what people write.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, blockquote
from markdown_it.rules_block import table as parse_table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, autolink, image, link
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from blog.text.addresses import is_link, is_own_picture
from blog.text.excerpts import count_words, plain
from blog.text.limits import COMMENT, NESTING, POST, Count, Limits, TextRefused
from blog.text.names import is_blank
from blog.text.sanitising import clean, storable
from blog.text.slugs import hyphenated

__all__ = ["RENDERER", "Heading", "Rendered", "TextRefused", "render_comment", "render_post"]

# Stored beside each HTML. Raise it with every change of what the same source becomes: older texts are made anew.
RENDERER: int = 1

# Ids made from people's words begin with this, so they can never be an id of the page.
_OWN = "user-content-"
_LONGEST_ID = 60
# Brackets within brackets: each level reads the rest of the paragraph once more.
_BRACKETS = 10
# A bare address longer than this stays text, so that looking at one never means looking at the whole paragraph.
_LONGEST_ADDRESS = 1_000
# What is seen though it holds no word.
_SEEN = re.compile(r"<(?:img|hr)\b")
# Code lines longer than this scroll on a phone of 320 pixels, so the block must be reachable by key.
_CODE_COLUMNS = 32


@dataclass(frozen=True, slots=True)
class Heading:
    """A headed section of a post: its level in the page (2 to 6), its id there, its words."""

    level: int
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is stored of a text: safe HTML, its headings in order, its number of words, the renderer's version."""

    html: str
    headings: tuple[Heading, ...]
    words: int
    renderer: int

    @property
    def is_blank(self) -> bool:
        """Whether a reader would see nothing of it: no word, no picture, no line."""
        return _SEEN.search(self.html) is None and is_blank(plain(self.html))


def render_comment(source: str) -> Rendered:
    """The HTML of a comment. It has no headings, ids or pictures.

    Raises TextRefused when it is too much (limits.COMMENT).
    """
    return _rendered(source, COMMENT)


def render_post(source: str) -> Rendered:
    """The HTML of a post. Its highest heading becomes h2, and each has an id that begins with `user-content-`.

    Raises TextRefused when it is too much (limits.POST).
    """
    return _rendered(source, POST)


def _rendered(source: str, limits: Limits) -> Rendered:
    html, headings = unsanitised(source, limits)
    safe = clean(html)
    return Rendered(safe, headings, count_words(plain(safe)), RENDERER)


def unsanitised(source: str, limits: Limits) -> tuple[str, tuple[Heading, ...]]:
    """What the renderer makes before the sanitiser sees it. It has to be safe by itself; only its tests call it."""
    source = storable(source.replace("\r\n", "\n").replace("\r", "\n"))
    count = Count(limits)
    count.source(source)
    env: dict[str, Any] = {"count": count}

    tokens: list[Token] = []
    _BLOCKS.block.parse(source, _BLOCKS, env, tokens)
    count.words(token.content for token in tokens if token.type == "inline")
    state = StateCore(source, _WORDS, env)
    state.tokens = tokens
    _WORDS.core.process(state)

    tokens, headings = _shaped(tokens, count)
    html = str(_WORDS.renderer.render(tokens, _WORDS.options, env))
    count.html(len(html))
    # References such as &#12; bring back what was taken out of the source.
    return storable(html), headings


# ---- the tree, brought into shape


def _shaped(tokens: Sequence[Token], count: Count) -> tuple[list[Token], tuple[Heading, ...]]:
    """The tree as our pages can hold it, and the headings that stand in it."""
    post = count.limits is POST
    shaped: list[Token] = []
    headings: list[Heading] = []
    ids = _Ids()
    highest = min((int(token.tag[1]) for at, token in enumerate(tokens) if _heads_section(tokens, at)), default=1)
    in_section_heading = in_other_heading = False
    for at, token in enumerate(tokens):
        if token.type == "inline":
            token.children = _words(token.children or [], count)
            if in_other_heading and token.children:
                token.children = [Token("strong_open", "strong", 1), *token.children, Token("strong_close", "strong", -1)]
        elif token.type == "heading_open":
            in_section_heading = post and _heads_section(tokens, at)
            in_other_heading = not in_section_heading
            if in_section_heading:
                token.tag = f"h{min(int(token.tag[1]) + 2 - highest, 6)}"
                heading = Heading(int(token.tag[1]), ids.make(text := _text(tokens[at + 1].children)), text)
                token.attrs = {"id": heading.id}
                headings.append(heading)
            else:
                token.tag = "p"
        elif token.type == "heading_close":
            token.tag = f"h{headings[-1].level}" if in_section_heading else "p"
            in_section_heading = in_other_heading = False
            if not tokens[at - 1].children:
                # "#" alone: a paragraph of nothing.
                del shaped[-2:]
                continue
        elif token.type in ("th_open", "td_open") and (style := token.attrs.pop("style", None)):
            # A style attribute is shut out by the content security policy.
            token.attrs["class"] = str(style).replace("text-align:", "align-")
        shaped.append(token)
    return shaped, tuple(headings)


def _heads_section(tokens: Sequence[Token], at: int) -> bool:
    """Whether the token at `at` opens a heading that has words and stands in no quote or list.

    The others become bold paragraphs, as do all headings of comments: in a page where each comment is headed by its
    writer, the list of headings is the way from person to person, and nothing quoted or typed below may enter it.
    """
    token = tokens[at]
    return token.type == "heading_open" and token.level == 0 and bool(_text(tokens[at + 1].children))


class _Ids:
    """Ids for headings, unique in one text, in time that does not grow with the equal ones before."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._last: dict[str, int] = {}

    def make(self, text: str) -> str:
        base = unique = _OWN + (hyphenated(text, _LONGEST_ID) or "section")
        while unique in self._used:
            self._last[base] = self._last.get(base, 1) + 1
            unique = f"{base}-{self._last[base]}"
        self._used.add(unique)
        return unique


def _words(children: Sequence[Token], count: Count) -> list[Token]:
    """The words of one paragraph: links judged and marked, foreign pictures as links, emphasis not too deep."""
    kept: list[Token] = []
    depth = 0
    # Where in `kept` the link that is open begins. A link inside a link (an address in a link's words) is left out.
    opened: int | None = None
    opens: list[bool] = []
    for token in children:
        if token.type == "image":
            kept += _picture(token, count, in_link=opened is not None)
        elif token.type == "link_open":
            href = _in_text(str(token.attrs["href"]), count)
            opens.append(opened is None and is_link(href))
            if opens[-1]:
                opened = len(kept)
                kept.append(_link_open(href, str(token.attrs.get("title", "")), count))
        elif token.type == "link_close":
            if opens.pop() and opened is not None:
                if not _text(kept[opened + 1 :]):
                    # A link without words would be announced as "link" and could not be hit.
                    kept.append(_said(str(kept[opened].attrs["href"])))
                kept.append(token)
                opened = None
        elif token.nesting:
            depth += token.nesting == 1
            if depth <= NESTING:
                kept.append(token)
            depth -= token.nesting == -1
        else:
            kept.append(token)
    return kept


def _picture(token: Token, count: Count, *, in_link: bool) -> list[Token]:
    """A picture of this board in a post stays one; any other would tell a third party who reads, so it becomes a link."""
    src, title, words = str(token.attrs["src"]), str(token.attrs.get("title", "")), _text(token.children)
    if count.limits is POST and is_own_picture(src):
        count.attributes(len(src) + len(title))
        return [token]
    if in_link or not is_link(src):
        return [_said(words)]
    return [_link_open(src, title, count), _said(words or src), Token("link_close", "a", -1)]


def _link_open(href: str, title: str, count: Count) -> Token:
    count.attributes(len(href) + len(title))
    attrs: dict[str, str | int | float] = {"href": href}
    if title:
        attrs["title"] = title
    # Nobody's page gains rank by our discussions, and no page opened from here can reach back.
    return Token("link_open", "a", 1, attrs={**attrs, "rel": "nofollow ugc noopener"})


def _in_text(href: str, count: Count) -> str:
    """A fragment in a post means a heading of the post, whose id has our prefix; a comment's own id it may name too."""
    if count.limits is POST and re.fullmatch(r"#(?!user-content-|comment-\d+$).+", href):
        return "#" + _OWN + (hyphenated(unquote(href[1:]), _LONGEST_ID) or href[1:])
    return href


def _said(words: str) -> Token:
    return Token("text", "", 0, content=words)


def _text(tokens: Sequence[Token] | None) -> str:
    """The words of inline tokens, pictures by their description, white space as one space."""
    parts: list[str] = []
    for token in tokens or ():
        if token.type == "image":
            parts.append(_text(token.children))
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        else:
            parts.append(token.content)
    return " ".join("".join(parts).split())


# ---- the tree, written


class _Writer(RendererHTML):
    """Where our HTML differs from the library's: tables and code can be scrolled by key, and nothing has a style."""

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # A group, not a region: regions are landmarks, and two of one name on a page are one too many.
        return '<div class="table" role="group" aria-label="Table" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        code = tokens[idx].content
        wide = any(len(line) > _CODE_COLUMNS for line in code.split("\n"))
        opening = '<pre role="group" aria-label="Code" tabindex="0">' if wide else "<pre>"
        return f"{opening}<code>{escapeHtml(code)}</code></pre>\n"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self.code_block(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        tokens[idx].attrs["alt"] = _text(tokens[idx].children)
        return self.renderToken(tokens, idx, options, env)


# ---- the parser, with its counting


def _count_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Stands before all block rules and matches nothing: whatever begins is counted."""
    state.env["count"].block(state.level)
    return False


def _count_quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The library's quote, after the lines have been counted that it may look at before it knows where it ends."""
    if not blockquote(state, start, end, True):
        return False
    if silent:
        return True
    count: Count = state.env["count"]
    for line in range(start, end):
        if state.isEmpty(line):
            break
        count.quoted_line()
    return blockquote(state, start, end, False)


def _count_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The library's table, after its cells have been counted: a row of one cell is padded to the width of the head."""
    if not parse_table(state, start, end, True):
        return False
    if silent:
        return True
    underline = state.src[state.bMarks[start + 1] + state.tShift[start + 1] : state.eMarks[start + 1]]
    columns = underline.strip(" \t").strip("|").count("|") + 1
    enders = state.md.block.ruler.getRules("blockquote")
    around, state.parentType = state.parentType, "table"
    rows = 1
    for line in range(start + 2, end):
        ends = state.sCount[line] < state.blkIndent or state.isEmpty(line) or state.is_code_block(line)
        if ends or any(rule(state, line, end, True) for rule in enders):
            break
        rows += 1
    state.parentType = around
    state.env["count"].table(columns, rows)
    return parse_table(state, start, end, silent)


InlineRule = Callable[[StateInline, bool], bool]


def _counted(rule: InlineRule) -> InlineRule:
    """`rule`, counting what it makes, so that the one link too many is refused before the next is made."""

    def counting(state: StateInline, silent: bool) -> bool:
        made = rule(state, silent)
        if made and not silent:
            state.env["count"].link()
        return made

    return counting


_SCHEME = re.compile(r"(?:^|[^a-z0-9.+-])(https?)$", re.IGNORECASE)


def _bare_address(state: StateInline, silent: bool) -> bool:
    """`http://` or `https://` and what follows becomes a link.

    In place of the library's rule, which reads the whole paragraph again at each `://`.
    """
    if not state.src.startswith("://", state.pos) or state.linkLevel:
        return False
    scheme = _SCHEME.search(state.src[max(state.pos - 6, 0) : state.pos])
    if scheme is None or not state.pending.endswith(scheme[1]):
        return False
    start = state.pos - len(scheme[1])
    ahead = state.src[start : min(start + _LONGEST_ADDRESS, state.posMax)]
    length = len(scheme[1]) + 1 + _HTTP.test_schema_at(ahead, "http:", len(scheme[1]) + 1)
    address = ahead[:length].rstrip("*")
    cut_short = length == _LONGEST_ADDRESS
    href = state.md.normalizeLink(address)
    if cut_short or len(address) <= len(scheme[1]) + 3 or not is_link(href):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[1])]
        state.push("link_open", "a", 1).attrs = {"href": href}
        state.push("text", "", 0).content = state.md.normalizeLinkText(address)
        state.push("link_close", "a", -1)
    state.pos = start + len(address)
    return True


def _after_www(linkify: LinkifyIt, text: str, at: int) -> int:
    """How many characters after a `www.` belong to the address."""
    ahead = "//" + text[at - len("www.") : at + _LONGEST_ADDRESS]
    return max(int(_HTTP.test_schema_at(ahead, "http:", 0)) - len("//www."), 0)


def _complete_www(linkify: LinkifyIt, found: Any) -> None:
    found.url = "https://" + found.url


class _Parser(MarkdownIt):
    def __init__(self, nesting: int) -> None:
        super().__init__("commonmark", {"html": False, "xhtmlOut": False, "maxNesting": nesting}, renderer_cls=_Writer)

    def validateLink(self, url: str) -> bool:
        """What is no link of ours stays as it was typed, so that nobody wonders where it went."""
        return is_link(url)


def _block_parser() -> _Parser:
    # The parser silently skips what begins at its cap, and a list goes two levels down at once: ours must come first.
    parser = _Parser(NESTING + 3)
    parser.enable("table")
    rules = parser.block.ruler
    rules.at("table", _count_table, {"alt": ["paragraph", "reference"]})
    rules.at("blockquote", _count_quote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    rules.before("table", "count", _count_block)
    return parser


def _word_parser() -> _Parser:
    parser = _Parser(_BRACKETS)
    parser.enable(["strikethrough", "linkify"])
    parser.options["linkify"] = True
    parser.linkify = _LINKIFY
    parser.core.ruler.enableOnly(["inline", "linkify", "text_join"])
    rules = parser.inline.ruler
    for name, rule in {"link": link, "image": image, "autolink": autolink, "linkify": _bare_address}.items():
        rules.at(name, _counted(rule))
    return parser


# Bare addresses are those with a scheme, those that begin with www., and mail addresses. A bare `host.tld` is not one:
# README.md and Node.is would be.
_HTTP = LinkifyIt({"ftp:": None, "//": None}, {"fuzzy_link": False, "fuzzy_email": False})
_LINKIFY = LinkifyIt(
    {"http:": None, "https:": None, "ftp:": None, "//": None, "www.": {"validate": _after_www, "normalize": _complete_www}},
    {"fuzzy_link": False, "fuzzy_email": True},
)
_BLOCKS = _block_parser()
_WORDS = _word_parser()
# The rule tables are made at first use, and two threads may not make them at once.
unsanitised("*a* www.example.org", POST)
