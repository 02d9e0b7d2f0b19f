"""Which passwords are too easy to guess."""

import pytest

from blog.accounts import guessable


@pytest.mark.parametrize("password", [
    "password1234", "Password123!", "passwordpassword", "P4$$w0rd2024", "letmeinletmein", "iloveyou2024", "!!!sunshine!!!", "Welcome12345",
    "qwertyqwerty1",
])
def test_the_worlds_favourites_are_refused_in_every_dress(password: str) -> None:
    assert guessable.reason(password, "nina", "nina@example.org")


@pytest.mark.parametrize("password", [
    "123456789012", "987654321098", "abcdefghijkl", "qwertyuiopas", "1qaz2wsx3edc", "123qweasdzxc", "ZYXWVUTSRQPO", "asdfghjkl;'zxc",
    "qwertzuiopü+", "1q2w3e4r5t6y",
])
def test_walks_over_keyboard_and_alphabet_are_refused(password: str) -> None:
    assert "follows" in guessable.reason(password, "nina", "nina@example.org")


@pytest.mark.parametrize("password", [
    "aaaaaaaaaaaa", "ababababababab", "ab1!ab1!ab1!", "............", "            ", "1221212122211", "ÄÄÄÄÄÄÄÄÄÄÄÄ",
])
def test_rhythms_are_refused(password: str) -> None:
    assert "again and again" in guessable.reason(password, "nina", "nina@example.org")


@pytest.mark.parametrize("password", [
    "nina-bergstrom", "NinaBergstrom1!", "ninabergstrom2024", "n.bergstrom@example.org", "nbergstrom 1999", "nina_bergstrom nina_bergstrom",
])
def test_ones_own_name_or_address_is_refused(password: str) -> None:
    assert "your name" in guessable.reason(password, "nina_bergstrom", "n.bergstrom@example.org")


@pytest.mark.parametrize("password", [
    "seven quiet herons", "correct horse battery staple", "tr0ub4dor&3-and-more", "Grüße aus Bergen", "友達と海へ行くのが好きです",
    "my cat is called Otto", "4917-2260-8835", "nina walks to work", "kX9#mQ2$vL7@",
])
def test_what_nobody_would_guess_first_is_taken(password: str) -> None:
    assert guessable.reason(password, "nina", "nina@example.org") == ""


def test_the_list_is_long_enough_to_be_one() -> None:
    assert len(guessable.FAVOURITES) > 300
    assert all(word == word.casefold() and word.isalpha() for word in guessable.FAVOURITES)
