"""Reading an answer as a page: elements by a few words of CSS, and what a person would read in them."""

import re
from typing import Any

from lxml import html as lxml_html

Element = Any

_STEP = re.compile(
    r"(?P<tag>[\w*]+)|\.(?P<cls>[\w-]+)|#(?P<id>[\w-]+)|\[(?P<attr>[\w-]+)(?:=(?P<value>[^\]]*))?\]"
    r"|(?P<first>:first-child)|:not\(\[(?P<no>[\w-]+)=(?P<not>[^\]]*)\]\)"
)


def page(answer: Any) -> Element:
    """The answer's HTML as a tree."""
    return lxml_html.fromstring(answer.text)


def words(element: Element) -> str:
    """What the element says, white space as one space."""
    return " ".join(element.text_content().split())


def find(element: Element, selector: str) -> list[Element]:
    """Elements below (or the element itself) that a selector names: tags, classes, ids, attributes, `a b`, `a > b`, `a, b`."""
    return list(element.xpath(" | ".join(_xpath(part.strip()) for part in selector.split(","))))


def _xpath(selector: str) -> str:
    path, axis = "", "descendant-or-self::"
    for step in selector.split():
        if step == ">":
            axis = "child::"
            continue
        path += ("/" if path else "") + axis + _step(step)
        axis = "descendant::"
    return path


def _step(step: str) -> str:
    tag, tests, at = "*", "", 0
    while at < len(step):
        found = _STEP.match(step, at)
        assert found is not None, step
        at = found.end()
        if found["tag"]:
            tag = found["tag"]
        elif found["cls"]:
            tests += f"[contains(concat(' ', normalize-space(@class), ' '), ' {found['cls']} ')]"
        elif found["id"]:
            tests += f"[@id='{found['id']}']"
        elif found["first"]:
            tests += "[not(preceding-sibling::*)]"
        elif found["no"]:
            tests += f"[not(@{found['no']}='{found['not']}')]"
        else:
            tests += f"[@{found['attr']}]" if found["value"] is None else f"[@{found['attr']}='{found['value']}']"
    return tag + tests
