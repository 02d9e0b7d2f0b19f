"""What may stand in a page, written down a second time, so that the renderer and the sanitiser are judged by neither."""

import re

from lxml import html as lxml_html

from tests.text.reading import Tag, tags

ALIGNED = {"align-left", "align-center", "align-right"}
HEADINGS = {"h2", "h3", "h4", "h5", "h6"}
PLAIN = ("p", "br", "hr", "blockquote", "ul", "li", "code", "em", "strong", "s", "table", "thead", "tbody", "tr")
ALLOWED: dict[str, set[str]] = {
    **{name: set() for name in PLAIN},
    **{name: {"id"} for name in HEADINGS},
    **{name: {"class"} for name in ("th", "td")},
    "div": {"class", "role", "aria-label", "tabindex"},
    "pre": {"role", "aria-label", "tabindex"},
    "a": {"href", "title", "rel"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
}


def complaints(html: str) -> list[str]:
    """What is wrong with `html` as a part of a page; two parsers are asked, because they disagree about broken HTML."""
    document = lxml_html.fromstring(f"<div>{html}</div>")
    as_lxml = [Tag(str(node.tag), dict(node.attrib)) for node in document.iterdescendants()]
    return [wrong for tag in (*tags(html), *as_lxml) for wrong in _wrong(tag)]


def _wrong(tag: Tag) -> list[str]:
    if tag.name not in ALLOWED:
        return [f"<{tag.name}>"]
    wrong = [f"<{tag.name} {name}>" for name in tag.attributes.keys() - ALLOWED[tag.name]]
    for name, value in tag.attributes.items():
        match name:
            case "href":
                right = leads_somewhere_harmless(value)
            case "src":
                right = re.fullmatch(r"/(static|uploads)/[^\\]*", value) is not None
            case "id":
                right = value.startswith("user-content-")
            case "class":
                right = value in (ALIGNED if tag.name in ("th", "td") else {"table", *ALIGNED})
            case "rel":
                right = value == "nofollow ugc noopener"
            case "start":
                right = value.isdecimal()
            case "tabindex":
                right = value == "0"
            case "role":
                right = value == "group"
            case "aria-label":
                right = value in ("Table", "Code")
            case _:
                right = True
        if not right:
            wrong.append(f"<{tag.name} {name}={value!r}>")
    if tag.name == "a" and "href" in tag.attributes and "rel" not in tag.attributes:
        wrong.append("<a> without rel")
    return wrong


def leads_somewhere_harmless(address: str) -> bool:
    """As a browser reads an address: outer white space and inner tabs and line ends are dropped, a backslash is a slash."""
    read = re.sub(r"[\t\n\r]", "", address.strip("".join(map(chr, range(0x21))))).replace("\\", "/")
    scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", read)
    if scheme is None:
        return not read.startswith("//")
    return scheme[1].lower() in ("http", "https", "mailto")
