import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.text.slugs import hyphenated, slugify


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("The second phone number", "the-second-phone-number"),
        ("  What?! -- no ", "what-no"),
        ("Straße & Ärger", "strasse-ärger"),
        ("日本語 の題", "日本語-の題"),
        ("हिन्दी में", "हिन्दी-में"),
        ("ｆｕｌｌ　ｗｉｄｔｈ №5", "full-width-no5"),
        ("", "post"),
        ("!?", "post"),
        ("\u202e\u200b", "post"),
        ("2024", "post-2024"),
        ("٢٠٢٤", "post-٢٠٢٤"),
        ("2024-10", "2024-10"),
        ("New", "post-new"),
        ("new york", "new-york"),
        ("../../etc/passwd", "etc-passwd"),
        ("co\u00adoperate", "cooperate"),
        ("a\u202egnp.exe", "agnp-exe"),
        ("\ud800", "post"),
    ],
)
def test_slugs(title: str, slug: str) -> None:
    assert slugify(title) == slug


def test_cut_at_a_word_end() -> None:
    assert slugify("word " * 30) == "-".join(["word"] * 16)
    assert slugify("a" * 79 + " b") == "a" * 79
    assert slugify("a" * 80 + " b") == "a" * 80
    assert slugify("a" * 100) == "a" * 80
    assert slugify("1" * 100) == "post-" + "1" * 75
    assert hyphenated("one two", 5) == "one"


@given(st.text(st.characters(codec=None)) | st.text("ab1- ٣²½İßǅ\u0301\u0345\u200d-", max_size=120))
def test_always(title: str) -> None:
    slug = slugify(title)
    assert 1 <= len(slug) <= 80
    assert not slug.isdigit()
    assert slug != "new"
    assert slug == slugify(slug)
    assert not slug.startswith("-")
    assert not slug.endswith("-")
    assert "--" not in slug
    assert all(char == "-" or unicodedata.category(char)[0] in "LNM" for char in slug)
    assert slug == slug.casefold() or unicodedata.normalize("NFKC", slug.casefold()) == slug


def test_a_long_run_of_accents_is_not_composed_to_its_end() -> None:
    """To compose one takes time that grows with its square: of half a megabyte, minutes."""
    long = "word " + "\u0315\u0300" * 250_000
    assert hyphenated(long, 60) == hyphenated(long[:600], 60)
    assert hyphenated("word " * 100_000, 60) == "-".join(["word"] * 12)
