"""Reports: what members tell moderators about a post or comment. All on one thing make one case; who told stays among moderators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from blog.accounts.models import Member
from blog.acts import recording
from blog.acts.models import Act, ActKind, Rule, TargetKind
from blog.clock import now
from blog.comments.models import Comment
from blog.comments.thread import shown_name
from blog.db import db
from blog.errors import Invalid, NotFound
from blog.moderation.models import OPEN, Case, CaseState, Report
from blog.paging import cursor, read_cursor
from blog.permissions import is_listed_post, is_open_comment, may_report
from blog.posts.listing import Page, path_of
from blog.posts.models import Post
from blog.viewer import Viewer

LONGEST_NOTE = 1000

PAGE = 20

# Who claims a case and goes away gives it back after this long.
CLAIM = timedelta(minutes=30)

Target = tuple[TargetKind, int]

# What a reporter is told of the act that answered, before its reason.
OUTCOMES: dict[str, str] = {
    ActKind.HIDE: "It was hidden.",
    ActKind.WARN: "It led to a warning.",
    ActKind.SUSPEND: "It led to a suspension.",
    ActKind.REDACT: "Words were taken out of it.",
    ActKind.LOCK: "The discussion was closed for new comments.",
    ActKind.CLOSE: "The discussion was closed for new comments.",
    ActKind.SLOW: "The discussion was slowed down.",
    ActKind.DISMISS: "The moderators left it as it is.",
    ActKind.BAD_FAITH: "The report was dismissed as made to harm.",
}


def report(target: Target, by: Viewer, *, rule_id: int, note: str) -> bool:
    """Tell moderators that a post or comment breaks a rule. The first report opens its case, others join it. A second one by the same
    member changes their first while the case is open. Says whether it is new.

    Raises NotFound, NotAllowed (own words, or gone already), Invalid (no rule, a note too long).
    """
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise Invalid(f"A note may have {LONGEST_NOTE:,} characters; this has {len(note):,}. It is all still here: shorten it.", "note")
    author_id, is_open = _facts(target)
    may_report(by, author_id, is_open).require()
    rule = recording.rule_in_force(rule_id)
    moment = now()
    case_id = _open_case(target, author_id, moment)
    mine = update(Report).where(Report.case_id == case_id, Report.reporter_id == by.id).values(rule_id=rule.id, note=note)
    if db.session.execute(mine).rowcount:  # type: ignore[attr-defined]
        return False
    db.session.add(Report(case_id=case_id, reporter_id=by.id, rule_id=rule.id, note=note, created_at=moment))
    db.session.execute(update(Case).where(Case.id == case_id).values(report_count=Case.report_count + 1, reported_at=moment))
    db.session.flush()
    return True


def _open_case(target: Target, person_id: int, moment: datetime) -> int:
    """The open case on that thing, made if there is none; its row is held, so that reports on one thing wait for each other."""
    there = update(Case).where(Case.target_kind == target[0].value, Case.target_id == target[1], OPEN).values(state=Case.state).returning(Case.id)
    found = db.session.execute(there).scalar_one_or_none()
    if found is not None:
        return int(found)
    insert: Any = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    opened = insert(Case).values(target_kind=target[0].value, target_id=target[1], person_id=person_id, state=CaseState.OPEN.value, report_count=0,
                                 opened_at=moment, reported_at=moment)
    # Another may open it at this very moment.
    taken = opened.on_conflict_do_update(index_elements=["target_kind", "target_id"], index_where=text("state = 'open'"), set_={"state": "open"})
    return int(db.session.execute(taken.returning(Case.id)).scalar_one())


def _facts(target: Target) -> tuple[int, bool]:
    """Who wrote it, and whether everybody reads it; its post's row is held, so that it is not hidden at the same moment."""
    kind, target_id = target
    if kind is TargetKind.POST:
        post = db.session.execute(
            select(Post.author_id, Post.state, Post.deleted_at, Post.hidden_by, Post.locked_by).where(Post.id == target_id).with_for_update()
        ).one_or_none()
        if post is None:
            raise NotFound()
        return post.author_id, is_listed_post(post)
    row: Any = db.session.execute(
        select(Comment.author_id, Comment.deleted_at, Comment.hidden_by, Comment.listed, Comment.closed, Post.state)
        .join(Post, Post.id == Comment.post_id).where(Comment.id == target_id).with_for_update(of=Post)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such comment. It may have been typed wrong.")
    return row.author_id, is_open_comment(row, row)


@dataclass(frozen=True, slots=True)
class Told:
    """What a member has reported about one thing, while its case is open."""

    rule_id: int
    note: str


def told(target: Target, member_id: int) -> Told | None:
    """The member's report in the open case on that thing. One statement."""
    row = db.session.execute(
        select(Report.rule_id, Report.note).join(Case, Case.id == Report.case_id)
        .where(Case.target_kind == target[0].value, Case.target_id == target[1], OPEN, Report.reporter_id == member_id)
    ).one_or_none()
    return Told(*row) if row else None


@dataclass(frozen=True, slots=True)
class Mine:
    """One report as its own member reads it. Of the thing reported only what everybody sees now is named."""

    id: int
    what: str  # "Comment by Priya" or "Post"
    path: str  # "" where there is nothing to see any more
    post_title: str
    rule: str
    note: str
    told_at: datetime
    is_claimed: bool
    act_kind: str | None  # of the act that answered; None while the case is open
    act_number: int | None
    act_reason: str | None
    decided_at: datetime | None
    undone_by: int | None  # number of the act that took that one back
    bad_faith_act: int | None

    @property
    def state(self) -> str:
        if self.bad_faith_act or self.act_kind:
            return "Decided"
        return "Being looked at" if self.is_claimed else "Received"

    @property
    def outcome(self) -> str:
        """What came of it, in a sentence; "" while nothing did."""
        if self.bad_faith_act:
            return OUTCOMES[ActKind.BAD_FAITH]
        return OUTCOMES.get(self.act_kind, "A moderator acted on it.") if self.act_kind else ""


def mine(member_id: int, after: str | None = None) -> Page[Mine]:
    """The member's own reports, newest first. One statement. Raises Malformed for a bad cursor."""
    parts = read_cursor(after)
    on, writer, act, undoing, bad_faith = aliased(Post), aliased(Member), aliased(Act), aliased(Act), aliased(Act)
    is_comment = Case.target_kind == TargetKind.COMMENT.value
    asked: Any = (
        select(Report.id, Report.note, Report.created_at, Case.target_kind, Case.target_id, Case.claimed_at, Case.closed_at,
               Rule.number.label("rule_number"), Rule.title.label("rule_title"), Comment.deleted_at.label("comment_deleted_at"),
               Comment.hidden_by.label("comment_hidden_by"), Comment.listed, writer.display_name, on.id.label("post_id"), on.slug, on.title, on.state,
               on.deleted_at, on.hidden_by, on.last_seq, act.kind, act.number, act.reason, undoing.number.label("undone_by"),
               bad_faith.number.label("bad_faith_act"))
        .join(Case, Case.id == Report.case_id)
        .join(Rule, Rule.id == Report.rule_id)
        .outerjoin(Comment, is_comment & (Comment.id == Case.target_id))
        .join(on, on.id == func.coalesce(Comment.post_id, case((is_comment, None), else_=Case.target_id)))
        .join(writer, writer.id == Case.person_id)
        .outerjoin(act, act.id == Case.closed_by)
        .outerjoin(undoing, undoing.undoes_id == act.id)
        .outerjoin(bad_faith, bad_faith.id == Report.bad_faith_by)
        .where(Report.reporter_id == member_id)
        .order_by(Report.id.desc())
        .limit(PAGE + 1)
    )
    if parts is not None:
        asked = asked.where(Report.id < parts[0])
    rows: Sequence[Any] = db.session.execute(asked).all()
    shown = [_mine(row) for row in rows[:PAGE]]
    return Page(shown, cursor(shown[-1].id) if len(rows) > PAGE else "", after or "")


def _mine(row: Any) -> Mine:
    is_comment = row.target_kind == TargetKind.COMMENT
    post_is_gone = row.deleted_at is not None and row.last_seq == 0
    if is_comment:
        what = f"Comment by {shown_name(row.display_name, row.comment_deleted_at is not None, row.comment_hidden_by is not None)}"
        what = what.replace("Comment by the ", "The ")
        path = f"/comments/{row.target_id}" if row.listed else ""
    else:
        what, path = "Post", "" if post_is_gone else path_of(row.slug if is_listed_post(row) else str(row.post_id))
    return Mine(row.id, what, path, row.title if is_listed_post(row) else f"Post {row.post_id}", f"{row.rule_number}. {row.rule_title}", row.note,
                row.created_at, row.claimed_at is not None and now() - row.claimed_at < CLAIM, row.kind, row.number, row.reason, row.closed_at,
                row.undone_by, row.bad_faith_act)
