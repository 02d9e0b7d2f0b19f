"""A post changes its name while somebody writes: what they typed is found from the old address and from the new one."""

from urllib.parse import quote

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select

from blog.accounts.models import Member
from blog.db import db, writing
from blog.drafts.models import Draft
from blog.posts import revising
from blog.posts.models import PostState
from tests.accounts.postbox import PASSWORD, Postbox, join, sign_in
from tests.accounts.test_signing_in import make
from tests.conftest import Board, counted
from tests.factories import make_post

OLD, NEW = "/posts/the-kitchen-table", "/posts/the-dinner-table"
TEXT = "Half a thought."
SCRIPT = {"Accept": "*/*"}


@pytest.fixture
def post_id(app: Flask, board: Board) -> int:
    anna = board.anna
    with app.app_context():
        return make_post(anna.id, "The kitchen table").id


def rename(board: Board, post_id: int, title: str = "The dinner table") -> None:
    with board.app.app_context(), writing():
        revising.edit(post_id, board.anna.viewer, title=title, source="Words.", version=1)


def kept(board: Board) -> list[str]:
    with board.app.app_context():
        return list(db.session.execute(select(Draft.target)).scalars())


def form_of(page: str) -> str:
    """What the script keeps the page's form under."""
    return str(lxml_html.fromstring(page).xpath("//form[@data-draft]/@data-draft")[0])


@pytest.mark.parametrize("sent_from", [OLD, NEW, "/posts/1"])
@pytest.mark.parametrize("reply", [False, True])
def test_what_was_typed_before_a_rename_is_found_after_it_and_gone_once_sent(board: Board, post_id: int, sent_from: str, reply: bool) -> None:
    board.anna.post(f"{OLD}/comments", {"body": "What do you think?"})
    question = "?parent_id=1" if reply else ""
    board.bo.post("/drafts", {"target": f"{OLD}/comments{question}", "body": TEXT}, headers=SCRIPT)
    rename(board, post_id)
    pages = [f"{OLD}/comments{question}", f"{NEW}/comments{question}", f"/posts/1/comments{question}", "/comments/1/reply" if reply else NEW]
    for page in pages:
        assert TEXT in board.bo.get(page).text, page
        assert TEXT not in board.anna.get(page).text, page
    sent = board.bo.post(f"{sent_from}/comments", {"body": TEXT, **({"parent_id": "1"} if reply else {})})
    assert sent.status_code == 303 and sent.headers["Location"].startswith(NEW)
    assert kept(board) == []


@pytest.mark.parametrize("address", [OLD, NEW, "/posts/1"])
def test_a_page_opened_before_the_rename_goes_on_keeping_the_same_draft(board: Board, post_id: int, address: str) -> None:
    board.bo.post("/drafts", {"target": f"{OLD}/comments", "body": "Half"}, headers=SCRIPT)
    rename(board, post_id)
    board.bo.post("/drafts", {"target": f"{address}/comments", "body": TEXT}, headers=SCRIPT)
    assert kept(board) == ["/posts/1/comments"]
    assert TEXT in board.bo.get(f"{NEW}/comments").text
    board.bo.post("/drafts", {"target": f"{address}/comments", "body": ""}, headers=SCRIPT)
    assert kept(board) == []


def test_a_refused_comment_is_found_after_a_rename_and_a_hide(board: Board, post_id: int) -> None:
    too_long = "x" * 20_001
    board.bo.post(f"{OLD}/comments", {"body": too_long})
    rename(board, post_id)
    assert too_long in board.bo.get(NEW).text
    fields = {"rule": "2", "reason": "Names a client who did not agree."}
    board.mo.post(f"{NEW}/hide", fields)
    board.bo.post("/drafts", {"target": "/posts/1/comments", "body": TEXT}, headers=SCRIPT)  # while it goes by its number
    board.mo.post("/posts/1/unhide", {"reason": "The client did agree after all."})
    assert TEXT in board.bo.get(NEW).text


def test_a_comment_taken_back_right_away_waits_under_the_new_name_too(board: Board, post_id: int) -> None:
    board.bo.post(f"{OLD}/comments", {"body": "sent too soon"})
    rename(board, post_id)
    board.bo.post("/comments/1/delete")
    assert "sent too soon" in board.bo.get(NEW).text


@pytest.mark.parametrize("state", list(PostState))
def test_the_editor_of_a_renamed_post_holds_what_another_window_keeps(app: Flask, board: Board, state: PostState) -> None:
    """A draft's old address leads nowhere, so the page itself must name the post by number."""
    anna = board.anna
    with app.app_context():
        post = make_post(anna.id, "Küche und Kind", state=state)
    target = form_of(anna.get(f"/posts/{quote(post.slug)}/edit").text)
    rename(board, post.id)
    assert anna.post("/drafts", {"target": target, "body": TEXT, "title": "Half a title"}, headers=SCRIPT).status_code == 200
    page = anna.get(f"{NEW}/edit").text
    assert TEXT in page and "Half a title" in page
    anna.post(f"{NEW}/edit", {"title": "The dinner table", "body": "Done.", "action": "draft" if state is PostState.DRAFT else "publish"})
    assert kept(board) == []


@pytest.mark.parametrize("quoted", [False, True])
def test_a_slug_of_any_script_is_understood_as_the_browser_sends_it(app: Flask, board: Board, quoted: bool) -> None:
    with app.app_context():
        slug = make_post(board.anna.id, "Küche und Kind").slug
    name = quote(slug) if quoted else slug
    board.anna.post("/drafts", {"target": f"/posts/{name}/edit", "body": TEXT, "title": "Half a title"}, headers=SCRIPT)
    assert TEXT in board.anna.get(f"/posts/{quote(slug)}/edit").text


@pytest.mark.parametrize("next", [True, False])
def test_a_stranger_comes_back_to_their_text_though_the_post_was_renamed(board: Board, post_id: int, next: bool) -> None:
    make(board, "nina")
    cy = board.cy
    location = cy.post(f"{OLD}/comments", {"body": TEXT}, token="").headers["Location"]
    assert location.endswith(quote(f"{OLD}/comments", safe=""))
    rename(board, post_id)
    fields = {"username": "nina", "password": PASSWORD, **({"next": f"{OLD}/comments"} if next else {})}
    entered = cy.post("/login", fields).headers["Location"]
    assert entered == f"{OLD if next else NEW}/comments"
    assert TEXT in cy.get(entered).text
    assert cy.post(f"{OLD}/comments", {"body": TEXT}).headers["Location"].startswith(NEW)
    assert kept(board) == []


def test_confirming_an_address_leads_to_the_form_under_its_new_name(board: Board, post_id: int) -> None:
    nina = join(board, "nina")
    assert nina.post(f"{OLD}/comments", {"body": TEXT}).status_code == 403
    rename(board, post_id)
    assert nina.post(Postbox(board.app).link("nina@example.net")).headers["Location"] == f"{NEW}/comments"


def test_an_author_whose_visit_ended_comes_back_to_their_draft(app: Flask, board: Board) -> None:
    make(board, "nina")
    nina = sign_in(board, "nina")
    with app.app_context():
        author = db.session.execute(select(Member.id).where(Member.username == "nina")).scalar_one()
        draft = make_post(author, "Not yet", state=PostState.DRAFT)
    nina.client.delete_cookie("parley")
    nina.post(f"/posts/{draft.slug}/edit", {"title": "Not yet", "body": TEXT}, token="")
    entered = nina.post("/login", {"username": "nina", "password": PASSWORD}).headers["Location"]
    assert entered == f"/posts/{draft.slug}/edit"
    assert TEXT in nina.get(entered).text


def test_nobody_learns_from_where_they_are_led_that_a_draft_has_that_name(app: Flask, board: Board) -> None:
    with app.app_context():
        draft = make_post(board.anna.id, "Not yet", state=PostState.DRAFT)
    led = []
    for number, slug in enumerate((draft.slug, "never-written", str(draft.id), "999")):
        cy = board.cy
        first = cy.post(f"/posts/{slug}/comments", {"body": TEXT}, token="")
        assert first.headers["Location"].endswith(quote(f"/posts/{slug}/comments", safe=""))
        entered = cy.post("/register", {"username": f"nina{number}", "email": f"n{number}@example.net", "password": PASSWORD})
        led.append(entered.headers["Location"])
        answer = cy.post("/drafts", {"target": f"/posts/{slug}/comments", "body": TEXT}, headers=SCRIPT)
        assert answer.status_code == 200 and answer.text.startswith("Draft kept, ")
    assert led == ["/verify"] * 4


def test_an_address_with_a_slug_costs_one_statement_more_than_one_with_a_number(board: Board, post_id: int) -> None:
    bo = board.bo
    token = bo.token()
    costs = []
    for name in ("1", "the-kitchen-table"):
        with counted(board.app) as statements:
            bo.post("/drafts", {"target": f"/posts/{name}/comments", "body": TEXT}, headers=SCRIPT, token=token)
        costs.append(len(statements))
    assert costs[1] == costs[0] + 1
