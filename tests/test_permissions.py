"""Rulings: each rule about seeing equals its twin in SQL, each refusal has a sentence, and a table says who may what.

New rulings are found by their signatures: a test that does not know one says what to add here.
"""

import ast
import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, insert, select

from blog import permissions
from blog.accounts.models import Role
from blog.acts.models import Act, ActKind
from blog.clock import now
from blog.comments.models import Comment
from blog.db import db
from blog.permissions import ActFacts, CommentFacts, PostFacts, Ruling
from blog.posts.models import Post, PostState
from blog.viewer import STRANGER, Viewer
from tests import factories

MOMENT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

# Each predicate about seeing and the same rule for many rows. "post" and "comment" say which rows it is about.
TWINS: dict[str, tuple[str, str]] = {
    "may_see_post": ("seen_posts", "post"),
    "may_read_post": ("readable_posts", "post"),
    "is_listed_post": ("listed_posts", "post"),
    "may_see_comment": ("seen_comments", "comment"),
    "may_read_comment": ("readable_comments", "comment"),
    "is_open_comment": ("open_comments", "comment"),
}

# Rules about seeing that are never asked of many rows.
ALONE = {"may_read_act_words": "an act is read one at a time", "may_read_held": "lists of texts that wait are the writer's own or a moderator's"}


def functions() -> dict[str, Callable[..., Any]]:
    """The public functions of blog/permissions.py (or of its package)."""
    found = inspect.getmembers(permissions, inspect.isfunction)
    return {name: function for name, function in found if not name.startswith("_") and function.__module__.startswith("blog.permissions")}


def returning(kind: type) -> dict[str, Callable[..., Any]]:
    return {name: function for name, function in functions().items() if get_type_hints(function).get("return") == kind}


# -- the twins


@dataclass(frozen=True)
class Cast:
    """Ids of the people and of an act that rows may point to."""

    anna: int
    bo: int
    mo: int
    ad: int
    act: int

    def viewers(self) -> dict[str, Viewer]:
        return {
            "stranger": STRANGER,
            "anna": Viewer(id=self.anna, username="anna", verified=True),
            "bo, not verified": Viewer(id=self.bo, username="bo", role=Role.AUTHOR),
            "moderator": Viewer(id=self.mo, username="mo", role=Role.MODERATOR, verified=True),
            "administrator": Viewer(id=self.ad, username="ad", role=Role.ADMINISTRATOR, verified=True),
        }


@pytest.fixture
def people(app: Flask) -> Cast:
    with app.app_context():
        ids = {name: factories.make_member(name, role=role).id for name, role in
               (("anna", Role.MEMBER), ("bo", Role.AUTHOR), ("mo", Role.MODERATOR), ("ad", Role.ADMINISTRATOR))}
        act = Act(number=1, kind="hide", actor_id=ids["mo"], actor_handle="M1", person_id=ids["bo"], target_kind="post", target_id=1, rule_id=1,
                  reason="Names a client of hers.", scope="this post only", created_at=now())
        db.session.add(act)
        db.session.commit()
        return Cast(**ids, act=act.id)


AUTHORS = st.sampled_from(["anna", "bo", "mo", "ad"])
STATES = st.sampled_from([state.value for state in PostState])
POSTS = st.fixed_dictionaries({"author": AUTHORS, "state": STATES, "deleted": st.booleans(), "hidden": st.booleans()})
COMMENTS = st.fixed_dictionaries({"author": AUTHORS, "listed": st.booleans(), "deleted": st.booleans(), "hidden": st.booleans(), "closed": st.booleans()})
BOARDS = st.lists(st.tuples(POSTS, st.lists(COMMENTS, max_size=4)), min_size=1, max_size=6)


def store(people: Cast, drawn: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
    """Write the drawn posts and comments, in the transaction that the caller rolls back."""
    for number, (post, comments) in enumerate(drawn, 1):
        db.session.execute(insert(Post).values(
            id=number, author_id=getattr(people, post["author"]), slug=f"post-{number}", title="A post", html="", headings=[], teaser="", state=post["state"],
            created_at=MOMENT, deleted_at=MOMENT if post["deleted"] else None, hidden_by=people.act if post["hidden"] else None))
        for seq, comment in enumerate(comments, 1):
            db.session.execute(insert(Comment).values(
                id=number * 100 + seq, post_id=number, seq=seq, depth=1, active_seq=seq, author_id=getattr(people, comment["author"]), html="",
                listed=comment["listed"], closed=comment["closed"], created_at=MOMENT, deleted_at=MOMENT if comment["deleted"] else None,
                hidden_by=people.act if comment["hidden"] else None))


def called(name: str, **facts: Any) -> Any:
    """Call a function of permissions with those of the facts that it asks for."""
    function = functions()[name]
    return function(**{parameter: facts[parameter] for parameter in inspect.signature(function).parameters})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=BOARDS)
def test_each_rule_about_seeing_equals_its_twin_in_sql(app: Flask, people: Cast, drawn: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
    with app.app_context():
        try:
            store(people, drawn)
            posts = {row.id: row for row in db.session.execute(select(Post.id, Post.author_id, Post.state, Post.deleted_at, Post.hidden_by))}
            comments = db.session.execute(
                select(Comment.id, Comment.post_id, Comment.author_id, Comment.deleted_at, Comment.hidden_by, Comment.listed, Comment.closed)).all()
            for who, viewer in people.viewers().items():
                for rule, (twin, rows) in TWINS.items():
                    condition = called(twin, viewer=viewer)
                    if rows == "post":
                        by_rule = {row.id for row in posts.values() if called(rule, viewer=viewer, post=row)}
                        by_sql = set(db.session.execute(select(Post.id).where(condition)).scalars())
                    else:
                        by_rule = {row.id for row in comments if called(rule, viewer=viewer, comment=row, post=posts[row.post_id])}
                        by_sql = set(db.session.execute(select(Comment.id).join(Post, Post.id == Comment.post_id).where(condition)).scalars())
                    assert by_sql == by_rule, f"{twin} and {rule} differ for {who} over {rows}s {sorted(by_sql ^ by_rule)} of {drawn}"
        finally:
            db.session.rollback()


def test_no_twin_is_left_out() -> None:
    in_sql = returning(ColumnElement[bool])
    assert set(in_sql) == {twin for twin, _ in TWINS.values()}, "Name each rule's SQL twin in TWINS of tests/test_permissions.py."
    seeing = {name for name in functions() if name.startswith(("may_see_", "may_read_", "is_", "seen_by_"))}
    assert seeing == set(TWINS) | set(ALONE), "A rule about seeing needs a twin as SQL (TWINS), or the reason why it is never asked of many rows (ALONE)."


# -- the sentences


@dataclass(frozen=True)
class PostValue:
    author_id: int = 1
    state: str = PostState.PUBLISHED
    deleted_at: datetime | None = None
    hidden_by: int | None = None
    locked_by: int | None = None


@dataclass(frozen=True)
class ActValue:
    kind: str = ActKind.HIDE
    actor_id: int | None = 3
    person_id: int | None = 2
    created_at: datetime = MOMENT


@dataclass(frozen=True)
class CommentValue:
    author_id: int = 2
    deleted_at: datetime | None = None
    hidden_by: int | None = None
    listed: bool = True
    closed: bool = False


VIEWERS = {
    "stranger": STRANGER,
    "newcomer": Viewer(id=8, username="newcomer"),  # has not confirmed the address
    "member": Viewer(id=9, username="member", verified=True),
    "author": Viewer(id=7, username="author", role=Role.AUTHOR, verified=True),
    "moderator": Viewer(id=3, username="moderator", role=Role.MODERATOR, verified=True),
    "administrator": Viewer(id=4, username="administrator", role=Role.ADMINISTRATOR, verified=True),
    "writer": Viewer(id=1, username="writer", verified=True),  # of the post
    "commenter": Viewer(id=2, username="commenter", verified=True),  # of the comment
    "moderating commenter": Viewer(id=2, username="commenter", role=Role.MODERATOR, verified=True),
    "waiting": Viewer(id=5, username="waiting", verified=True, is_waiting=True),  # for a moderator to admit them
    "not admitted": Viewer(id=10, username="refused", verified=True, is_waiting=True, refusal=7),
    "suspended": Viewer(id=6, username="suspended", verified=True, suspension=4, suspended_until=MOMENT),
    "suspended writer": Viewer(id=1, username="writer", verified=True, suspension=4),
    "suspended commenter": Viewer(id=2, username="commenter", verified=True, suspension=4),
    "suspended moderator": Viewer(id=3, username="moderator", role=Role.MODERATOR, verified=True, suspension=4),
}

LATE = MOMENT - timedelta(days=permissions.APPEAL_DAYS, seconds=1)
OLD = MOMENT - timedelta(days=permissions.RESTORE_DAYS, seconds=1)


def values(name: str, kind: Any) -> list[Any]:
    """Everything that an argument of a ruling may be."""
    if kind is Viewer:
        return list(VIEWERS.values())
    if kind is PostFacts:
        return [PostValue(author, state, deleted, hidden, locked)
                for author, state, deleted, hidden, locked in itertools.product((1, 2), PostState, (None, MOMENT, OLD), (None, 1), (None, 1))]
    if kind is ActFacts:
        return [ActValue(kind, actor, person, created)
                for kind, actor, person, created in itertools.product((ActKind.HIDE, ActKind.UNHIDE), (None, 3, 4), (None, 2), (MOMENT, LATE))]
    if kind is Role:
        return list(Role)
    if kind == int | None:
        return [None, 1, 2]
    if kind is CommentFacts:
        return [CommentValue(2, deleted, hidden, listed, closed)
                for deleted, hidden, listed, closed in itertools.product((None, MOMENT, OLD), (None, 1), (True, False), (True, False))]
    if kind is bool:
        return [True, False]
    if kind is datetime:
        return [MOMENT]
    if kind is int and name.endswith("_id"):
        return [1, 2]
    raise AssertionError(f"tests/test_permissions.py does not know what to pass for {name}: {kind}; add it to values().")


def rulings(name: str) -> Iterator[Ruling]:
    """The ruling for every combination of what it may be asked."""
    function = functions()[name]
    hints = get_type_hints(function)
    choices = [values(parameter, hints[parameter]) for parameter in inspect.signature(function).parameters]
    for given_values in itertools.product(*choices):
        yield function(*given_values)


@pytest.mark.parametrize("name", sorted(returning(Ruling)))
def test_every_refusal_says_why_in_a_sentence(name: str) -> None:
    seen = list(rulings(name))
    assert {bool(ruling) for ruling in seen} == {True, False}, "Nobody is ever allowed, or nobody ever refused."
    for sentence in {ruling.sentence for ruling in seen if not ruling}:
        assert sentence.endswith((".", "?")), f"{sentence!r} of {name} is no whole sentence."
        assert sentence[0].isupper()
        assert len(sentence) >= 15
        assert sentence == " ".join(sentence.split())
        assert "'" not in sentence, f"{sentence!r}: write the apostrophe as ’."
    assert {ruling.sentence for ruling in seen if ruling} == {""}


def test_every_sentence_in_the_rules_can_be_read_by_somebody() -> None:
    """No refusal stands behind another one that always speaks first."""
    source = ast.parse(inspect.getsource(permissions))
    written = {
        node.args[0].value
        for node in ast.walk(source)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_no" and isinstance(node.args[0], ast.Constant)
    }
    assert len(written) >= 15
    spoken = {ruling.sentence for name in returning(Ruling) for ruling in rulings(name) if not ruling}
    assert written <= spoken, f"Nobody ever reads: {written - spoken}"


# -- the table

PEOPLE = frozenset(VIEWERS)
SUSPENDED = frozenset({"suspended", "suspended writer", "suspended commenter", "suspended moderator"})
MEMBERS = PEOPLE - {"stranger", "waiting", "not admitted"} - SUSPENDED
VERIFIED = MEMBERS - {"newcomer"}
MODERATORS = frozenset({"moderator", "administrator", "moderating commenter"})
WATCHERS = MODERATORS | {"suspended moderator"}  # who read as moderators
COMMENTERS = frozenset({"commenter", "moderating commenter"})
WRITERS = COMMENTERS | {"suspended commenter"}
AUTHORS_OF_IT = frozenset({"writer", "suspended writer"})
NOBODY: frozenset[str] = frozenset()

DRAFT = PostValue(state=PostState.DRAFT)
DOWN = PostValue(deleted_at=MOMENT)
LONG_DOWN = PostValue(deleted_at=OLD)
HIDDEN_POST = PostValue(hidden_by=1)
HELD_POST = PostValue(state=PostState.HELD)
LOCKED_POST = PostValue(locked_by=1)
DELETED = CommentValue(deleted_at=MOMENT)
LONG_DELETED = CommentValue(deleted_at=OLD)
HIDDEN = CommentValue(hidden_by=1)
CLOSED = CommentValue(closed=True)
UNLISTED = CommentValue(listed=False)

# What is asked, with which facts, and who may. Everybody else is refused.
WHO_MAY: list[tuple[str, dict[str, Any], frozenset[str]]] = [
    ("may_write", {"needs_verified": True}, VERIFIED),
    ("may_write", {"needs_verified": False}, MEMBERS),
    ("may_publish", {"narrowed": False}, VERIFIED),
    ("may_publish", {"narrowed": True}, frozenset({"author"}) | MODERATORS),
    ("may_see_post", {"post": PostValue()}, PEOPLE),
    ("may_act_at_all", {}, PEOPLE - SUSPENDED),
    ("may_see_post", {"post": DRAFT}, AUTHORS_OF_IT),
    ("may_see_post", {"post": HELD_POST}, AUTHORS_OF_IT | WATCHERS),
    ("may_see_post", {"post": HIDDEN_POST}, PEOPLE),
    ("may_read_post", {"post": PostValue()}, PEOPLE),
    ("may_read_post", {"post": DRAFT}, AUTHORS_OF_IT),
    ("may_read_post", {"post": HIDDEN_POST}, WATCHERS | AUTHORS_OF_IT),
    ("may_read_post", {"post": DOWN}, NOBODY),
    ("may_edit_post", {"post": PostValue()}, frozenset({"writer"})),
    ("may_edit_post", {"post": DRAFT}, frozenset({"writer"})),
    ("may_edit_post", {"post": DOWN}, NOBODY),
    ("may_edit_post", {"post": HIDDEN_POST}, NOBODY),
    ("may_delete_post", {"post": PostValue()}, AUTHORS_OF_IT),
    ("may_restore_post", {"post": DOWN, "now": MOMENT}, frozenset({"writer"})),
    ("may_restore_post", {"post": LONG_DOWN, "now": MOMENT}, NOBODY),
    ("may_see_comment", {"comment": CommentValue(), "post": PostValue()}, PEOPLE),
    ("may_see_comment", {"comment": HIDDEN, "post": PostValue()}, PEOPLE),
    ("may_see_comment", {"comment": UNLISTED, "post": PostValue()}, NOBODY),
    ("may_see_comment", {"comment": CommentValue(), "post": DRAFT}, NOBODY),
    ("may_read_comment", {"comment": CommentValue(), "post": PostValue()}, PEOPLE),
    ("may_read_comment", {"comment": HIDDEN, "post": PostValue()}, WATCHERS | WRITERS),
    ("may_read_comment", {"comment": DELETED, "post": PostValue()}, NOBODY),
    ("may_read_comment", {"comment": CommentValue(deleted_at=MOMENT, hidden_by=1), "post": PostValue()}, NOBODY),
    ("may_comment", {"post": PostValue()}, VERIFIED),
    ("may_comment", {"post": DRAFT}, NOBODY),
    ("may_comment", {"post": DOWN}, NOBODY),
    ("may_comment", {"post": HIDDEN_POST}, NOBODY),
    ("may_comment", {"post": LOCKED_POST}, NOBODY),
    ("may_comment", {"post": HELD_POST}, NOBODY),
    ("may_reply", {"comment": CommentValue(), "post": PostValue()}, VERIFIED),
    ("may_reply", {"comment": CommentValue(), "post": HIDDEN_POST}, NOBODY),
    ("may_reply", {"comment": DELETED, "post": PostValue()}, NOBODY),
    ("may_reply", {"comment": HIDDEN, "post": PostValue()}, NOBODY),
    ("may_reply", {"comment": CLOSED, "post": PostValue()}, NOBODY),
    ("may_reply", {"comment": UNLISTED, "post": PostValue()}, NOBODY),
    ("may_edit_comment", {"comment": CommentValue()}, COMMENTERS),
    ("may_edit_comment", {"comment": DELETED}, NOBODY),
    ("may_edit_comment", {"comment": HIDDEN}, NOBODY),
    ("may_delete_comment", {"comment": CommentValue()}, WRITERS),
    ("may_delete_comment", {"comment": HIDDEN}, WRITERS),
    ("may_restore_comment", {"comment": DELETED, "now": MOMENT}, COMMENTERS),
    ("may_restore_comment", {"comment": LONG_DELETED, "now": MOMENT}, NOBODY),
    ("may_read_held", {"author_id": 9}, WATCHERS | {"member"}),
    ("may_change_held", {"author_id": 9, "is_waiting": True}, frozenset({"member"})),
    ("may_change_held", {"author_id": 6, "is_waiting": True}, NOBODY),
    ("may_change_held", {"author_id": 9, "is_waiting": False}, NOBODY),
    ("may_take_back_held", {"author_id": 6}, frozenset({"suspended"})),
    ("may_decide_held", {"author_id": 9}, MODERATORS),
    ("may_decide_held", {"author_id": 2}, MODERATORS - COMMENTERS),
    ("may_join", {"is_closed": True, "by_invitation": False, "is_invited": True}, NOBODY),
    ("may_join", {"is_closed": False, "by_invitation": True, "is_invited": False}, NOBODY),
    ("may_join", {"is_closed": False, "by_invitation": True, "is_invited": True}, PEOPLE),
    ("may_join", {"is_closed": False, "by_invitation": False, "is_invited": False}, PEOPLE),
    ("may_invite", {"narrowed": False, "is_newcomer": False}, VERIFIED),
    ("may_invite", {"narrowed": True, "is_newcomer": False}, MODERATORS),
    ("may_invite", {"narrowed": False, "is_newcomer": True}, NOBODY),
    ("may_hide", {"author_id": 9}, MODERATORS),
    ("may_hide", {"author_id": 2}, MODERATORS - COMMENTERS),
    ("may_hide", {"author_id": 3}, MODERATORS - {"moderator"}),
    ("may_unhide", {"author_id": 9}, MODERATORS),
    ("may_unhide", {"author_id": 2}, MODERATORS - COMMENTERS),
    ("may_moderate", {}, MODERATORS),
    ("may_lock", {"author_id": 9}, MODERATORS),
    ("may_lock", {"author_id": 2}, MODERATORS - COMMENTERS),
    ("may_redact", {"author_id": 9}, MODERATORS),
    ("may_export", {}, PEOPLE - {"stranger"}),
    ("may_leave", {"is_last": False}, PEOPLE - {"stranger"}),
    ("may_leave", {"is_last": True}, NOBODY),
    ("may_redact", {"author_id": 2}, MODERATORS - COMMENTERS),
    ("may_act_on_member", {"member_id": 9, "role": Role.MEMBER}, MODERATORS),
    ("may_act_on_member", {"member_id": 2, "role": Role.MODERATOR}, frozenset({"administrator"})),
    ("may_act_on_member", {"member_id": 4, "role": Role.ADMINISTRATOR}, NOBODY),
    ("may_put_aside", {"post_author_id": 1, "comment_author_id": 2}, frozenset({"writer"})),
    ("may_put_aside", {"post_author_id": 1, "comment_author_id": 1}, NOBODY),
    ("may_report", {"author_id": 9, "is_open": True}, MEMBERS - {"member"} | {"waiting", "not admitted"}),
    ("may_report", {"author_id": 9, "is_open": False}, NOBODY),
    ("may_decide", {"act": ActValue(), "alone": False}, frozenset({"administrator"})),
    ("may_decide", {"act": ActValue(actor_id=4), "alone": False}, frozenset({"moderator"})),
    ("may_decide", {"act": ActValue(actor_id=4), "alone": True}, frozenset({"moderator", "administrator"})),
    ("may_set_rules", {}, frozenset({"administrator"})),
    ("may_read_act_words", {"person_id": 9}, WATCHERS | {"member"}),
    ("may_thank", {"author_id": 9, "is_open": True}, VERIFIED - {"member"}),
    ("may_thank", {"author_id": 9, "is_open": False}, NOBODY),
]


# Asked of a member's id instead of a viewer: a signed link stands for its member too.
ASKED_BY_ID = {"may_appeal"}


@pytest.mark.parametrize(("person_id", "act", "allowed"), [
    (2, ActValue(), True), (9, ActValue(), False), (2, ActValue(person_id=None), False), (2, ActValue(created_at=LATE), False),
    (2, ActValue(kind=ActKind.UNHIDE), False), (0, ActValue(person_id=None), False),
])
def test_the_person_concerned_may_appeal_in_time(person_id: int, act: ActValue, allowed: bool) -> None:
    assert bool(permissions.may_appeal(person_id, act, MOMENT)) is allowed


@pytest.mark.parametrize(("name", "facts", "who"), WHO_MAY, ids=[f"{name}-{number}" for number, (name, _, _) in enumerate(WHO_MAY)])
def test_who_may(name: str, facts: dict[str, Any], who: frozenset[str]) -> None:
    assert {person for person, viewer in VIEWERS.items() if functions()[name](viewer, **facts)} == who


def test_the_table_names_every_ruling() -> None:
    assert {name for name, _, _ in WHO_MAY} | ASKED_BY_ID == set(returning(Ruling)), "Say in WHO_MAY of tests/test_permissions.py who is allowed."


def test_a_ruling_is_its_answer_and_its_refusal_carries_the_sentence() -> None:
    assert permissions.YES
    permissions.YES.require()
    with pytest.raises(permissions.NotAllowed) as refused:
        Ruling(False, "Only moderators can do that.").require()
    assert refused.value.sentence == "Only moderators can do that."
    assert refused.value.status == 403
