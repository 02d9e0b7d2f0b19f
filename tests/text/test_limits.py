"""Too much is refused with a sentence, before it costs; what is taken stays in proportion."""

import sys
from collections.abc import Callable

import pytest

from blog.text import markdown
from blog.text.limits import COMMENT, NESTING, POST, SWELLING, SWELLING_SLACK, Limits
from blog.text.markdown import Rendered, TextRefused, render_comment, render_post
from tests.text.families import FAMILIES
from tests.text.reading import tags, words

Render = Callable[[str], Rendered]
KINDS = [pytest.param(render_comment, COMMENT, id="comment"), pytest.param(render_post, POST, id="post")]


def test_the_caps_are_the_stated_ones() -> None:
    assert (COMMENT.characters, COMMENT.links, COMMENT.cells) == (20_000, 50, 500)
    assert (POST.characters, POST.links, POST.cells) == (100_000, 300, 2_000)
    assert NESTING == 20


def refusal(render: Render, source: str) -> str:
    with pytest.raises(TextRefused) as refused:
        render(source)
    assert str(refused.value) == refused.value.sentence
    return refused.value.sentence


@pytest.mark.parametrize(("render", "limits"), KINDS)
class TestEdges:
    """The last thing that is taken, and the first that is not."""

    def test_characters(self, render: Render, limits: Limits) -> None:
        assert render("a" * limits.characters).words == 1
        sentence = refusal(render, "a" * (limits.characters + 1))
        assert f"{limits.characters:,}" in sentence
        assert f"{limits.characters + 1:,}" in sentence
        assert limits.kind in sentence

    def test_a_line_end_is_one_character(self, render: Render, limits: Limits) -> None:
        render("a\r\n" + "b" * (limits.characters - 2))
        refusal(render, "a\r\n" + "b" * (limits.characters - 1))

    def test_lines(self, render: Render, limits: Limits) -> None:
        render("    a\n" * (limits.lines - 1) + "    a")
        assert f"{limits.lines:,} lines" in refusal(render, "    a\n" * limits.lines)

    def test_blocks(self, render: Render, limits: Limits) -> None:
        line = "- - - - a\n"  # three lists and a paragraph, in one list around all lines
        render(line * (limits.blocks // 4 - 1))
        assert "paragraphs and list items" in refusal(render, line * (limits.blocks // 4))

    def test_nesting(self, render: Render, limits: Limits) -> None:
        assert words(render("> " * NESTING + "deep").html) == "deep"
        assert "20 deep" in refusal(render, "> " * (NESTING + 1) + "deep")
        assert words(render("- " * (NESTING // 2) + "deep").html) == "deep"
        assert "20 deep" in refusal(render, "- " * (NESTING // 2 + 1) + "deep")
        assert "20 deep" in refusal(render, ">" * 100 + " deep")

    def test_table_cells(self, render: Render, limits: Limits) -> None:
        rows = limits.cells // 10
        head = "a|" * 9 + "a\n" + "-|" * 9 + "-\n"
        assert len([tag for tag in tags(render(head + "a\n" * (rows - 1)).html) if tag.name in ("th", "td")]) == limits.cells
        assert f"{limits.cells:,} table cells" in refusal(render, head + "a\n" * rows)

    def test_cells_of_all_tables_count(self, render: Render, limits: Limits) -> None:
        table = "one|two|three|four|five\n-|-|-|-|-\n1|2|3|4|5\n\n"
        render(table * (limits.cells // 10))
        assert "cells" in refusal(render, table * (limits.cells // 10 + 1))
        assert "cells" in refusal(render, ("> " + table.strip().replace("\n", "\n> ") + "\n\n") * (limits.cells // 10 + 1))

    def test_what_follows_a_table_is_no_row(self, render: Render, limits: Limits) -> None:
        render("a|b\n-|-\n1|2\n" + "- a\n" * (limits.cells // 2))

    @pytest.mark.parametrize("link", ["[a](/b) ", "[r] ", "![a](/b) ", "<https://a.example> ", "https://a.example ", "![a](/static/b.png) "])
    def test_links(self, render: Render, limits: Limits, link: str) -> None:
        source = "[r]: /u\n\n"
        assert len([tag for tag in tags(render(source + link * limits.links).html) if tag.name in ("a", "img")]) == limits.links
        assert f"{limits.links} links" in refusal(render, source + link * (limits.links + 1))

    def test_marks(self, render: Render, limits: Limits) -> None:
        render("a_" * limits.marks)
        assert "formatting characters" in refusal(render, "a_" * (limits.marks + 1))

    def test_code_has_no_marks_links_or_cells(self, render: Render, limits: Limits) -> None:
        code = "a_b[0](*c)|d|`e` https://a.example\n-|-|-\n"
        render("```\n" + code * (limits.characters // len(code) - 1) + "```")

    def test_one_reference_used_4000_times(self, render: Render, limits: Limits) -> None:
        assert "links" in refusal(render, ("[a]: https://a.example/" + "u" * 3_900 + "\n\n" + "[a] " * 4_000)[: limits.characters])

    @pytest.mark.parametrize("definition", ["[a]: /static/{}", '[a]: /static/u "{}"'])
    @pytest.mark.parametrize("use", ["[a] ", "![a] "])
    def test_one_long_definition_used_as_often_as_allowed(
        self, render: Render, limits: Limits, definition: str, use: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Refused while it is counted: the HTML, three hundred times the definition, is never written."""
        monkeypatch.setattr(markdown._WORDS.renderer, "render", lambda *given: pytest.fail("the HTML was written"))
        source = definition.format("u" * (limits.characters // 2)) + "\n\n" + use * limits.links
        assert "longer than itself" in refusal(render, source)

    def test_signs_of_addresses(self, render: Render, limits: Limits) -> None:
        render("@a " * 4 * limits.links)
        for sign in ("@a ", "www. ", "x:// "):
            assert "links" in refusal(render, sign * (4 * limits.links + 1))


def test_markup_that_swells() -> None:
    assert "longer than itself" in refusal(render_post, "a|b\n-|-\n\n" * 1_000)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("render", "length"), [(render_comment, 20_000), (render_comment, 5_000), (render_post, 25_000)])
def test_output_is_in_proportion_or_refused(render: Render, length: int, family: str) -> None:
    """Full length is mostly refused at sight; the shorter ones get further."""
    source = FAMILIES[family](length)[:length]
    try:
        html = render(source).html
    except TextRefused as refused:
        assert refused.sentence.endswith(".")
    else:
        assert len(html) <= SWELLING * len(source) + SWELLING_SLACK


# The hardest accepted comment takes about 800,000; without the limits some of these take a hundred times as much.
STEPS = 1_500_000


@pytest.mark.parametrize(
    "family",
    [
        *("'===\\n> ---\\n\\\\\\n'", "'> # a\\nb\\n'", "lazy lines under quotes", "lazy lines under lists", "pictures around many words"),
        *("brackets before many words", "a wide table of short rows", "a table of many rows", "'![[]()'", "'['", "'- a\\n'"),
    ],
)
def test_steps_do_not_run_away(family: str) -> None:
    """Work counted in function calls, which no busy machine changes, at full length and at the longest that is taken."""
    length = COMMENT.characters
    assert _steps(FAMILIES[family](length)[:length]) <= STEPS
    while _refused(FAMILIES[family](length)[:length]):
        length = length * 7 // 8
    assert _steps(FAMILIES[family](length)[:length]) <= STEPS


def _refused(source: str) -> bool:
    try:
        render_comment(source)
    except TextRefused:
        return True
    return False


def _steps(source: str) -> int:
    steps = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        _refused(source)
    finally:
        sys.setprofile(before)
    return steps
