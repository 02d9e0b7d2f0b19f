"""The sanitiser by itself. What attacks meet there is in test_attacks.py."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.text.sanitising import clean, storable
from tests.text.judging import complaints
from tests.text.reading import attacks

PIECES = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<a href=/x>",
            "<a href='java&#1;script:x'>",
            "</a>",
            "<b>",
            "<i>",
            "</b>",
            "<table>",
            "<tr>",
            "<td>",
            "</table>",
            "<div>",
            "</div>",
            "<div class='table x'>",
            "<pre>\n\n",
            "<ul>",
            "<li>",
            "<svg>",
            "<math>",
            "<style>",
            "</style>",
            "<script>",
            "<title>",
            "<noscript>",
            "<template>",
            "<select>",
            "<option>",
            "<textarea>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<h2 id=user-content-a>",
            "<h2 id=a>",
            "</h2>",
            "<img src=/static/a>",
            "<img src=//a>",
            "<em>",
            "<strong>",
            "<s>",
            "<code>",
            "&lt;",
            "&#1;",
            "&#0;",
            "&amp;",
            "\0",
            "\ud800",
            "'",
            '"',
            "a",
            " ",
            "\n",
        ]
    )
    | st.text(max_size=3),
    max_size=25,
).map("".join)


@settings(max_examples=400)
@given(PIECES)
def test_any_html_is_made_harmless_and_stays_so(html: str) -> None:
    once = clean(html)
    assert complaints(once) == []
    assert clean(once) == once


def test_attacks_stay_as_cleaned() -> None:
    for attack in attacks():
        assert clean(clean(attack)) == clean(attack)


@pytest.mark.parametrize(
    "html",
    [
        '<h2 id="user-content-a">a</h2>',
        '<div class="table" role="group" aria-label="Table" tabindex="0"><table><thead><tr><th class="align-right">a</th></tr></thead></table></div>',
        '<pre role="group" aria-label="Code" tabindex="0"><code>a</code></pre>',
        '<ol start="3"><li>a</li></ol>',
        '<p><img src="/uploads/a.png" alt="b" title="c"></p>',
        '<p><a href="mailto:a@b.example" title="t" rel="nofollow ugc noopener">a</a></p>',
    ],
)
def test_what_the_renderer_makes_stays(html: str) -> None:
    assert {part.rstrip(">") for part in clean(html).split()} == {part.rstrip(">") for part in html.split()} or clean(html) == html


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ('<h2 id="comment-5">a</h2>', "<h2>a</h2>"),
        ('<h2 id="user-content-">a</h2>', "<h2>a</h2>"),
        ('<p id="user-content-a">a</p>', "<p>a</p>"),
        ('<ol start="x"><li>a</li></ol>', "<ol><li>a</li></ol>"),
        ('<img src="https://a.example/b.png" alt="c">', '<img alt="c">'),
        ('<a href="//a.example">b</a>', '<a rel="nofollow ugc noopener">b</a>'),
        ('<a href="/a" rel="me" target="_blank">b</a>', '<a href="/a" rel="nofollow ugc noopener">b</a>'),
        ('<div class="table button">a</div>', "<div>a</div>"),
        ('<div role="main" tabindex="3" aria-label="Sign in">a</div>', "<div>a</div>"),
        ("a<script>b</script>c", "ac"),
        ("a<button>b</button>c", "abc"),
    ],
)
def test_what_it_leaves(html: str, left: str) -> None:
    assert clean(html) == left


@given(st.text(st.characters(codec=None), max_size=50))
def test_storable(text: str) -> None:
    kept = storable(text)
    kept.encode("utf-8")
    assert "\0" not in kept
    assert kept == storable(kept)
    assert [char for char in text if char.isprintable()] == [char for char in kept if char.isprintable()]
    assert storable("a\tb\nc\r") == "a\tb\nc\r"
