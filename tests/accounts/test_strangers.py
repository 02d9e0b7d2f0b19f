"""Everything is for members unless it says otherwise; what a stranger typed waits behind sign-in."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from blog.db import db
from blog.drafts.models import Draft
from tests.accounts.postbox import PASSWORD, Postbox, having, join, name_in, sign_in
from tests.accounts.test_signing_in import make
from tests.conftest import Board, Visitor
from tests.factories import make_post

TEXT = "You *stayed* for dinner, and that was the mistake."


def slug(board: Board) -> str:
    with board.app.app_context():
        return make_post(board.anna.id).slug


def drafts(board: Board) -> int:
    with board.app.app_context():
        return db.session.execute(select(func.count()).select_from(Draft)).scalar_one()


def next_of(location: str) -> str:
    parts = urlsplit(location)
    assert parts.path == "/login" and not parts.netloc
    return parse_qs(parts.query)["next"][0]


@pytest.mark.parametrize("path", ["/settings/profile", "/settings/security", "/verify", "/posts/new", "/settings/profile?a=b&c=%26"])
def test_a_stranger_is_led_through_sign_in_to_the_page(board: Board, path: str) -> None:
    cy = board.cy
    answer = cy.get(path)
    assert answer.status_code == 303
    assert next_of(answer.headers["Location"]) == path
    assert "Set-Cookie" not in answer.headers
    assert next_of(cy.get(path, htmx=True).headers["HX-Redirect"]) == path
    make(board, "nina")
    page = cy.get(answer.headers["Location"])
    assert page.status_code == 200
    entered = cy.post("/login", {"username": "nina", "password": PASSWORD, "next": next_of(answer.headers["Location"])})
    assert entered.headers["Location"] == path


@pytest.mark.one_database
def test_what_does_not_exist_is_not_found_by_strangers_either(board: Board) -> None:
    assert board.cy.get("/nowhere").status_code == 404
    assert board.cy.post("/nowhere", {"body": TEXT}, token="").status_code == 404
    assert board.cy.client.delete("/settings/profile").status_code == 405
    assert drafts(board) == 0


@pytest.mark.parametrize("htmx", [False, True])
def test_a_strangers_comment_waits_behind_sign_in(board: Board, htmx: bool) -> None:
    make(board, "nina")
    at = f"/posts/{slug(board)}/comments"
    cy = board.cy
    answer = cy.post(at, {"body": TEXT}, token="", htmx=htmx)
    location = answer.headers["HX-Redirect" if htmx else "Location"]
    assert next_of(location) == at
    assert "9 words is safe" in cy.get(location).text
    wrong = cy.post("/login", {"username": "nina", "password": "wrong", "next": at})
    assert "9 words is safe" in wrong.text
    entered = cy.post("/login", {"username": "nina", "password": PASSWORD, "next": at})
    assert entered.headers["Location"] == at
    assert TEXT in cy.get(at).text
    posted = cy.post(at, {"body": TEXT})
    assert posted.status_code == 303 and "#comment-" in posted.headers["Location"]
    assert drafts(board) == 0


def test_a_strangers_reply_comes_back_to_the_comment_that_it_answers(board: Board) -> None:
    make(board, "nina")
    at = f"/posts/{slug(board)}/comments"
    board.anna.post(at, {"body": "What do you think?"})
    cy = board.cy
    answer = cy.post(at, {"body": TEXT, "parent_id": "1"}, token="")
    assert next_of(answer.headers["Location"]) == f"{at}?parent_id=1"
    sign_in(board, "nina", visitor=cy)
    assert TEXT in cy.get(f"{at}?parent_id=1").text


def test_a_strangers_text_waits_behind_joining_too(board: Board) -> None:
    at = f"/posts/{slug(board)}/comments"
    cy = board.cy
    cy.post(at, {"body": TEXT}, token="")
    assert "9 words is safe" in cy.get("/register").text
    answer = cy.post("/register", {"username": "nina", "email": "n@example.net", "password": PASSWORD})
    assert answer.headers["Location"] == at  # without `next`, to where the text is
    assert TEXT in cy.get(at).text


def test_confirming_leads_on_to_the_text(board: Board) -> None:
    at = f"/posts/{slug(board)}/comments"
    nina = join(board, "nina")
    assert nina.post(at, {"body": TEXT}).status_code == 403
    assert nina.post(Postbox(board.app).link("nina@example.net")).headers["Location"] == at


def test_a_visit_that_ended_while_somebody_wrote_loses_nothing(board: Board) -> None:
    make(board, "nina")
    at = f"/posts/{slug(board)}/comments"
    nina = sign_in(board, "nina")
    token = nina.token()
    elsewhere = sign_in(board, "nina")
    elsewhere.post("/settings/security", {"end": "others"})
    answer = nina.post(at, {"body": TEXT}, token=token)
    assert next_of(answer.headers["Location"]) == at
    sign_in(board, "nina", visitor=nina)
    assert TEXT in nina.get(at).text


def test_two_strangers_do_not_see_each_others_text(board: Board) -> None:
    make(board, "nina")
    at = f"/posts/{slug(board)}/comments"
    board.cy.post(at, {"body": TEXT}, token="")
    other = board.cy
    assert "is safe" not in other.get("/login").text
    sign_in(board, "nina", visitor=other)
    assert TEXT not in other.get(at).text


@pytest.mark.parametrize(("path", "leads_to"), [
    ("/comments/1/delete", "/comments/1"), ("/settings/security", "/settings/security"), ("/comments/1/edit", "/comments/1/edit"),
])
def test_a_strangers_button_leads_to_the_page_that_the_thing_is_on(board: Board, path: str, leads_to: str) -> None:
    answer = board.cy.post(path, {"password": PASSWORD, "current_password": PASSWORD}, token="")
    assert next_of(answer.headers["Location"]) == leads_to
    assert drafts(board) == 0


def test_passwords_are_never_kept(board: Board) -> None:
    board.cy.post("/settings/profile", {"about": TEXT, "password": PASSWORD, "current_password": PASSWORD}, token="")
    with board.app.app_context():
        assert db.session.execute(select(Draft.fields)).scalar_one() == {"about": TEXT}


def test_what_was_typed_into_a_profile_comes_back(board: Board) -> None:
    make(board, "nina")
    cy = board.cy
    cy.post("/settings/profile", {"about": TEXT, "theme": "dark"}, token="")
    entered = cy.post("/login", {"username": "nina", "password": PASSWORD})
    assert entered.headers["Location"] == "/settings/profile"
    assert TEXT in cy.get("/settings/profile").text
    cy.post("/settings/profile", {"about": TEXT})
    assert drafts(board) == 0


@pytest.mark.one_database
def test_what_another_site_sends_is_refused_and_not_kept(board: Board) -> None:
    answer = board.cy.post("/settings/profile", {"about": TEXT}, token="", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 400
    assert drafts(board) == 0


@pytest.mark.one_database
def test_junk_from_a_stranger_is_refused_with_the_text_cleaned(board: Board) -> None:
    answer = board.cy.client.post("/settings/profile", data=b"about=one%00two", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert drafts(board) == 0


def test_an_address_longer_than_any_of_ours_keeps_nothing_and_breaks_nothing(board: Board) -> None:
    answer = board.cy.post(f"/posts/{'a' * 900}/comments", {"body": TEXT}, token="")
    assert answer.status_code == 303
    assert drafts(board) == 0


def test_only_so_many_texts_wait_from_one_place(board: Board) -> None:
    with having(board.app, ratelimit_enabled=True):
        answers = [board.cy.post("/settings/profile", {"about": TEXT}, token="") for _ in range(42)]
    assert [answer.status_code for answer in answers] == [303] * 40 + [429] * 2
    assert TEXT in answers[-1].text and "Retry-After" in answers[-1].headers
    assert drafts(board) == 40


def test_every_view_for_members_leads_strangers_to_sign_in(board: Board) -> None:
    """Drawn from the map itself, so that a view that forgets nothing needs no line here."""
    with board.app.app_context():
        views = board.app.view_functions
        rules = [rule for rule in board.app.url_map.iter_rules()
                 if "GET" in (rule.methods or ()) and not getattr(views[rule.endpoint], "open_to_all", False)]
    assert rules
    for rule in rules:
        path = rule.build(dict.fromkeys(rule.arguments, "1"))
        assert path is not None
        answer = board.cy.get(path[1])
        assert answer.status_code == 303 and answer.headers["Location"].startswith("/login?next="), rule


def test_a_strangers_pages_of_members_set_no_cookie(board: Board) -> None:
    cy: Visitor = board.cy
    for path in ("/settings/profile", "/dev/mail", "/logout"):
        assert "Set-Cookie" not in cy.get(path).headers
    assert name_in(cy) == ""
