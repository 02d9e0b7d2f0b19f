"""Readings of the queue: pages of cases with all that a moderator needs to decide. Nobody sees cases about their own words.

A page costs the same number of statements whatever stands on it: the cases with their words and context, their reports, two for histories.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import aliased

from blog.accounts.models import Member
from blog.acts.models import Act, Rule, TargetKind
from blog.clock import now
from blog.comments.models import Comment
from blog.comments.thread import shown_name
from blog.db import db
from blog.errors import NotFound
from blog.moderation.cases import name
from blog.moderation.models import OPEN, Case, CaseState, Report
from blog.moderation.reporting import CLAIM, OUTCOMES
from blog.moderation.standing import History, histories
from blog.paging import cursor, read_cursor
from blog.permissions import is_listed_post
from blog.posts.listing import Page, path_of
from blog.posts.models import Post
from blog.text.excerpts import teaser
from blog.viewer import Viewer

PAGE = 20

SHOWS = ("open", "yours", "closed")

# Reports of one case that the queue prints; of more it tells the number.
MOST_REPORTS = 10

# Longer words (as HTML) stand there as an excerpt, with the way to all of them.
LONGEST = 4000
EXCERPT = 700
PARENT_EXCERPT = 160


@dataclass(frozen=True, slots=True)
class Line:
    """One report among moderators: what is broken and what they should know. Who made it is nobody's business."""

    id: int
    rule_number: int
    rule_title: str
    note: str
    is_bad_faith: bool


@dataclass(slots=True)
class Shown:
    """A case as the queue draws it. `html` is the words as they are stored, `excerpt` what stands for long ones; both "" where they are gone."""

    id: int
    what: str  # "comment" or "post"
    target_id: int
    person_id: int
    username: str
    person: str
    html: str
    excerpt: str
    is_deleted: bool
    is_hidden: bool
    path: str  # the words in their place; "" if there is none any more
    post_title: str
    parent_path: str
    parent_name: str
    parent_excerpt: str
    report_count: int
    opened_at: datetime
    reported_at: datetime
    is_open: bool
    is_yours: bool
    claimed_by: str  # another moderator, "" if nobody or the viewer
    claimed_at: datetime | None
    outcome: str
    act_number: int | None
    act_handle: str | None
    closed_at: datetime | None
    reports: list[Line] = field(default_factory=list)
    history: History | None = None
    replies: int = 0  # that hang directly on the comment

    @property
    def title(self) -> str:
        return f"Case {self.id}: {self.what} by {self.person}"

    @property
    def has_words(self) -> bool:
        return bool(self.html or self.excerpt)

    @property
    def waits(self) -> str:
        """How long it has been open: "5 h 12 min"."""
        minutes = int((now() - self.opened_at).total_seconds() // 60)
        days, hours = minutes // 1440, minutes % 1440 // 60
        if days:
            return f"{days} day{'' if days == 1 else 's'} {hours} h"
        return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"

    @property
    def first_rule(self) -> int:
        """Number of the rule that most of the printed reports name."""
        numbers = [report.rule_number for report in self.reports]
        return max(numbers, key=numbers.count, default=0)


def page(viewer: Viewer, show: str = "open", after: str | None = None) -> Page[Shown]:
    """A page of cases: open ones and the viewer's own oldest first, closed ones newest first. Four statements. Raises Malformed."""
    parts = read_cursor(after)
    asked = _CASES.where(Case.person_id != viewer.id)
    if show == "closed":
        asked = asked.where(Case.state == CaseState.CLOSED.value).order_by(Case.id.desc())
        asked = asked.where(Case.id < parts[0]) if parts else asked
    else:
        asked = asked.where(OPEN).order_by(Case.id)
        asked = asked.where(Case.id > parts[0]) if parts else asked
        if show == "yours":
            asked = asked.where(Case.claimed_by == viewer.id, Case.claimed_at > now() - CLAIM)
    rows = db.session.execute(asked.limit(PAGE + 1)).all()
    shown = [_shown(row, viewer) for row in rows[:PAGE]]
    _complete(shown)
    return Page(shown, cursor(shown[-1].id) if len(rows) > PAGE else "", after or "")


def some(viewer: Viewer, case_ids: Sequence[int]) -> list[Shown]:
    """These cases, as far as they are there, in the order of their ids. Four statements."""
    rows = db.session.execute(_CASES.where(Case.person_id != viewer.id, Case.id.in_(case_ids)).order_by(Case.id)).all()
    shown = [_shown(row, viewer) for row in rows]
    _complete(shown)
    return shown


def one(viewer: Viewer, case_id: int) -> Shown:
    """One case. Four statements. Raises NotFound, also for whoever wrote what it is about."""
    found = some(viewer, [case_id])
    if not found:
        raise NotFound(f"There is no case {case_id}.")
    return found[0]


_IS_COMMENT = Case.target_kind == TargetKind.COMMENT.value
_ON, _WRITER, _CLAIMER, _ABOVE, _ABOVE_WRITER = aliased(Post), aliased(Member), aliased(Member), aliased(Comment), aliased(Member)
_CASES: Any = (
    select(
        Case.id, Case.target_kind, Case.target_id, Case.person_id, Case.report_count, Case.opened_at, Case.reported_at, Case.state, Case.closed_at,
        Case.claimed_by, Case.claimed_at, _CLAIMER.moderator_number, _CLAIMER.display_name.label("claimer"), _WRITER.username, _WRITER.display_name,
        case((OPEN, Comment.html), else_=literal("")).label("comment_html"), Comment.deleted_at.label("comment_deleted_at"),
        Comment.hidden_by.label("comment_hidden_by"), Comment.listed, Comment.reply_count,
        _ON.id.label("post_id"), _ON.slug, _ON.title, _ON.teaser, _ON.state.label("post_state"),
        _ON.deleted_at, _ON.hidden_by, _ABOVE.id.label("above_id"), _ABOVE.html.label("above_html"), _ABOVE.deleted_at.label("above_deleted_at"),
        _ABOVE.hidden_by.label("above_hidden_by"), _ABOVE_WRITER.display_name.label("above_name"), Act.kind, Act.number, Act.actor_handle,
    )
    .select_from(Case)
    .join(_WRITER, _WRITER.id == Case.person_id)
    .outerjoin(_CLAIMER, _CLAIMER.id == Case.claimed_by)
    .outerjoin(Comment, _IS_COMMENT & (Comment.id == Case.target_id))
    .join(_ON, _ON.id == func.coalesce(Comment.post_id, case((_IS_COMMENT, None), else_=Case.target_id)))
    .outerjoin(_ABOVE, _ABOVE.id == Comment.parent_id)
    .outerjoin(_ABOVE_WRITER, _ABOVE_WRITER.id == _ABOVE.author_id)
    .outerjoin(Act, Act.id == Case.closed_by)
)


@dataclass(frozen=True, slots=True)
class _PostOf:
    """A row's post, as a ruling asks for it."""

    state: str
    deleted_at: datetime | None
    hidden_by: int | None


def _shown(row: Any, viewer: Viewer) -> Shown:
    is_comment = row.target_kind == TargetKind.COMMENT
    deleted_at, hidden_by = (row.comment_deleted_at, row.comment_hidden_by) if is_comment else (row.deleted_at, row.hidden_by)
    is_open = row.state == CaseState.OPEN
    html, excerpt = "", ""
    if is_open and deleted_at is None:
        html = row.comment_html if is_comment and len(row.comment_html) <= LONGEST else ""
        excerpt = "" if html else teaser(row.comment_html, EXCERPT) if is_comment else f"{row.title}. {row.teaser}"
    listed = is_listed_post(_PostOf(row.post_state, row.deleted_at, row.hidden_by))  # type: ignore[arg-type]
    post_path = path_of(row.slug if listed else str(row.post_id))
    fresh = is_open and row.claimed_by is not None and now() - row.claimed_at < CLAIM
    above_is_gone = row.above_deleted_at is not None or row.above_hidden_by is not None
    return Shown(
        id=row.id, what=row.target_kind, target_id=row.target_id, person_id=row.person_id, username=row.username, person=row.display_name,
        html=html, excerpt=excerpt, is_deleted=deleted_at is not None, is_hidden=hidden_by is not None,
        path=(f"/comments/{row.target_id}" if row.listed else "") if is_comment else post_path if row.deleted_at is None else "",
        post_title=row.title if listed else f"Post {row.post_id}",
        parent_path=f"/comments/{row.above_id}" if row.above_id else "",
        parent_name=shown_name(row.above_name, row.above_deleted_at is not None, row.above_hidden_by is not None) if row.above_id else "",
        parent_excerpt=teaser(row.above_html, PARENT_EXCERPT) if row.above_id and is_open and not above_is_gone else "",
        report_count=row.report_count, opened_at=row.opened_at, reported_at=row.reported_at, is_open=is_open,
        is_yours=fresh and row.claimed_by == viewer.id,
        claimed_by=name(row.moderator_number, row.claimer) if fresh and row.claimed_by != viewer.id else "", claimed_at=row.claimed_at,
        outcome=OUTCOMES.get(row.kind, "A moderator acted on it.") if row.kind else "", act_number=row.number, act_handle=row.actor_handle,
        closed_at=row.closed_at, replies=row.reply_count or 0,
    )


def _complete(cases: Sequence[Shown]) -> None:
    """Give open cases their reports and all of them the histories of those concerned. Three statements, none for no cases."""
    if not cases:
        return
    place = func.row_number().over(partition_by=Report.case_id, order_by=Report.id).label("place")
    ranked = (
        select(Report.id, Report.case_id, Report.note, Report.bad_faith_by, Rule.number, Rule.title, place)
        .join(Rule, Rule.id == Report.rule_id).where(Report.case_id.in_([shown.id for shown in cases])).subquery()
    )
    by_id = {shown.id: shown for shown in cases}
    for row in db.session.execute(select(ranked).where(ranked.c.place <= MOST_REPORTS).order_by(ranked.c.id)):
        by_id[row.case_id].reports.append(Line(row.id, row.number, row.title, row.note, row.bad_faith_by is not None))
    known = histories(list({shown.person_id for shown in cases}))
    for shown in cases:
        shown.history = known[shown.person_id]
