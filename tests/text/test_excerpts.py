import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.text.excerpts import count_words, minutes_to_read, plain, teaser
from blog.text.markdown import render_comment, render_post


class TestPlain:
    def test_blocks_part_words(self) -> None:
        assert plain("<p>a</p><p>b<br>c</p><ul><li>d</li><li>e</li></ul><table><tr><td>f</td><td>g</td></tr></table>") == "a b c d e f g"

    def test_inline_tags_do_not(self) -> None:
        assert plain("<p>un<em>believ</em>able <a href='/x' title='not this'>link</a></p>") == "unbelievable link"

    def test_entities_and_white_space(self) -> None:
        assert plain("<p>a &lt;b&gt; &amp;amp;\n\n  c&nbsp;d</p>") == "a <b> &amp; c d"

    def test_attributes_with_brackets(self) -> None:
        assert plain(render_post('[a](/b "c > d <p> e") f').html) == "a f"

    def test_the_words_of_a_rendered_text(self) -> None:
        source = "# One\n\ntwo *three*\nfour\n\n> five\n\n- six\n- seven\n\na|b\n-|-\nc|d\n\n```\ncode <b>\n```"
        assert plain(render_post(source).html) == "One two three four five six seven a b c d code <b>"

    @given(st.text())
    def test_any_text_survives(self, text: str) -> None:
        assert plain(text) == " ".join(plain(text).split())


class TestTeaser:
    def test_short_texts_stay(self) -> None:
        assert teaser("<p>a</p>\n<p>b</p>") == "a b"
        assert teaser("a  b") == "a b"
        assert teaser("x" * 220) == "x" * 220
        assert teaser("") == ""

    def test_cut_at_a_word_end(self) -> None:
        assert teaser("one two three", 9) == "one two…"
        assert teaser("one two three", 8) == "one two…"
        assert teaser("one two three", 7) == "one…"
        assert teaser("one, two three", 6) == "one…"
        assert teaser("one. two three", 6) == "one.…"

    def test_text_that_speaks_of_tags_is_text(self) -> None:
        assert teaser("the <b> tag") == "the <b> tag"
        assert teaser("a < b") == "a < b"
        assert teaser("<b>") == "<b>"

    def test_a_word_longer_than_the_limit_is_cut_between_characters(self) -> None:
        assert teaser("x" * 20, 10) == "x" * 9 + "…"
        assert teaser("e\u0301" * 10, 8) == "e\u0301" * 3 + "…"
        family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
        assert teaser(family * 3, 9) == family + "…"
        assert teaser("\U0001f1e9\U0001f1ea" * 5 + "x", 2) == "…"
        assert teaser("\ud83d\ude00" * 4, 4) == "\ud83d\ude00…"

    @given(st.text(), st.integers(1, 60))
    def test_always(self, text: str, limit: int) -> None:
        short, whole = teaser(text, limit), teaser(text, 10**6)
        assert len(short) <= limit
        assert short == teaser(text, limit)
        if short != whole:
            kept = short.removesuffix("…")
            assert short.endswith("…")
            assert whole.startswith(kept)
            following = whole[len(kept)]
            # Nothing is torn: what follows is a word's end, or the first word alone was too long.
            if " " in whole[:limit] and whole.index(" ") < limit:
                assert following == " " or unicodedata.category(following)[0] in "PS"
            assert unicodedata.combining(following) == 0 or kept == ""


@pytest.mark.parametrize(("words", "minutes"), [(0, 1), (1, 1), (220, 1), (221, 2), (440, 2), (4_400, 20)])
def test_minutes(words: int, minutes: int) -> None:
    assert minutes_to_read(words) == minutes


@pytest.mark.parametrize(("text", "words"), [("", 0), ("one", 1), ("it’s a well-known 3rd", 5), ("… – !", 0), ("日本語です", 3), ("Ünï cödé", 2), ("a_b", 2)])
def test_words(text: str, words: int) -> None:
    assert count_words(text) == words
    assert render_comment(f"    {text}").words == words
