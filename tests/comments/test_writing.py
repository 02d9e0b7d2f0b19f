"""The writer's deeds: add, reply, edit, delete, restore; once only, never lost, counters always equal to the rows."""

import random
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from blog.clock import now, stopped_at
from blog.comments import checking, writing
from blog.comments.models import Comment, CommentRevision
from blog.db import db
from blog.db import writing as transaction
from blog.errors import Conflict, Invalid, NotAllowed, NotFound
from blog.moderation import hiding
from blog.posts.models import Post
from tests.comments.trees import Model, grow, random_parents
from tests.conftest import Board, counted
from tests.factories import make_member, make_post


@pytest.fixture
def post_id(app: Flask, board: Board) -> int:
    anna = board.anna
    with app.app_context():
        found = make_post(anna.id, title="The kitchen table").id
        db.session.commit()
    return found


def add(app: Flask, post_id: int, by: object, body: str, parent_id: int | None = None, submission_id: str | None = None) -> int:
    viewer = by.viewer  # type: ignore[attr-defined]
    with app.app_context():
        text = writing.words(body)
        with transaction():
            return writing.add(post_id, viewer, text, parent_id=parent_id, submission_id=submission_id)


def row(app: Flask, comment_id: int) -> Comment:
    with app.app_context():
        found = db.session.get(Comment, comment_id)
        assert found is not None
        db.session.expunge(found)
        return found


def test_a_reply_takes_its_place_in_the_thread(app: Flask, board: Board, post_id: int) -> None:
    first = add(app, post_id, board.bo, "first")
    second = add(app, post_id, board.anna, "second", parent_id=first)
    third = add(app, post_id, board.bo, "third", parent_id=second)
    assert (row(app, third).depth, row(app, third).root_id, row(app, third).seq) == (3, first, 3)
    assert (row(app, first).reply_count, row(app, first).active_seq) == (1, 3)
    assert (row(app, second).reply_count, row(app, second).active_seq) == (1, 2)
    with app.app_context():
        post = db.session.get(Post, post_id)
        assert post is not None
        assert (post.last_seq, post.comment_count) == (3, 3)


def test_the_same_form_twice_is_one_comment(app: Flask, board: Board, post_id: int) -> None:
    first = add(app, post_id, board.bo, "pressed twice", submission_id="a-submission-id-123")
    again = add(app, post_id, board.bo, "pressed twice", submission_id="a-submission-id-123")
    assert first == again
    with app.app_context():
        assert db.session.get(Post, post_id).last_seq == 1  # type: ignore[union-attr]


def test_two_presses_at_once_are_one_comment(app: Flask, board: Board, post_id: int) -> None:
    bo = board.bo
    made: list[int] = []
    at_once(8, lambda: made.append(add(app, post_id, bo, "pressed", submission_id="a-submission-id-456")))
    assert len(made) == 8
    assert len(set(made)) == 1


def at_once(count: int, work: object) -> None:
    """Run the same work in many threads that start together; errors are raised here."""
    gate = threading.Barrier(count)
    errors: list[BaseException] = []

    def run() -> None:
        gate.wait()
        try:
            work()  # type: ignore[operator]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


WRITER = """
import sys
from blog import config
from blog.comments import writing
from blog.db import writing as transaction
from blog.factory import create_app
from blog.viewer import Viewer

instance, database_url, member, key = sys.argv[1:]
app = create_app(config.load({}, instance=instance, database_url=database_url, env="development", log_level="error"))
with app.app_context():
    text = writing.words("sent again after a crash")
    for number in range(10):
        with transaction():
            print(writing.add(1, Viewer(id=int(member), verified=True), text, submission_id=f"{key}-{number}"))
"""


def test_the_same_forms_from_several_processes_are_the_same_comments(app: Flask, board: Board, post_id: int) -> None:
    chosen = app.config["PARLEY"]
    arguments = [chosen.instance, chosen.database_url, str(board.bo.id), "a-submission-id"]
    processes = [subprocess.Popen([sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert len(set(outputs)) == 1
    with app.app_context():
        assert db.session.get_one(Post, post_id).last_seq == 10
        assert list(checking.differences()) == []


def test_writers_at_once_lose_nothing(app: Flask, board: Board, post_id: int) -> None:
    bo = board.bo
    parent = add(app, post_id, bo, "the one that all answer")
    at_once(64, lambda: add(app, post_id, bo, "an answer", parent_id=parent))
    with app.app_context():
        seqs = db.session.execute(select(Comment.seq).where(Comment.post_id == post_id).order_by(Comment.id)).scalars().all()
        assert list(seqs) == list(range(1, 66))  # dense, and rising with the id
    assert row(app, parent).reply_count == 64
    assert row(app, parent).active_seq == 65


# Sixteen writers in each of four processes: at the word "go" each of them answers the same comment once.
WRITERS = """
import sys
import threading
from blog import config
from blog.comments import writing
from blog.db import writing as transaction
from blog.factory import create_app
from blog.viewer import Viewer

instance, database_url, post_id, parent, *members = sys.argv[1:]
app = create_app(config.load({}, instance=instance, database_url=database_url, env="development", log_level="error"))

def answer(member):
    with app.app_context():
        text = writing.words(f"the answer of writer {member}")
        with transaction():
            writing.add(int(post_id), Viewer(id=int(member), verified=True), text, parent_id=int(parent))

threads = [threading.Thread(target=answer, args=(member,)) for member in members]
print("ready", flush=True)
sys.stdin.readline()
for thread in threads:
    thread.start()
"""


def test_64_writers_in_several_processes_lose_nothing(app: Flask, board: Board, post_id: int) -> None:
    parent = add(app, post_id, board.anna, "the one that all answer")
    chosen = app.config["PARLEY"]
    with app.app_context():
        members = [make_member(f"writer{number}").id for number in range(64)]
        db.session.commit()
    arguments = [chosen.instance, chosen.database_url, str(post_id), str(parent)]
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITERS, *arguments, *map(str, members[at::4])], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        for at in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    ended = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        ended.append(process.communicate(timeout=120)[1])
    assert ended == [""] * 4  # what a thread dies of would stand there
    with app.app_context():
        rows = db.session.execute(
            select(Comment.seq, Comment.parent_id, Comment.root_id, Comment.depth, Comment.author_id, Comment.html).where(Comment.post_id == post_id)
            .order_by(Comment.id)
        ).all()
        assert [row.seq for row in rows] == list(range(1, 66))  # dense, unique, and rising with the id
        assert {(row.parent_id, row.root_id, row.depth) for row in rows[1:]} == {(parent, parent, 2)}
        assert sorted(row.author_id for row in rows[1:]) == sorted(members)
        assert all(f"the answer of writer {row.author_id}<" in row.html for row in rows[1:])
        post = db.session.get_one(Post, post_id)
        assert (post.last_seq, post.comment_count) == (65, 65)
    above = row(app, parent)
    assert (above.reply_count, above.active_seq) == (64, 65)
    told = app.test_cli_runner().invoke(args=["threads", "verify"])
    assert (told.exit_code, told.output) == (0, "Every counter agrees with the rows.\n")


@pytest.mark.parametrize("change", [
    {"reply_count": 7}, {"listed": False}, {"depth": 9}, {"root_id": 2}, {"active_seq": 0},
])
def test_verifying_finds_what_was_changed_behind_our_back(app: Flask, board: Board, post_id: int, change: dict[str, object]) -> None:
    with app.app_context():
        ids = grow(post_id, board.anna.id, [None, None, 0, 2])
        assert list(checking.differences()) == []
        at = ids[2] if "depth" in change or "root_id" in change else ids[0]
        db.session.execute(update(Comment).where(Comment.id == at).values(**change))
        assert next(iter(change)) in {found.name for found in checking.differences()}
        db.session.rollback()
        for table, what in ((Comment, f"comment {ids[0]}"), (Post, f"post {post_id}")):
            db.session.execute(update(table).where(table.id == (ids[0] if table is Comment else post_id)).values(thanks=7))
            assert [str(found) for found in checking.differences()] == [f"{what}: thanks is 7, the rows say 0"]
            db.session.rollback()
        db.session.execute(update(Post).values(comment_count=99))
        assert [str(found) for found in checking.differences()] == [f"post {post_id}: comment_count is 99, the rows say 4"]
        db.session.rollback()


def test_a_parent_in_another_post_does_not_exist_here(app: Flask, board: Board, post_id: int) -> None:
    with app.app_context():
        other = make_post(board.anna.id, title="Another table").id
        db.session.commit()
    elsewhere = add(app, other, board.bo, "elsewhere")
    with pytest.raises(NotFound):
        add(app, post_id, board.bo, "astray", parent_id=elsewhere)


def test_posting_stays_under_its_bound_of_statements(app: Flask, board: Board, post_id: int) -> None:
    parent = add(app, post_id, board.anna, "parent")
    bo = board.bo
    token = bo.token()
    with counted(app) as statements:
        answer = bo.post("/posts/the-kitchen-table/comments", {"body": "reply", "parent_id": parent}, token=token)
    assert answer.status_code == 303
    assert len(statements) <= 18


@pytest.mark.parametrize("body", ["", "   \n ", "x" * 20_001, "| a " * 2500 + "|\n" + "|-" * 2500 + "|\n" + "| x |\n" * 100])
def test_what_is_no_comment_is_refused_with_a_sentence(app: Flask, board: Board, post_id: int, body: str) -> None:
    with pytest.raises(Invalid) as refusal:
        add(app, post_id, board.bo, body)
    assert refusal.value.sentence.endswith(".")


def test_only_the_writer_edits_and_earlier_words_stay(app: Flask, board: Board, post_id: int) -> None:
    comment = add(app, post_id, board.bo, "first words")
    assert board.mo.id
    with app.app_context():
        with transaction():
            writing.edit(comment, board.bo.viewer, writing.words("second words"), version=1)
        with pytest.raises(NotAllowed), transaction():
            writing.edit(comment, board.mo.viewer, writing.words("not mine"), version=2)
        sources = db.session.execute(select(CommentRevision.source).where(CommentRevision.comment_id == comment).order_by(CommentRevision.version)).scalars()
        assert list(sources) == ["first words", "second words"]
    assert "second" in row(app, comment).html


def test_a_stale_save_keeps_both_texts_and_saves_nothing(app: Flask, board: Board, post_id: int) -> None:
    comment = add(app, post_id, board.bo, "one")
    with app.app_context():
        with transaction():
            writing.edit(comment, board.bo.viewer, writing.words("two"), version=1)
        with pytest.raises(Conflict) as conflict, transaction():
            writing.edit(comment, board.bo.viewer, writing.words("three"), version=1)
        assert (conflict.value.mine, conflict.value.theirs, conflict.value.version) == ("three", "two", 2)
        assert writing.source_of(comment) == "two"


def test_saving_what_stands_there_makes_no_revision(app: Flask, board: Board, post_id: int) -> None:
    comment = add(app, post_id, board.bo, "one")
    with app.app_context(), transaction():
        writing.edit(comment, board.bo.viewer, writing.words("one"), version=1)
    assert row(app, comment).version == 1


def test_deleting_leaves_a_tombstone_only_where_replies_hang_on_it(app: Flask, board: Board, post_id: int) -> None:
    parent = add(app, post_id, board.bo, "secret-parent")
    child = add(app, post_id, board.anna, "secret-child", parent_id=parent)
    page = "/posts/the-kitchen-table"
    board.bo.post(f"/comments/{parent}/delete")
    text = board.cy.get(page).text
    assert "secret-parent" not in text
    assert f'id="comment-{parent}"' in text
    assert "secret-child" in text
    board.anna.post(f"/comments/{child}/delete")
    text = board.cy.get(page).text
    assert f'id="comment-{parent}"' not in text  # nothing hangs on it any more
    assert board.cy.get(f"/comments/{child}").status_code == 410
    board.anna.post(f"/comments/{child}/restore")
    text = board.cy.get(page).text
    assert f'id="comment-{parent}"' in text
    assert "secret-child" in text
    assert "secret-parent" not in text


def test_counters_follow_a_plain_model_through_any_deeds(app: Flask, board: Board, post_id: int) -> None:
    dice = random.Random(42)
    parents = random_parents(40, seed=9)
    bo, mo = board.bo, board.mo
    with app.app_context():
        ids = grow(post_id, bo.id, parents)
    model = Model(parents)
    for _ in range(160):
        index = dice.randrange(len(ids))
        with app.app_context(), transaction():
            if dice.random() < 0.6:
                if index in model.deleted:
                    writing.restore(ids[index], bo.viewer)
                    model.deleted.discard(index)
                else:
                    writing.delete(ids[index], bo.viewer)
                    model.deleted.add(index)
            elif index in model.hidden:
                hiding.unhide_comment(ids[index], mo.viewer, reason="it was within the rules")
                model.hidden.discard(index)
            elif model.listed(index):
                hiding.hide_comment(ids[index], mo.viewer, rule_id=1, reason="about the person")
                model.hidden.add(index)
    with app.app_context():
        rows = db.session.execute(select(Comment.listed, Comment.reply_count).where(Comment.post_id == post_id).order_by(Comment.id)).all()
        post = db.session.get(Post, post_id)
        assert post is not None
        assert [tuple(found) for found in rows] == [(model.listed(index), model.replies(index)) for index in range(len(ids))]
        assert post.comment_count == model.live()
        assert list(checking.differences()) == []


def test_deleting_and_restoring_twice_is_once(app: Flask, board: Board, post_id: int) -> None:
    comment = add(app, post_id, board.bo, "words")
    for deed in (writing.delete, writing.delete, writing.restore, writing.restore):
        with app.app_context(), transaction():
            deed(comment, board.bo.viewer)
    with app.app_context():
        assert db.session.execute(select(func.count()).select_from(Comment).where(Comment.listed)).scalar_one() == 1
        assert db.session.get(Post, post_id).comment_count == 1  # type: ignore[union-attr]


def test_a_month_after_deletion_the_words_are_gone_for_good(app: Flask, board: Board, post_id: int) -> None:
    comment, kept = add(app, post_id, board.bo, "gone for good"), add(app, post_id, board.bo, "kept")
    board.bo.post(f"/comments/{comment}/delete")
    with app.app_context():
        with transaction():
            assert writing.empty_deleted() == 0
        with stopped_at(now() + timedelta(days=31)):
            with transaction():
                assert writing.empty_deleted() == 1
            assert writing.source_of(comment) == ""
            assert writing.source_of(kept) == "kept"
            with pytest.raises(NotAllowed), transaction():
                writing.restore(comment, board.bo.viewer)


def test_other_words_in_the_same_form_are_another_comment(app: Flask, board: Board, post_id: int) -> None:
    first = add(app, post_id, board.bo, "one", submission_id="a-submission-id-789")
    second = add(app, post_id, board.bo, "two", submission_id="a-submission-id-789")
    assert first != second
    assert add(app, post_id, board.bo, "one", submission_id="a-submission-id-789") == first
    with app.app_context():
        assert writing.source_of(second) == "two"


def test_nobody_answers_what_is_hidden_or_deleted(app: Flask, board: Board, post_id: int) -> None:
    gone = add(app, post_id, board.bo, "to be deleted")
    add(app, post_id, board.anna, "keeps it listed", parent_id=gone)
    hidden = add(app, post_id, board.bo, "to be hidden")
    assert board.mo.id
    with app.app_context():
        with transaction():
            writing.delete(gone, board.bo.viewer)
        with transaction():
            hiding.hide_comment(hidden, board.mo.viewer, rule_id=2, reason="names a third person")
    for parent in (gone, hidden):
        with pytest.raises(NotAllowed):
            add(app, post_id, board.anna, "an answer", parent_id=parent)
