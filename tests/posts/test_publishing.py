"""Writing a post and taking it down: once only, its slug its own for ever, its topics made as they are named."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from blog.accounts.models import Role
from blog.clock import now, stopped_at
from blog.db import db, writing
from blog.errors import Invalid, NotAllowed, NotFound
from blog.moderation import hiding
from blog.permissions import RESTORE_DAYS
from blog.posts import composing, publishing, revising
from blog.posts.models import Post, PostRevision, PostSlug, PostState, PostTopic
from blog.topics.models import Topic
from blog.viewer import STRANGER, Viewer
from tests.conftest import Board, Visitor
from tests.factories import make_post

SUBMISSION = "a-form-of-sixteen-characters"


def publish(app: Flask, by: Visitor | Viewer, title: str = "The kitchen table", source: str = "A line stated in advance.", **facts: Any) -> Post:
    viewer = by.viewer if isinstance(by, Visitor) else by
    with app.app_context():
        with writing():
            post = publishing.publish_new(viewer, title=title, source=source, **facts)
        db.session.refresh(post)
        db.session.expunge(post)
        return post


def count(app: Flask, model: Any) -> int:
    with app.app_context():
        return int(db.session.execute(select(func.count()).select_from(model)).scalar_one())


def test_a_post_is_stored_rendered_with_its_first_revision(app: Flask, board: Board) -> None:
    post = publish(app, board.anna, "  The kitchen   table ", "Hello *you*.\n\n## One\n\n### Two\n\n")
    assert (post.title, post.slug, post.state, post.revision, post.words) == ("The kitchen table", "the-kitchen-table", "published", 1, 4)
    assert "<em>you</em>" in post.html
    assert [heading[0] for heading in post.headings] == [2, 3]
    assert post.teaser == "Hello you."
    assert post.published_at == post.active_at == post.created_at
    with app.app_context():
        revision = revising.newest(post.id)
    assert (revision.number, revision.title, revision.source) == (1, "The kitchen table", "Hello *you*.\n\n## One\n\n### Two")


def test_the_same_form_twice_is_one_post(app: Flask, board: Board) -> None:
    first = publish(app, board.anna, submission_id=SUBMISSION)
    again = publish(app, board.anna, "Another title", submission_id=SUBMISSION)
    assert (again.id, again.title) == (first.id, "The kitchen table")
    other = publish(app, board.bo, submission_id=SUBMISSION)
    assert other.id != first.id
    assert count(app, Post) == 2


def test_the_same_form_from_several_processes_is_one_post_and_one_slug(app: Flask, board: Board) -> None:
    anna = board.anna
    made: list[int] = []

    def send() -> None:
        made.append(publish(app, anna, submission_id=SUBMISSION).id)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1
    assert count(app, Post) == count(app, PostSlug) == count(app, PostRevision) == 1


def test_two_posts_of_one_title_at_once_get_two_slugs(app: Flask, board: Board) -> None:
    anna = board.anna
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(publish(app, anna, topics=["A new topic"]).slug)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == ["the-kitchen-table", "the-kitchen-table-2", "the-kitchen-table-3", "the-kitchen-table-4"]
    assert count(app, Topic) == 1


def test_a_common_title_still_finds_a_slug(app: Flask, board: Board) -> None:
    post = publish(app, board.anna)
    with app.app_context(), writing():
        db.session.add_all(PostSlug(slug=f"the-kitchen-table-{number}", post_id=post.id) for number in range(2, 40))
    assert publish(app, board.anna).slug == "the-kitchen-table-40"


@pytest.mark.parametrize("title", ["new", "New!", "2024", "🙂🙂", "…?"])
def test_no_slug_is_an_address_that_means_something_else(app: Flask, board: Board, title: str) -> None:
    slug = publish(app, board.anna, title).slug
    assert slug and slug != "new" and not slug.isdigit()


@pytest.mark.parametrize(("title", "source", "field"), [
    ("", "words", "title"), (" \t ", "words", "title"), ("\u200b\u2060", "words", "title"), ("x" * 301, "words", "title"),
    ("A title", "", "body"), ("A title", " \n\n ", "body"), ("A title", "x" * 100_001, "body"), ("A title", "[a]: http://example.org", "body"),
    ("A title", ">" * 60 + " deep", "body"),
])
def test_what_no_post_can_hold_is_invalid_and_names_its_field(app: Flask, board: Board, title: str, source: str, field: str) -> None:
    anna = board.anna
    with pytest.raises(Invalid) as refused:
        publish(app, anna, title, source)
    assert refused.value.field == field
    assert refused.value.sentence.strip()
    assert count(app, Post) == 0


def test_the_longest_title_and_text_fit(app: Flask, board: Board) -> None:
    post = publish(app, board.anna, "é" * 300, ("word " * 20_000)[:99_999] + "x")
    assert len(post.title) == 300
    assert len(post.slug) <= 80


def test_topics_are_made_once_and_matched_whatever_their_case(app: Flask, board: Board) -> None:
    publish(app, board.anna, topics=["Money and time", "Tutoring"])
    second = publish(app, board.bo, "Another", topics=["tutoring", "MONEY, and Time".replace(",", "")])
    with app.app_context():
        names = db.session.execute(
            select(Topic.name).join(PostTopic, PostTopic.topic_id == Topic.id).where(PostTopic.post_id == second.id).order_by(PostTopic.place)
        ).scalars().all()
    assert names == ["Tutoring", "Money and time"]
    assert count(app, Topic) == 2


@pytest.mark.parametrize("names", [["a"], ["x" * 41], ["!?"], ["one", "two", "three", "four"], ["one, two, three, four"]])
def test_topics_that_are_none_are_refused_and_nothing_is_written(app: Flask, board: Board, names: list[str]) -> None:
    anna = board.anna
    with pytest.raises(Invalid) as refused:
        publish(app, anna, topics=names)
    assert refused.value.field == "topics"
    assert count(app, Post) == count(app, Topic) == 0


def test_who_may_not_publish_gets_the_sentence(app: Flask, board: Board) -> None:
    unverified = board.member("uma", verified=False)
    for who, word in ((STRANGER, "Sign in"), (unverified.viewer, "Confirm your e-mail")):
        with pytest.raises(NotAllowed, match=word):
            publish(app, who)
    assert count(app, Post) == 0


def test_a_board_narrowed_to_authors_refuses_members_and_lets_authors(app: Flask, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    bo, author = board.bo, board.member("aya", Role.AUTHOR)
    object.__setattr__(app.config["PARLEY"], "publishing", "authors")
    try:
        with pytest.raises(NotAllowed, match="authors publish"):
            publish(app, bo)
        assert publish(app, author).id
    finally:
        object.__setattr__(app.config["PARLEY"], "publishing", "members")


def test_a_draft_is_published_once_and_its_topics_with_it(app: Flask, board: Board) -> None:
    anna = board.anna
    draft = publish(app, anna, topics=["Tutoring"], state=PostState.DRAFT)
    assert draft.published_at is None
    with app.app_context():
        with writing():
            publishing.publish(draft.id, anna.viewer)
        first = db.session.get_one(Post, draft.id)
        stamp, version = first.published_at, first.version
        assert stamp is not None
        assert version > draft.version
        assert db.session.execute(select(PostTopic.published_at)).scalar_one() == stamp
        with writing():
            publishing.publish(draft.id, anna.viewer)
        assert db.session.get_one(Post, draft.id).published_at == stamp


def test_a_draft_does_not_exist_for_others(app: Flask, board: Board) -> None:
    draft = publish(app, board.anna, state=PostState.DRAFT)
    for who in (board.bo, board.mo, board.ad):
        for deed in (publishing.publish, publishing.delete):
            with app.app_context(), pytest.raises(NotFound), writing():
                deed(draft.id, who.viewer)


def test_deleting_empties_the_page_keeps_the_revisions_and_is_the_authors_alone(app: Flask, board: Board) -> None:
    post = publish(app, board.anna, source="A secret.\n\n## Heading")
    for who in (board.bo, board.mo, board.ad):
        with app.app_context(), pytest.raises(NotAllowed), writing():
            publishing.delete(post.id, who.viewer)
    with app.app_context():
        for _ in range(2):
            with writing():
                publishing.delete(post.id, board.anna.viewer)
        gone = db.session.get_one(Post, post.id)
        assert (gone.html, gone.teaser, gone.headings, gone.words) == ("", "", [], 0)
        assert gone.version == post.version + 1
        assert gone.deleted_at is not None
    assert count(app, PostRevision) == 1


def test_the_factory_goes_back_in_time(app: Flask, board: Board) -> None:
    anna = board.anna
    with app.app_context():
        old, new = make_post(anna.id, published_days_ago=3), make_post(anna.id)
    assert old.published_at is not None and new.published_at is not None
    assert 2.9 < (new.published_at - old.published_at).total_seconds() / 86_400 < 3.1


@pytest.mark.one_database
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=400))
def test_every_title_is_refused_or_gets_a_slug_that_an_address_can_hold(app: Flask, typed: str) -> None:
    try:
        line = composing.title(typed)
    except Invalid:
        return
    assert 1 <= len(line) <= 300
    with app.app_context():
        slug = publishing.free_slug(line)
    assert slug and "/" not in slug and not slug.isdigit() and slug != "new" and len(slug) <= 100


def test_restoring_brings_back_words_place_and_address(app: Flask, board: Board) -> None:
    anna = board.anna
    post = publish(app, anna, source="A secret.\n\n## Heading", topics=["Tutoring"])
    with app.app_context():
        before = db.session.get_one(Post, post.id)
        kept = {name: getattr(before, name) for name in ("slug", "title", "html", "headings", "teaser", "words", "published_at", "active_at", "state")}
        with writing():
            publishing.delete(post.id, anna.viewer)
        for who in (board.bo, board.mo, board.ad):
            with pytest.raises(NotAllowed), writing():
                publishing.restore(post.id, who.viewer)
        for _ in range(2):
            with writing():
                publishing.restore(post.id, anna.viewer)
        back = db.session.get_one(Post, post.id)
        assert {name: getattr(back, name) for name in kept} == kept
        assert back.deleted_at is None and back.version == post.version + 2


def test_a_post_that_is_deleted_and_hidden_is_restored_as_hidden(app: Flask, board: Board) -> None:
    anna, mo = board.anna, board.mo
    post = publish(app, anna)
    with app.app_context():
        with writing():
            hiding.hide_post(post.id, mo.viewer, rule_id=1, reason="For the sake of this test.")
            publishing.delete(post.id, anna.viewer)
        with writing():
            publishing.restore(post.id, anna.viewer)
        back = db.session.get_one(Post, post.id)
        assert back.deleted_at is None and back.hidden_by is not None


def test_after_thirty_days_the_words_are_emptied_and_nobody_restores_them(app: Flask, board: Board) -> None:
    anna = board.anna
    ids = [publish(app, anna, title=title).id for title in ("Long gone", "Just gone", "Standing")]
    days = RESTORE_DAYS
    with app.app_context():
        for post_id, ago in zip(ids, (days + 1, days - 1), strict=False):
            with stopped_at(now() - timedelta(days=ago)), writing():
                publishing.delete(post_id, anna.viewer)
        with writing():
            assert publishing.empty_deleted() == 1
        with writing():
            assert publishing.empty_deleted() == 0
        found = {row.post_id: (row.title, bool(row.source)) for row in db.session.execute(select(PostRevision)).scalars()}
        assert found == {ids[0]: ("", False), ids[1]: ("Just gone", True), ids[2]: ("Standing", True)}
        assert db.session.get_one(Post, ids[0]).title == ""
        with pytest.raises(NotAllowed), writing():
            publishing.restore(ids[0], anna.viewer)
        with writing():
            assert publishing.restore(ids[1], anna.viewer).html
