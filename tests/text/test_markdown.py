"""What our own rules make of a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.text.limits import COMMENT, POST
from blog.text.markdown import RENDERER, Heading, TextRefused, render_comment, render_post, unsanitised
from blog.text.sanitising import clean
from tests.text.judging import complaints
from tests.text.reading import Tag, attacks, corpus, seen, tags, words

REL = 'rel="nofollow ugc noopener"'


def comment(source: str) -> str:
    return render_comment(source).html.strip()


def post(source: str) -> str:
    return render_post(source).html.strip()


class TestHeadings:
    def test_the_highest_becomes_h2(self) -> None:
        assert [(heading.level, heading.text) for heading in render_post("# A\n\n## B\n\n### C").headings] == [(2, "A"), (3, "B"), (4, "C")]
        assert [heading.level for heading in render_post("### A\n\n#### B\n\n### C").headings] == [2, 3, 2]
        assert [heading.level for heading in render_post("### A\n\n# B\n\nC\n=").headings] == [4, 2, 2]

    def test_never_below_h6(self) -> None:
        assert [heading.level for heading in render_post("# A\n\n###### B").headings] == [2, 6]

    def test_html_and_list_agree(self) -> None:
        rendered = render_post("# A *b*\n\n## Ünïcode `c`\n\n# A b\n\n## 漢字\n\n# 2024")
        found = [(int(tag.name[1]), tag.attributes["id"]) for tag in tags(rendered.html) if tag.name in ("h2", "h3")]
        assert found == [(heading.level, heading.id) for heading in rendered.headings]
        assert rendered.headings == (
            Heading(2, "user-content-a-b", "A b"),
            Heading(3, "user-content-ünïcode-c", "Ünïcode c"),
            Heading(2, "user-content-a-b-2", "A b"),
            Heading(3, "user-content-漢字", "漢字"),
            Heading(2, "user-content-2024", "2024"),
        )

    def test_ids_are_unique_even_where_they_were_numbered_by_hand(self) -> None:
        ids = [heading.id for heading in render_post("# a\n\n# a-2\n\n# a\n\n# a\n\n# !\n\n# ?").headings]
        assert len(set(ids)) == 6
        assert ids[4:] == ["user-content-section", "user-content-section-2"]

    def test_quoted_and_listed_headings_head_no_section(self) -> None:
        rendered = render_post("> # A\n\n- # B\n\n# C")
        assert rendered.headings == (Heading(2, "user-content-c", "C"),)
        assert "<p><strong>A</strong></p>" in rendered.html
        assert "<p><strong>B</strong></p>" in rendered.html

    def test_without_words_there_is_none(self) -> None:
        assert post("a\n\n#\n\n## ##\n\nb") == "<p>a</p>\n<p>b</p>"
        assert render_post("# ![](/static/a.png)").headings == ()

    def test_a_comment_has_bold_paragraphs(self) -> None:
        rendered = render_comment("# A *b*\n\nc\n\nD\n---\n\n> ###### E")
        assert rendered.headings == ()
        assert (
            rendered.html
            == "<p><strong>A <em>b</em></strong></p>\n<p>c</p>\n<p><strong>D</strong></p>\n<blockquote>\n<p><strong>E</strong></p>\n</blockquote>\n"
        )

    @given(st.lists(st.sampled_from(["# a", "## a", "# a-2", "###### b", "# ", "> # q", "text"]), max_size=12))
    def test_ids_and_list_agree_always(self, lines: list[str]) -> None:
        rendered = render_post("\n\n".join(lines))
        found = [tag for tag in tags(rendered.html) if tag.name in ("h1", "h2", "h3", "h4", "h5", "h6")]
        assert [tag.attributes["id"] for tag in found] == [heading.id for heading in rendered.headings]
        assert len({heading.id for heading in rendered.headings}) == len(found)
        assert not rendered.headings or min(heading.level for heading in rendered.headings) == 2


class TestLinks:
    @pytest.mark.parametrize(
        "address", ["https://a.example/b?c=d#e", "http://a.example:8080/", "mailto:a@b.example", "/posts/a", "a/b.html", "?after=2", "../a"]
    )
    def test_allowed(self, address: str) -> None:
        assert comment(f"[a]({address})") == f'<p><a href="{address}" {REL}>a</a></p>'
        assert post(f"[a][b]\n\n[b]: {address}") == f'<p><a href="{address}" {REL}>a</a></p>'

    @pytest.mark.parametrize("source", ["[a](javascript:b)", "[a](//b.example)", "[a](ftp://b.example)", "[a](https://b@c.example)"])
    def test_what_is_no_link_stays_as_typed(self, source: str) -> None:
        assert comment(source) == f"<p>{source}</p>"

    def test_fragments_in_a_post_mean_its_headings(self) -> None:
        rendered = render_post("[x](#my-Part) [y](#user-content-my-part) [z](#comment-5) [t](#Überblick)\n\n# My part\n\n# Überblick")
        links = [tag.attributes["href"] for tag in tags(rendered.html) if tag.name == "a"]
        assert links == ["#user-content-my-part", "#user-content-my-part", "#comment-5", "#user-content-überblick"]
        assert {heading.id for heading in rendered.headings} == {"user-content-my-part", "user-content-überblick"}

    def test_fragments_in_a_comment_stay(self) -> None:
        assert 'href="#comment-5"' in comment("[a](#comment-5)")
        assert 'href="#b"' in comment("[a](#b)")

    def test_a_link_has_words(self) -> None:
        assert comment("[](/a)") == f'<p><a href="/a" {REL}>/a</a></p>'
        assert post("[![](/static/a.png)](/b)") == f'<p><a href="/b" {REL}><img src="/static/a.png" alt="">/b</a></p>'

    def test_no_link_in_a_link(self) -> None:
        assert comment("[a <https://b.example> c](/d)") == f'<p><a href="/d" {REL}>a https://b.example c</a></p>'

    @pytest.mark.parametrize(
        ("source", "address", "shown"),
        [
            ("see https://a.example/b_c_d.", "https://a.example/b_c_d", "https://a.example/b_c_d"),
            ("(http://a.example/b_(c))", "http://a.example/b_(c)", "http://a.example/b_(c)"),
            ("**https://a.example/b**", "https://a.example/b", "https://a.example/b"),
            ("HTTPS://A.example", "HTTPS://A.example", "HTTPS://A.example"),
            ("at www.a.example, or", "https://www.a.example", "www.a.example"),
            ("www.a.example/b?c=d&e", "https://www.a.example/b?c=d&e", "www.a.example/b?c=d&e"),
            ("a.b@c.org!", "mailto:a.b@c.org", "a.b@c.org"),
        ],
    )
    def test_bare_addresses(self, source: str, address: str, shown: str) -> None:
        parts = seen(comment(source))
        at = next(index for index, part in enumerate(parts) if not isinstance(part, str) and part.name == "a")
        assert parts[at].attributes["href"] == address  # type: ignore[union-attr]
        assert parts[at + 1] == shown

    @pytest.mark.parametrize(
        "source",
        [
            "README.md",
            "a.example",
            "http:// x",
            "https://",
            "xhttps",
            "://a.b",
            "www.",
            "@a",
            "a://b.c",
            "ftp://a.example",
            "http://a.example/" + "b" * 1_000,
            "`https://a.example`",
        ],
    )
    def test_no_bare_address(self, source: str) -> None:
        assert "<a" not in comment(source)


class TestPictures:
    def test_in_a_comment_they_are_links(self) -> None:
        assert comment('![cat](https://a.example/c.png "t")') == f'<p><a href="https://a.example/c.png" title="t" {REL}>cat</a></p>'
        assert comment("![](/static/c.png)") == f'<p><a href="/static/c.png" {REL}>/static/c.png</a></p>'
        assert comment("[![cat](c.png)](/d)") == f'<p><a href="/d" {REL}>cat</a></p>'

    def test_in_a_post_the_boards_own_stay(self) -> None:
        assert post('![a *cat*](/uploads/c.png "t")') == '<p><img src="/uploads/c.png" alt="a cat" title="t"></p>'
        assert post("[![cat](/static/c.png)](/d)") == f'<p><a href="/d" {REL}><img src="/static/c.png" alt="cat"></a></p>'

    @pytest.mark.parametrize(
        "address",
        [
            "https://a.example/static/c.png",
            "/elsewhere/c.png",
            "static/c.png",
            "/static/../logout",
            "/static/%2e%2e/logout",
            "/uploads/%5C..",
            "/staticc.png",
            "/static//a",
        ],
    )
    def test_in_a_post_others_are_links(self, address: str) -> None:
        assert post(f"![cat]({address})") == f'<p><a href="{address}" {REL}>cat</a></p>'


class TestTablesAndCode:
    def test_a_table_can_be_scrolled_by_key(self) -> None:
        html = comment("|a|b|c|\n|:-|-:|:-:|\n|1|2|3|")
        assert html.startswith('<div class="table" role="group" aria-label="Table" tabindex="0"><table>')
        assert html.endswith("</table></div>")
        assert '<td class="align-left">1</td>\n<td class="align-right">2</td>\n<td class="align-center">3</td>' in html
        assert "style" not in html

    def test_long_code_can_be_scrolled_by_key(self) -> None:
        assert comment("```py\nx = 1\n```") == "<pre><code>x = 1\n</code></pre>"
        assert comment("    " + "x" * 33).startswith('<pre role="group" aria-label="Code" tabindex="0"><code>x')

    def test_strikethrough(self) -> None:
        assert comment("~~a~~") == "<p><s>a</s></p>"


class TestWords:
    def test_html_shows_as_typed(self) -> None:
        assert words(comment("<b>a</b>\n\n<div onclick=x>\nb\n</div>")) == "<b>a</b> <div onclick=x> b </div>"

    def test_line_ends(self) -> None:
        assert comment("a\r\n\r\nb\rc") == comment("a\n\nb\nc") == "<p>a</p>\n<p>b\nc</p>"

    @pytest.mark.parametrize("source", ["a\0b", "a\x01b", "a\x0cb\x1f", "a\ud800b", "a\ufffeb", "a&#12;b", "a&#1;b", "&#xD800;", "[a](/b\x01c)", "`\0`"])
    def test_nothing_that_cannot_be_stored(self, source: str) -> None:
        rendered = render_post("# " + source)
        for text in (render_comment(source).html, rendered.html, unsanitised(source, POST)[0], *(heading.text + heading.id for heading in rendered.headings)):
            text.encode("utf-8")
            assert not any(ord(char) < 0x20 and char not in "\t\n" for char in text)

    def test_count_and_version(self) -> None:
        rendered = render_post("# One two\n\nthree *four* `five`\n\n- six")
        assert (rendered.words, rendered.renderer) == (6, RENDERER)

    def test_nothing(self) -> None:
        assert render_comment("").html == render_comment(" \n\n").html == ""

    def test_emphasis_is_not_deeper_than_it_may_be_and_loses_no_words(self) -> None:
        html = comment("*a " * 100 + "x" + " a*" * 100)
        assert html.count("<em>") == html.count("</em>") == 20
        assert words(html) == " ".join(["a"] * 100 + ["x"] + ["a"] * 100)

    @given(
        st.lists(st.sampled_from(["> ", "- ", "1. ", ">", "  ", "    ", "* ", "\n", "\n\n", "# ", "*", "**", "[", "](/u)"]), max_size=60).map("".join),
        st.lists(st.sampled_from(["> ", "- ", "*", "](/u)", "\n", "`"]), max_size=8).map("".join),
    )
    def test_words_are_never_lost(self, before: str, following: str) -> None:
        """However deep the quotes and lists before it, a word is shown or the text is refused."""
        for render in (render_comment, render_post):
            try:
                html = render(f"{before}word{following}").html
            except TextRefused:
                continue
            assert "word" in words(html)


MARKDOWN = st.lists(
    st.sampled_from(
        [
            "*",
            "**",
            "_",
            "`",
            "``",
            "[",
            "]",
            "(",
            ")",
            "![",
            "](",
            "](u)",
            "<",
            "<a",
            ">",
            "> ",
            "- ",
            "1. ",
            "    ",
            "\t",
            "\n",
            "\n\n",
            "|",
            "|-|-|\n",
            "a|b\n-|-\n",
            "\\",
            "&",
            "&amp;",
            "&#1;",
            "http://",
            "https://a.b/",
            "www.a.b",
            "a@b.co",
            "~~",
            "#",
            "# ",
            "===\n",
            "---\n",
            "```\n",
            "[a]: u\n",
            '"',
            "'",
            "word ",
            "\0",
            "\ud800",
            "\u202e",
            "é",
            "🌍",
            "javascript:",
            "<div>",
            "<!--",
        ]
    )
    | st.text("abc .:/?é漢", max_size=4),
    max_size=40,
).map("".join)


@settings(max_examples=300)
@given(MARKDOWN)
def test_any_text_is_rendered_safely(source: str) -> None:
    for render, limits in ((render_comment, COMMENT), (render_post, POST)):
        try:
            html = render(source).html
        except TextRefused:
            continue
        assert complaints(html) == []
        assert complaints(unsanitised(source, limits)[0]) == []
        assert clean(html) == html


@settings(max_examples=200)
@given(MARKDOWN)
def test_the_sanitiser_takes_nothing_that_the_renderer_made(source: str) -> None:
    try:
        html, _ = unsanitised(source, POST)
    except TextRefused:
        return
    before, after = seen(html.replace("\r", "\n")), seen(clean(html))
    assert len(before) == len(after)
    for made, left in zip(before, after, strict=True):
        # A host that only looks like one (http://1.2.3.4.5) loses its link there: both have to believe in it.
        assert made == left or (isinstance(left, Tag) and left.name == "a" and "href" not in left.attributes)


def test_the_sanitiser_takes_nothing_from_the_corpora() -> None:
    for source in (*attacks(), *(example["markdown"] for example in corpus("commonmark_spec")["examples"])):
        html, _ = unsanitised(source, POST)
        assert seen(clean(html)) == seen(html.replace("\r", "\n")), source


def test_a_comment_has_neither_ids_nor_pictures() -> None:
    for example in corpus("commonmark_spec")["examples"]:
        html = render_comment(example["markdown"]).html
        assert not any(tag.name == "img" or tag.name in ("h1", "h2", "h3", "h4", "h5", "h6") or "id" in tag.attributes for tag in tags(html))
