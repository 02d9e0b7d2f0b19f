import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.text.names import RESERVED, clean_display_name, fold_username, is_blank, is_reserved, is_username

USERNAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{1,29}", fullmatch=True)


@pytest.mark.parametrize("name", ["ab", "a1", "1a", "Mara-Lind_9", "a" * 30, "00"])
def test_usernames(name: str) -> None:
    assert is_username(name)


@pytest.mark.parametrize("name", ["", "a", "-ab", "_ab", "a" * 31, "a b", "a.b", "ä1", "ab\n", "a\u0131", "a@b", "ａｂ"])
def test_no_usernames(name: str) -> None:
    assert not is_username(name)


@pytest.mark.parametrize(("one", "two"), [("Bob", "b0b"), ("bill", "BI11"), ("modern", "modem"), ("a_b", "a-b"), ("l0rna", "1oma"), ("RN", "m")])
def test_lookalikes_fold_to_one(one: str, two: str) -> None:
    assert fold_username(one) == fold_username(two)


@given(USERNAMES)
def test_folding(name: str) -> None:
    folded = fold_username(name)
    assert folded == fold_username(folded) == fold_username(name.upper()) == fold_username(name.swapcase())
    assert set(folded) <= set(string.ascii_lowercase + string.digits + "-") - set("01i")


def test_different_names_stay_different() -> None:
    names = ["mara", "mira", "maria", "sara", "ana", "anna", "jonas", "tomasz", "reader2", "reader3", "user-12", "user-13", "user-22"]
    assert len({fold_username(name) for name in names}) == len(names)


def test_reserved_names() -> None:
    assert {"new", "login", "register", "settings", "admin", "administrator", "moderator", "author", "reader", "root", "support"} <= RESERVED
    assert all(name == name.lower() for name in RESERVED)
    assert all(is_reserved(name) for name in RESERVED)
    assert is_reserved("Adm1n")
    assert is_reserved("M0DERAT0R")
    assert is_reserved("no_reply")
    assert not is_reserved("mara")
    assert not is_reserved("admin-mara")


class TestDisplayNames:
    @pytest.mark.parametrize(
        ("typed", "shown"),
        [
            ("Mara Lindqvist", "Mara Lindqvist"),
            ("  Mara\t\n Lindqvist ", "Mara Lindqvist"),
            ("J. R. R. T.", "J. R. R. T."),
            ("Jose\u0301", "José"),
            ("O’Neil-Čapek (she/her)", "O’Neil-Čapek (she/her)"),
            ("नीति", "नीति"),
            ("Nguyễn Thị", "Nguyễn Thị"),
            ("🌻", "🌻"),
            ("<b>", "<b>"),
            ("x" * 60, "x" * 60),
        ],
    )
    def test_taken(self, typed: str, shown: str) -> None:
        assert clean_display_name(typed) == shown
        assert clean_display_name(shown) == shown

    @pytest.mark.parametrize(
        "typed",
        [
            *(
                "",
                " ",
                "\n",
                "x" * 61,
                "Ma\u202era",
                "Ma\u200bra",
                "Ma\u2066ra",
                "Ma\x00ra",
                "Ma\x07ra",
                "\ufeffMara",
                "Ma\ud800ra",
                "Ma\u00adra",
                "\u3164",
                "\u2800",
                "…",
                "-",
            ),
            *(
                "https://a.example",
                "see www.a",
                "a.example",
                "Mara a.com",
                "mara@a.example",
                "mara@home",
                "0@¸",
                "javascript:x",
                "a\uff0eexample",
                "a\u3002example",
                "mara\uff20a",
                "HTTP:x",
            ),
            "z\u0300\u0301\u0302\u0303\u0304",
        ],
    )
    def test_refused_with_a_sentence(self, typed: str) -> None:
        with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
            clean_display_name(typed)

    @given(st.text(st.characters(codec=None), max_size=70))
    def test_always(self, typed: str) -> None:
        try:
            shown = clean_display_name(typed)
        except ValueError as refused:
            assert str(refused).endswith(".")
            return
        assert 1 <= len(shown) <= 60
        assert shown == shown.strip() == clean_display_name(shown)
        assert re.search(r"\S@\S", shown) is None
        assert shown.isprintable()


def test_a_name_of_a_long_run_of_accents_is_refused_without_composing_it() -> None:
    with pytest.raises(ValueError, match="at most 60 characters; this one has 500001"):
        clean_display_name("a" + "\u0315\u0300" * 250_000)
    assert clean_display_name("e\u0301" * 60) == "é" * 60


NOTHING = [
    "", "  \n", "\u200b" * 12, "\u00a0\u2003", "\u202e\u2066\u200f", "\u0378" * 12, "\ue000" * 12, "\u3164\u2800", "\ufe0f\u0301",
    "\U000e0041" * 12, "\u00ad" * 12,
]


@pytest.mark.parametrize("text", NOTHING, ids=ascii)
def test_a_text_that_nobody_would_see_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", ".", "\u200b7", "ß", "語", "🧑🏽\u200d🏫", "€", "\u0915\u093f", "—"], ids=ascii)
def test_a_text_with_one_thing_to_see_is_not(text: str) -> None:
    assert not is_blank(text)
