"""Changing a post: every version kept, a stale save refused with both texts, old addresses good for ever."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from blog.db import db, writing
from blog.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from blog.posts import listing, publishing, revising
from blog.posts.models import Post, PostRevision, PostSlug, PostState
from tests.conftest import Board, Visitor
from tests.factories import make_post


@pytest.fixture
def post_id(app: Flask, board: Board) -> int:
    anna = board.anna
    with app.app_context():
        return make_post(anna.id, source="First words.").id


def edit(app: Flask, post_id: int, by: Visitor, title: str = "The kitchen table", source: str = "First words.", **facts: Any) -> Post:
    with app.app_context():
        with writing():
            post = revising.edit(post_id, by.viewer, title=title, source=source, **facts).post
        db.session.refresh(post)
        db.session.expunge(post)
        return post


def slugs(app: Flask) -> dict[str, int]:
    with app.app_context():
        return {row.slug: row.post_id for row in db.session.execute(select(PostSlug.slug, PostSlug.post_id))}


def test_each_change_is_a_revision_and_raises_both_versions(app: Flask, board: Board, post_id: int) -> None:
    before = edit(app, post_id, board.anna)
    after = edit(app, post_id, board.anna, "The other table", "Second words.", version=1)
    assert (before.revision, after.revision) == (1, 2)
    assert after.version == before.version + 1
    assert after.edited_at is not None
    assert "Second words" in after.html
    with app.app_context():
        kept = db.session.execute(select(PostRevision.revision, PostRevision.title, PostRevision.source).order_by(PostRevision.revision)).all()
    assert [tuple(row) for row in kept] == [(1, "The kitchen table", "First words."), (2, "The other table", "Second words.")]


def test_saving_what_stands_there_makes_no_revision(app: Flask, board: Board, post_id: int) -> None:
    after = edit(app, post_id, board.anna, " The kitchen table ", "\nFirst words.\n\n", version=99)
    assert (after.revision, after.version, after.edited_at) == (1, 0, None)


def test_a_stale_save_is_refused_with_both_texts_and_saves_nothing(app: Flask, board: Board, post_id: int) -> None:
    edit(app, post_id, board.anna, source="Second words.", version=1)
    with pytest.raises(Conflict) as refused:
        edit(app, post_id, board.anna, source="Third words.", version=1, topics=["New topic"])
    assert ("Third words." in refused.value.mine, "Second words." in refused.value.theirs, refused.value.version) == (True, True, 2)
    with app.app_context():
        post = db.session.get_one(Post, post_id)
        assert (post.revision, "Second words" in post.html) == (2, True)


def test_a_new_title_is_a_new_address_and_the_old_one_is_never_given_away(app: Flask, board: Board, post_id: int) -> None:
    assert edit(app, post_id, board.anna, "A new name").slug == "a-new-name"
    with app.app_context():
        assert make_post(board.bo.id, "The kitchen table").slug == "the-kitchen-table-2"
    assert slugs(app)["the-kitchen-table"] == post_id
    # The post itself may go back to it.
    assert edit(app, post_id, board.anna, "The kitchen table").slug == "the-kitchen-table"
    assert slugs(app)["a-new-name"] == post_id


def test_a_title_that_reads_the_same_in_an_address_keeps_it(app: Flask, board: Board, post_id: int) -> None:
    with app.app_context():
        make_post(board.anna.id, "The kitchen table")
    assert edit(app, post_id, board.anna, "The Kitchen Table!").slug == "the-kitchen-table"


def test_a_draft_leaves_no_addresses_behind(app: Flask, board: Board) -> None:
    with app.app_context():
        draft = make_post(board.anna.id, "First name", state=PostState.DRAFT)
    after = edit(app, draft.id, board.anna, "Second name", "Words.")
    assert (after.slug, after.edited_at) == ("second-name", None)
    assert slugs(app) == {"second-name": draft.id}


def test_topics_change_alone_and_stay_where_they_are_not_named(app: Flask, board: Board, post_id: int) -> None:
    before = edit(app, post_id, board.anna)
    after = edit(app, post_id, board.anna, topics=["Tutoring"])
    assert (after.revision, after.version) == (1, before.version + 1)
    again = edit(app, post_id, board.anna, topics=["Tutoring"])
    assert again.version == after.version
    edit(app, post_id, board.anna, source="Other words.")
    with app.app_context():
        assert revising.newest(post_id).source == "Other words."
        assert [topic.name for topic in listing.topics_of([post_id])[post_id]] == ["Tutoring"]


def test_topics_that_two_forms_changed_are_shown_and_not_written_over(app: Flask, board: Board, post_id: int) -> None:
    anna = board.anna
    edit(app, post_id, anna, topics=["Tutoring"], topics_were=["Coaching"])
    with pytest.raises(Conflict) as refused:
        edit(app, post_id, anna, topics=["Money"], topics_were=["Coaching"])
    assert "Topics: Tutoring" in refused.value.theirs
    edit(app, post_id, anna, source="Other words.", topics=["coaching"], topics_were=["Coaching"], version=1)  # left alone: what stands stays
    with app.app_context():
        assert revising.topic_names(post_id) == ["Tutoring"]
    with pytest.raises(Conflict):
        edit(app, post_id, anna, source="Other words.", topics=["Money"], version=1)  # the words are what stands, the topics are not
    edit(app, post_id, anna, source="Other words.", topics=["Money"], topics_were=["Tutoring"], version=2)
    with app.app_context():
        assert revising.topic_names(post_id) == ["Money"]


def test_only_the_author_changes_a_post(app: Flask, board: Board, post_id: int) -> None:
    for who in (board.bo, board.mo, board.ad):
        with pytest.raises(NotAllowed):
            edit(app, post_id, who, source="Mine now.")


def test_a_deleted_post_is_not_changed_any_more(app: Flask, board: Board, post_id: int) -> None:
    with app.app_context(), writing():
        publishing.delete(post_id, board.anna.viewer)
    with pytest.raises(Gone):
        edit(app, post_id, board.anna, source="Back again.")


def test_a_published_post_is_no_draft_again(app: Flask, board: Board, post_id: int) -> None:
    with pytest.raises(Invalid):
        edit(app, post_id, board.anna, source="Hidden away.", as_draft=True)
    with app.app_context():
        assert revising.newest(post_id).source == "First words."


def test_history_comes_in_pages_newest_first(app: Flask, board: Board, post_id: int) -> None:
    for number in range(2, 24):
        edit(app, post_id, board.anna, source=f"Version {number}.")
    with app.app_context():
        post = db.session.get_one(Post, post_id)
        seen: list[int] = []
        before: int | None = None
        while True:
            page, more = revising.history(post, post_id, board.cy.viewer, before)
            seen += [revision.number for revision in page]
            if not more:
                break
            before = int(more)
    assert seen == list(range(23, 0, -1))


def test_a_drafts_history_is_its_authors(app: Flask, board: Board) -> None:
    with app.app_context():
        draft = make_post(board.anna.id, state=PostState.DRAFT)
        assert revising.history(draft, draft.id, board.anna.viewer)[0]
        with pytest.raises(NotFound):
            revising.history(draft, draft.id, board.mo.viewer)
