"""How members stand: what was done about them, what moderators note, and the list of members for moderators."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from blog.accounts.models import Member, Role
from blog.acts import words
from blog.acts.models import Act, ActKind, Rule
from blog.clock import now
from blog.comments.models import Comment
from blog.dates import MONTHS, day, local, stamp
from blog.db import db
from blog.errors import Invalid, NotAllowed, NotFound
from blog.moderation.models import Appeal, AppealState, MemberNote
from blog.paging import cursor, read_cursor
from blog.permissions import Ruling, may_appeal, may_moderate
from blog.posts.listing import Page
from blog.text.names import fold_username
from blog.viewer import Viewer

PAGE = 20

LONGEST_NOTE = 1000
LONGEST_SEARCH = 60

# Of more comments nobody asks how many.
MOST_COUNTED = 1000

# Acts that took something from a person, in the words of a list: one of them, several.
AGAINST: dict[str, tuple[str, str]] = {
    ActKind.HIDE: ("text hidden", "texts hidden"),
    ActKind.REJECT: ("text rejected", "texts rejected"),
    ActKind.REDACT: ("text taken out", "texts taken out"),
    ActKind.WARN: ("warning", "warnings"),
    ActKind.SUSPEND: ("suspension", "suspensions"),
    ActKind.BAD_FAITH: ("report in bad faith", "reports in bad faith"),
}


@dataclass(slots=True)
class History:
    """What moderators see of a member beside their words. Acts that were undone do not count."""

    joined_at: datetime
    comments: int  # MOST_COUNTED at most
    acts: dict[str, int] = field(default_factory=dict)
    last_act_at: datetime | None = None

    @property
    def sentence(self) -> str:
        """ "Member since March 2023 · 212 comments · 1 act before: 1 warning, 2023-04-02"."""
        count = sum(self.acts.values())
        kinds = ", ".join(f"{number} {AGAINST[kind][number > 1]}" for kind, number in self.acts.items())
        before = "no acts that stand"
        if self.last_act_at is not None:
            before = f"{count} act{'' if count == 1 else 's'} before: {kinds}, {'' if count == 1 else 'the last on '}{day(self.last_act_at)}"
        many = f"{MOST_COUNTED:,} comments or more" if self.comments >= MOST_COUNTED else f"{self.comments} comment{'' if self.comments == 1 else 's'}"
        return f"{_since(self.joined_at)} · {many} · {before}"


def _since(joined_at: datetime) -> str:
    days = (now() - joined_at).days
    if days < 1:
        return "Member since today"
    if days < 60:
        return f"Member for {days} day{'' if days == 1 else 's'}"
    at = local(joined_at)
    return f"Member since {MONTHS[at.month - 1]} {at.year}"


def histories(member_ids: Sequence[int]) -> dict[int, History]:
    """The history of each member. Two statements, whatever their number."""
    some = select(Comment.id).where(Comment.author_id == Member.id, Comment.deleted_at.is_(None)).limit(MOST_COUNTED).correlate(Member).subquery()
    counted: Any = select(func.count()).select_from(some).scalar_subquery()
    found = {row.id: History(row.created_at, row.comments) for row in db.session.execute(
        select(Member.id, Member.created_at, counted.label("comments")).where(Member.id.in_(member_ids)))}
    undoing = aliased(Act)
    acts = (
        select(Act.person_id, Act.kind, func.count().label("number"), func.max(Act.created_at).label("last"))
        .outerjoin(undoing, undoing.undoes_id == Act.id)
        .where(Act.person_id.in_(member_ids), Act.kind.in_([kind.value for kind in ActKind if kind in AGAINST]), undoing.id.is_(None))
        .group_by(Act.person_id, Act.kind)
    )
    rows: Sequence[Any] = db.session.execute(acts.order_by(Act.kind)).all()
    for row in rows:
        history = found[row.person_id]
        history.acts[row.kind] = row.number
        history.last_act_at = max(filter(None, (history.last_act_at, row.last)))
    return found


# -- members, for moderators


@dataclass(slots=True)
class Person:
    """A member as moderators see them."""

    id: int
    username: str
    name: str
    role: Role
    is_verified: bool
    is_waiting: bool
    suspension: int | None  # number of the act
    suspended_until: datetime | None
    left_at: datetime | None
    history: History | None = None

    @property
    def path(self) -> str:
        return f"/moderation/members/{self.username}"

    @property
    def is_suspended(self) -> bool:
        return bool(self.suspension) and (self.suspended_until is None or self.suspended_until > now())

    @property
    def state(self) -> str:
        """How they stand, in a sentence."""
        if self.is_suspended:
            until = f"until {stamp(self.suspended_until)}" if self.suspended_until else "until a moderator lifts it"
            return f"Suspended {until} (act {self.suspension})."
        if self.left_at is not None:
            return f"Left on {day(self.left_at)}."
        if self.is_waiting:
            return "Waits to be admitted."
        return "In good standing." if self.is_verified else "Has not confirmed an e-mail address."


_PEOPLE: Any = select(
    Member.id, Member.username, Member.display_name, Member.role, Member.verified_at.is_not(None).label("is_verified"), Member.is_waiting, Act.number,
    Member.suspended_until, Member.left_at,
).outerjoin(Act, Act.id == Member.suspended_by)


def people(search: str = "", after: str | None = None) -> Page[Person]:
    """Members, the newest first; with `search` those whose username begins with it or whose name holds it. Three statements.

    Raises Malformed for a bad cursor.
    """
    parts = read_cursor(after)
    asked = _PEOPLE.order_by(Member.id.desc()).limit(PAGE + 1)
    search = " ".join(search.split())[:LONGEST_SEARCH]
    if search:
        named = Member.display_name.icontains(search, autoescape=True)
        asked = asked.where(or_(Member.username_key.startswith(fold_username(search), autoescape=True), named))
    if parts is not None:
        asked = asked.where(Member.id < parts[0])
    rows = db.session.execute(asked).all()
    found = [Person(*row) for row in rows[:PAGE]]
    known = histories([person.id for person in found])
    for person in found:
        person.history = known[person.id]
    return Page(found, cursor(found[-1].id) if len(rows) > PAGE else "", after or "")


def person(username: str) -> Person:
    """The member of that name. Three statements. Raises NotFound."""
    row = db.session.execute(_PEOPLE.where(Member.username_key == fold_username(username))).one_or_none()
    if row is None or row.username.casefold() != username.casefold():
        raise NotFound("There is no member of that name here. It may have been typed wrong.")
    found = Person(*row)
    found.history = histories([found.id])[found.id]
    return found


# -- acts about a member


@dataclass(frozen=True, slots=True)
class ActLine:
    """An act about a member, in words: as themselves or as a moderator reads it."""

    number: int
    sentence: str
    rule: str
    reason: str
    state: str
    done_at: datetime
    may_appeal: Ruling


def acts_about(member_id: int, *, own: bool, after: str | None = None) -> Page[ActLine]:
    """What was done about the member, newest first. One statement. Raises Malformed for a bad cursor."""
    parts = read_cursor(after)
    undoing, deciding, about = aliased(Act), aliased(Act), aliased(Act)
    asked: Any = (
        select(Act, Rule.number, Rule.title, undoing, deciding, about.number.label("about_number"), Appeal.state)
        .join(Rule, Rule.id == Act.rule_id)
        .outerjoin(undoing, undoing.undoes_id == Act.id)
        .outerjoin(deciding, (deciding.about_id == Act.id) & deciding.kind.in_([kind.value for kind in words.DECISIONS]))
        .outerjoin(about, about.id == func.coalesce(Act.about_id, Act.undoes_id))
        .outerjoin(Appeal, Appeal.act_id == Act.id)
        .where(Act.person_id == member_id)
        .order_by(Act.id.desc())
        .limit(PAGE + 1)
    )
    if parts is not None:
        asked = asked.where(Act.id < parts[0])
    rows: Sequence[Any] = db.session.execute(asked).all()
    moment = now()
    shown = []
    for act, rule_number, rule_title, undone_by, decided_by, about_number, appeal in rows[:PAGE]:
        state = words.state(act, moment, undone_by=undone_by, decided_by=decided_by, is_appealed=appeal == AppealState.OPEN)
        appealable = Ruling(False, "This act was appealed already.") if appeal else may_appeal(member_id, act, moment)
        if undone_by is not None:
            appealable = Ruling(False, "This act was taken back.")
        shown.append(ActLine(act.number, words.passive(act, own, about=about_number or 0), f"{rule_number}. {rule_title}", act.reason, state,
                             act.created_at, appealable))
    return Page(shown, cursor(rows[PAGE - 1][0].id) if len(rows) > PAGE else "", after or "")


# -- notes


@dataclass(frozen=True, slots=True)
class Note:
    """What a moderator noted about a member."""

    id: int
    body: str
    by: str
    noted_at: datetime


def notes(member_id: int, viewer: Viewer, after: str | None = None) -> Page[Note]:
    """Moderators' notes about a member, newest first. One statement. Raises NotAllowed (nobody reads those about themselves), Malformed."""
    may_moderate(viewer).require()
    _not_about_oneself(member_id, viewer)
    parts = read_cursor(after)
    asked: Any = select(MemberNote.id, MemberNote.body, Member.display_name, MemberNote.created_at).join(Member, Member.id == MemberNote.author_id)
    asked = asked.where(MemberNote.member_id == member_id).order_by(MemberNote.id.desc()).limit(PAGE + 1)
    if parts is not None:
        asked = asked.where(MemberNote.id < parts[0])
    rows = db.session.execute(asked).all()
    shown = [Note(*row) for row in rows[:PAGE]]
    return Page(shown, cursor(shown[-1].id) if len(rows) > PAGE else "", after or "")


def note(member_id: int, by: Viewer, body: str) -> None:
    """Note something about a member, for other moderators. The same note twice in a row is one.

    Raises NotAllowed, Invalid (empty, too long).
    """
    may_moderate(by).require()
    _not_about_oneself(member_id, by)
    body = body.strip()
    if not 0 < len(body) <= LONGEST_NOTE:
        raise Invalid(f"A note may have {LONGEST_NOTE:,} characters; this has {len(body):,}." if body else "The note is empty.", "body")
    newest = select(MemberNote.author_id, MemberNote.body).where(MemberNote.member_id == member_id).order_by(MemberNote.id.desc()).limit(1)
    last = db.session.execute(newest).one_or_none()
    if last is not None and (last.author_id, last.body) == (by.id, body):
        return
    db.session.add(MemberNote(member_id=member_id, author_id=by.id, body=body, created_at=now()))
    db.session.flush()


def _not_about_oneself(member_id: int, viewer: Viewer) -> None:
    if member_id == viewer.id:
        raise NotAllowed("These are notes about yourself: other moderators keep them.")
