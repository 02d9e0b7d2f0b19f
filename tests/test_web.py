"""Where an answer leads to."""

import pytest
from flask import Flask

from blog.web import go, own_path


@pytest.mark.one_database
@pytest.mark.parametrize(("to", "written"), [
    ("/posts/日本語#talk", "/posts/%E6%97%A5%E6%9C%AC%E8%AA%9E#talk"),
    ("/posts/stra%C3%9Fe?sort=newest", "/posts/stra%C3%9Fe?sort=newest"),
    ("/login?next=%2Fcomments%2F5%2Freply", "/login?next=%2Fcomments%2F5%2Freply"),
])
def test_a_way_fits_into_a_header_whatever_its_script(app: Flask, to: str, written: str) -> None:
    with app.test_request_context(headers={"HX-Request": "true"}):
        answer = go(to)
    assert answer.headers["HX-Redirect"] == written
    with app.test_request_context():
        assert go(to).headers["Location"] == written


@pytest.mark.parametrize("path", ["/", "/posts/日本語", "/comments/5/reply?quote=1", "/a//b", "/?next=//evil.example"])
def test_a_path_of_ours_is_one(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize("path", [
    None, "", "posts", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)",
    "/\t/evil.example", "/\n/evil.example", " /", "/ ", "/a\x00", "/a\x7f", "/" + "a" * 2000, "%2F%2Fevil.example",
])
def test_any_other_is_not(path: str | None) -> None:
    assert own_path(path, "/elsewhere") == "/elsewhere"
