import pytest

from blog.text.addresses import is_link, is_own_picture

LINKS = [
    "https://a.example",
    "http://a.example:80/b?c#d",
    "HTTPS://a.example",
    "mailto:a@b.example?subject=c",
    "/posts/a",
    "/",
    "#a",
    "?a=b",
    "a/b",
    "../a",
    "a#b:c",
    "/a:b",
    "https://[::1]/",
    "http://a_b.example.",
    "http://127.0.0.1:8000",
    "http://localhost",
    "https://ü.example/ä",
]
NO_LINKS = [
    *(
        "",
        "//a.example",
        "///a.example",
        "/\\a.example",
        "\\a",
        "javascript:a",
        "JAVASCRIPT:a",
        "data:a",
        "ftp://a.example",
        "a:b",
        "1a:b",
        "a b",
        " /a",
        "/a ",
        "/a\tb",
        "/a\nb",
        "/a\x00",
        "/a\x7f",
        "/\u00a0",
        "/\u202e",
    ),
    *(
        "http:a.example",
        "http:/a.example",
        "http://",
        "https://:80",
        "https://a@b.example",
        "https://a:b@c.example",
        "https://a.example:b",
        "https://[",
        "mailto:",
        "mailto:a",
        "/\u200b",
        "\ufeff/a",
    ),
]


@pytest.mark.parametrize("address", LINKS)
def test_links(address: str) -> None:
    assert is_link(address)


@pytest.mark.parametrize("address", NO_LINKS)
def test_no_links(address: str) -> None:
    assert not is_link(address)
    assert not is_own_picture(address)


def test_own_pictures() -> None:
    assert is_own_picture("/static/a.png")
    assert is_own_picture("/uploads/2026/a%20b.webp?c")
    for address in (
        "/static/../a",
        "/static/%2E%2e/a",
        "/static/a%5Cb",
        "/static//a",
        "/a.png",
        "static/a.png",
        "https://a.example/static/a.png",
        "/Static/a.png",
    ):
        assert not is_own_picture(address)
