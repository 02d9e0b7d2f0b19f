"""Strings made to break out of a page, through each layer alone and through both."""

from collections.abc import Callable

import pytest

from blog.text.limits import COMMENT, POST, TextRefused
from blog.text.markdown import render_comment, render_post, unsanitised
from blog.text.sanitising import clean
from tests.text.judging import complaints
from tests.text.reading import attacks, script_attacks, tags

SCRIPT_ATTACKS = script_attacks()
ATTACKS = attacks()

# How a string may stand in a text: alone, in words, in a link, as an address, in code, in a table, in a quote.
PLACES = [
    *("{}", "a {} b", "[{}](/u)", "[a]({})", "[a](<{}>)", "![{}](/u)", "![a]({})", '[a](/u "{}")', "<{}>", "`{}`", "    {}", "> {}", "- {}", "# {}"),
    *("```{}\na\n```", "a|b\n-|-\n{}|c", "[a]\n\n[a]: {}", '[a]\n\n[a]: <{}> "{}"', "https://a.example/{}", "www.a.example/{}", "{}@a.example"),
]

ADDRESSES = [
    *("javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)"),
    *(
        "javascript&colon;alert(1)",
        "&#106;avascript:alert(1)",
        "java&#9;script:alert(1)",
        "java&#1;script:alert(1)",
        "&#x6A;avascript&#58;alert(1)",
        "javascript\\:alert(1)",
    ),
    *(
        "java&Tab;script:alert(1)",
        "java&NewLine;script:alert(1)",
        "%6Aavascript:alert(1)",
        "javascript%3Aalert(1)",
        "\u00a0javascript:alert(1)",
        "\u200bjavascript:alert(1)",
    ),
    *(
        "vbscript:x",
        "data:text/html,<script>alert(1)</script>",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "data:image/png;base64,xx",
        "file:///etc/passwd",
        "blob:x",
        "view-source:x",
    ),
    *(
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "///evil.example",
        "/\t/evil.example",
        "https:evil.example",
        "https:/evil.example",
        "http://",
        "https://@",
        "https://a@b.example",
    ),
    *(
        "https://[",
        "https://a.example:port/",
        "https://a.example\\@b.example",
        "ftp://a.example",
        "intent://x",
        "x:y",
        "mailto:",
        "//a@b",
        "http://\u202egnp.exe",
    ),
]


def layers() -> list[object]:
    return [
        pytest.param(lambda text: render_comment(text).html, id="comment"),
        pytest.param(lambda text: render_post(text).html, id="post"),
        pytest.param(lambda text: unsanitised(text, COMMENT)[0], id="comment without sanitiser"),
        pytest.param(lambda text: unsanitised(text, POST)[0], id="post without sanitiser"),
        pytest.param(clean, id="sanitiser alone"),
    ]


@pytest.mark.parametrize("layer", layers())
def test_every_attack_alone(layer: Callable[[str], str]) -> None:
    found = {}
    for attack in ATTACKS:
        try:
            html = layer(attack)
        except TextRefused:
            continue
        if wrong := complaints(html):
            found[attack] = wrong
    assert found == {}
    assert len(ATTACKS) == 223 + 133 + 286 + 515


def test_the_renderer_takes_every_attack() -> None:
    """None of the strings is refused, so the test above has judged them all."""
    for attack in ATTACKS:
        render_post(attack)


@pytest.mark.parametrize("place", PLACES)
def test_every_script_attack_in_every_place(place: str) -> None:
    found = {}
    for attack in SCRIPT_ATTACKS:
        text = place.replace("{}", attack)
        try:
            outcomes = [unsanitised(text, COMMENT)[0], render_post(text).html]
        except TextRefused:
            continue
        if wrong := [wrong for html in outcomes for wrong in complaints(html)]:
            found[attack] = wrong
    assert found == {}


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses(address: str) -> None:
    """No layer makes a link or a picture of an address that leads elsewhere than it says."""
    texts = [
        f"[a]({address})",
        f"[a](<{address}>)",
        f"<{address}>",
        f"[a]\n\n[a]: {address}",
        f"[a]\n\n[a]: <{address}>",
        f"![a]({address})",
        f"![a](<{address}>)",
        address,
    ]
    for text in texts:
        for html in (unsanitised(text, COMMENT)[0], unsanitised(text, POST)[0], render_comment(text).html, render_post(text).html):
            assert complaints(html) == []
            assert "<img" not in html
    for html in (
        f'<a href="{address}">a</a>',
        f"<a href='{address}'>a</a>",
        f'<img src="{address}">',
        f'<form action="{address}"><button formaction="{address}">',
    ):
        assert complaints(clean(html)) == []
        assert "src" not in clean(html)


HTMX = [
    "hx-get=/logout",
    "HX-GET=/x",
    "data-hx-get=/x",
    "hx-on:click=alert(1)",
    "hx-on::load=alert(1)",
    "hx-vals='js:{}'",
    "hx-trigger=load",
    "hx-swap-oob=true",
    "hx-ignore",
    "hx-preserve",
]
ACTIVE = [
    "onclick=alert(1)",
    "onload=alert(1)",
    "style=position:fixed",
    "class=button",
    "id=acts",
    "name=csrf_token",
    "form=acts",
    "formaction=/x",
    "target=_blank",
    "data-x=1",
    "tabindex=5",
]


@pytest.mark.parametrize("attribute", [*HTMX, *ACTIVE])
@pytest.mark.parametrize("tag", ["a", "p", "div", "img", "td", "h2", "pre", "ol", "table", "button", "form", "template", "svg", "math"])
def test_attributes_that_act_are_taken_out(tag: str, attribute: str) -> None:
    html = clean(f"<{tag} {attribute}>words</{tag}>")
    assert complaints(html) == []
    assert not any(tag.attributes.keys() - {"rel"} for tag in tags(html))


@pytest.mark.parametrize(
    "tag",
    [
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "button",
        "svg",
        "math",
        "template",
        "link",
        "meta",
        "base",
        "video",
        "noscript",
        "textarea",
    ],
)
def test_tags_that_act_are_taken_out(tag: str) -> None:
    assert complaints(clean(f"a<{tag} src=/x href=/x>words</{tag}>b<{tag.upper()}/>")) == []
    for render in (render_comment, render_post):
        html = render(f"a <{tag} src=/x>words</{tag}>\n\n<{tag}>\nwords\n</{tag}>").html
        assert complaints(html) == []
        assert f"&lt;{tag}" in html
