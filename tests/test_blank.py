"""What is made of invisible characters alone is no text, at whatever door it comes in."""

import pytest
from sqlalchemy import func, select

from blog.acts.models import Act
from blog.comments import writing as comments
from blog.comments.models import Comment
from blog.db import db
from blog.posts.models import Post
from tests.conftest import Board
from tests.factories import make_post

# Twelve of each: as long as a reason has to be.
TYPED = ["\u200b" * 12, "\u202e\u2066\u200f\u2069" * 3, "\u0378" * 12, "\u3164\u2800" * 6, "\ufe0f\u0301" * 6]
# What becomes invisible when it is rendered.
RENDERED = ["&nbsp;" * 12, "&#8203;&zwnj;&lrm;", "# &nbsp;", "> &#x200b;", "**&shy;**"]


@pytest.mark.parametrize("text", TYPED + RENDERED, ids=ascii)
def test_it_is_no_comment_and_no_post(board: Board, text: str) -> None:
    anna = board.anna
    with board.app.app_context():
        post = make_post(anna.id)
    token = anna.token()
    for path, fields in ((f"/posts/{post.slug}/comments", {"body": text}), ("/posts/new", {"title": "A title", "body": text})):
        answer = anna.post(path, fields, token=token)
        assert answer.status_code == 422, path
        assert "empty" in answer.text or "Nothing of this text would be seen" in answer.text
    with board.app.app_context():
        assert [db.session.execute(select(func.count()).select_from(table)).scalar_one() for table in (Post, Comment)] == [1, 0]


@pytest.mark.parametrize("text", TYPED, ids=ascii)
def test_it_is_no_title_and_no_reason(board: Board, text: str) -> None:
    anna, mo = board.anna, board.mo
    with board.app.app_context():
        post = make_post(anna.id)
    assert anna.post("/posts/new", {"title": text, "body": "Words."}).status_code == 422
    answer = mo.post(f"/posts/{post.slug}/hide", {"rule": "2", "reason": text})
    assert answer.status_code == 422 and "this has 0" in answer.text
    with board.app.app_context():
        assert [db.session.execute(select(func.count()).select_from(table)).scalar_one() for table in (Post, Act)] == [1, 0]


@pytest.mark.one_database
def test_a_picture_or_a_line_alone_is_seen(board: Board, inside: None) -> None:
    assert board.anna.post("/posts/new", {"title": "A picture", "body": "![](/static/img/icon.svg)\n\n---"}).status_code == 303
    assert comments.words("---").html.startswith("<hr")
