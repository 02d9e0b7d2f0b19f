"""The specification's own examples, wherever our rules leave the outcome as it is."""

from itertools import pairwise
from typing import Any

import pytest
from markdown_it import MarkdownIt

from blog.text.addresses import is_link
from blog.text.markdown import render_comment, render_post
from tests.text.reading import Tag, corpus, seen

EXAMPLES: list[dict[str, Any]] = corpus("commonmark_spec")["examples"]
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# What the specification speaks of. Ids, rel, classes and the code block's focus are ours.
ATTRIBUTES = ("href", "title", "src", "alt", "start")

# "https://example.com" and the like, which the specification leaves as text.
BARE_ADDRESSES = {604, 610, 613, 614}


def shape(html: str) -> list[object]:
    """What the specification asks for: order of tags, their attributes, the words; heading levels are moved by us."""
    parts: list[object] = []
    for part in seen(html):
        if isinstance(part, Tag):
            name = part.name.replace("/", "")
            parts.append((part.name.replace(name, "heading") if name in HEADINGS else part.name, {k: v for k, v in part.attributes.items() if k in ATTRIBUTES}))
        elif part.strip():
            parts.append(part.strip("\n"))
    return parts


def own_rule(example: dict[str, Any]) -> str:
    """The rule of ours that changes this example's outcome, or an empty string."""
    parser = MarkdownIt("commonmark")
    tokens = parser.parse(example["markdown"])
    inner = [child for token in tokens for child in token.children or ()]
    if any(token.type in ("html_block", "html_inline") for token in [*tokens, *inner]):
        return "HTML shows as text"
    if any(token.type == "image" for token in inner):
        return "pictures of others become links"
    links = [str(token.attrs["href"]) for token in inner if token.type == "link_open"]
    if any(not is_link(href) for href in links):
        return "addresses are judged"
    if any(href.startswith("#") for href in links):
        return "fragments get the prefix"
    if any(one.type == "link_open" and two.type == "link_close" for one, two in pairwise(inner)):
        return "a link has words"
    if any(token.type == "heading_open" and (token.level or not following.children) for token, following in pairwise(tokens)):
        return "headings have words and head sections"
    if example["example"] in BARE_ADDRESSES:
        return "bare addresses become links"
    return ""


COMPARED = [example for example in EXAMPLES if not own_rule(example)]


def test_how_many_examples_are_compared() -> None:
    """So that a rule that grows by accident is seen here."""
    left_out: dict[str, int] = {}
    for example in EXAMPLES:
        if rule := own_rule(example):
            left_out[rule] = left_out.get(rule, 0) + 1
    assert len(EXAMPLES) == 655
    assert left_out == {
        "HTML shows as text": 74,
        "pictures of others become links": 22,
        "addresses are judged": 12,
        "headings have words and head sections": 6,
        "bare addresses become links": 4,
        "fragments get the prefix": 1,
        "a link has words": 1,
    }
    assert len(COMPARED) == 535


@pytest.mark.parametrize("example", COMPARED, ids=lambda example: str(example["example"]))
def test_example(example: dict[str, Any]) -> None:
    assert shape(render_post(example["markdown"]).html) == shape(example["html"])
    if not any(f"<{heading}>" in example["html"] for heading in HEADINGS):
        assert shape(render_comment(example["markdown"]).html) == shape(example["html"])
