"""The board's lists: added, taken out, never changed; each line with its sentence and rule."""

import pytest
from lxml import html as lxml_html
from sqlalchemy import func, select

from blog.db import db
from blog.filters import listing
from blog.filters.models import Filter, FilterKind
from tests.conftest import Board, counted
from tests.factories import make_post
from tests.filters.lists import SENTENCE, line, send

PAGE = "/moderation/filters"
LINE = {"kind": "word", "pattern": "Free  Money", "told": SENTENCE, "rule": "4"}


def test_a_line_holds_from_then_on_and_nothing_once_it_is_taken_out(board: Board) -> None:
    anna = board.anna.id
    with board.app.app_context():
        make_post(anna)
    answer = board.mo.post(PAGE, LINE)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}#line-1")
    page = lxml_html.fromstring(board.mo.get(PAGE).text)
    row = page.xpath('//li[@id="line-1"]')[0]
    assert "free money" in row.text_content() and SENTENCE in row.text_content() and "by Mo" in row.text_content()
    assert send(board.bo, "FREE money!").headers["Location"] == "/held/1"
    assert "Word list, line 1" in board.mo.get("/moderation/held").text
    assert board.max.post(f"{PAGE}/1/retire").status_code == 303
    assert board.max.post(f"{PAGE}/1/retire").status_code == 303  # twice is once
    assert send(board.bo, "FREE money again!").headers["Location"].endswith("#comment-1")
    page = lxml_html.fromstring(board.mo.get(PAGE).text)
    row = page.xpath('//li[@id="line-1"]')[0]
    assert "taken out by Max" in row.text_content() and not row.xpath(".//button")
    assert board.mo.post(PAGE, LINE).headers["Location"] == f"{PAGE}#line-2"  # and may come again
    assert "Nothing is lost" not in page.text_content()
    assert board.mo.get("/held/1").status_code == 200  # what waits goes on waiting


@pytest.mark.parametrize("fields", [
    {"kind": ""}, {"kind": "poem"}, {"pattern": ""}, {"pattern": "x"}, {"pattern": "…!"}, {"pattern": "x" * 121}, {"told": "short"},
    {"told": "x" * 301}, {"rule": ""}, {"rule": "99"}, {"kind": "domain", "pattern": "localhost"}, {"kind": "email domain", "pattern": "a b.example"},
    {"kind": "domain", "pattern": "https://"},
])
def test_what_is_no_line_is_refused_with_what_was_typed(board: Board, fields: dict[str, str]) -> None:
    answer = board.mo.post(PAGE, {**LINE, **fields})
    assert answer.status_code == 422
    assert lxml_html.fromstring(answer.text).xpath('//*[@role="alert"]')
    if "told" not in fields:
        assert SENTENCE in answer.text
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Filter)).scalar_one() == 0


def test_the_same_line_twice_is_refused(board: Board) -> None:
    board.mo.post(PAGE, LINE)
    assert board.mo.post(PAGE, {**LINE, "pattern": "FREE MONEY"}).status_code == 409


@pytest.mark.one_database
@pytest.mark.parametrize(("typed", "kept"), [
    ("Spam.Example", "spam.example"), ("https://spam.example/buy?x", "spam.example"), ("@spam.example", "spam.example"), ("spam.example.", "spam.example"),
    ("xn--bcher-kva.example", "bücher.example"), ("BÜCHER.example", "bücher.example"),
])
def test_a_domain_is_kept_as_hosts_are_compared(board: Board, typed: str, kept: str) -> None:
    board.mo.post(PAGE, {**LINE, "kind": "domain", "pattern": typed})
    with board.app.app_context():
        assert db.session.execute(select(Filter.pattern)).scalar_one() == kept


def test_only_moderators_see_and_keep_the_lists(board: Board) -> None:
    line(board, "lottery")
    for who in (board.bo, board.anna):
        assert who.get(PAGE).status_code == 403
        assert who.post(PAGE, LINE).status_code == 403
        assert who.post(f"{PAGE}/1/retire").status_code == 403
    assert board.mo.post(f"{PAGE}/99/retire").status_code == 404


@pytest.mark.one_database
@pytest.mark.parametrize(("address", "is_refused"), [
    ("a@mail.example", True), ("a@deep.mail.example", True), ("a@notmail.example", False), ("a@mail.example.org", False), ("a@example", False), ("a", False),
])
def test_an_address_is_on_the_list_with_its_domain_or_one_above(board: Board, address: str, is_refused: bool) -> None:
    line(board, "mail.example", FilterKind.EMAIL_DOMAIN)
    line(board, "example.org", FilterKind.DOMAIN)  # another list
    with board.app.app_context(), counted(board.app) as statements:
        assert listing.refused_address(address) == (SENTENCE if is_refused else "")
    assert len(statements) == 1


def test_the_page_costs_the_same_with_many_lines(board: Board) -> None:
    line(board, "lottery")
    board.mo.get(PAGE)
    with counted(board.app) as statements:
        board.mo.get(PAGE)
    few = len(statements)
    assert few <= 6
    for number in range(60):
        made = line(board, f"word{number}")
        board.mo.post(f"{PAGE}/{made}/retire")
        line(board, f"other{number}")
    with counted(board.app) as statements:
        page = lxml_html.fromstring(board.mo.get(PAGE).text)
    assert len(statements) == few
    further = page.xpath('//a[@rel="next"]/@href')[0].partition("#")[0]
    rest = lxml_html.fromstring(board.mo.get(further).text)
    assert len(page.xpath('//li[starts-with(@id, "line-")]')) == 61 + 50
    assert len(rest.xpath('//li[starts-with(@id, "line-")]')) == 61 + 10
