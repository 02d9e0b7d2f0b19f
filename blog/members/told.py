"""What a member's notices say: made when they are shown, from what everybody may read at that moment. Nothing hidden since is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select

from blog.accounts.models import Member
from blog.acts.models import ActKind
from blog.acts.words import DECISIONS
from blog.clock import now
from blog.comments import branches
from blog.comments.models import Comment
from blog.dates import DAYS, MONTHS, local
from blog.db import db
from blog.moderation import log
from blog.moderation.appeals import DONE
from blog.moderation.models import Case
from blog.moderation.reporting import OUTCOMES
from blog.notices.inbox import Told, subjects
from blog.notices.models import NoticeKind
from blog.permissions import is_listed_post, is_open_comment
from blog.posts.models import Post
from blog.text.excerpts import teaser

# Characters of what was written.
EXCERPT = 160

ABOUT_ACTS = (NoticeKind.ACT, NoticeKind.APPEAL, NoticeKind.APPEALED, NoticeKind.MESSAGE)
ABOUT_COMMENTS = (NoticeKind.REPLY, NoticeKind.COMMENT, NoticeKind.APPROVED)


@dataclass(frozen=True, slots=True)
class Line:
    """A notice in words: `lead` leads to `to` ("" where there is nothing to see any more), `rest` goes on after it, `said` quotes."""

    id: int
    told_at: datetime
    is_unread: bool
    lead: str
    to: str = ""
    rest: str = ""
    post_title: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """The notices of one day in the viewer's zone."""

    name: str
    lines: list[Line]


def lines(told: Sequence[Told], member_id: int) -> list[Line]:
    """The notices in words, in the order given. Four statements at most, however many they are."""
    comments = _comments(subjects(told, *ABOUT_COMMENTS))
    buried = branches.below_closed(comments)
    answers = _answers(subjects(told, NoticeKind.REPORT))
    acts = log.of(subjects(told, *ABOUT_ACTS) | {act_id for act_id in answers.values() if act_id})

    def line(notice: Told) -> Line:
        begun = Line(notice.id, notice.told_at, notice.seen_at is None, "")
        if notice.kind in ABOUT_COMMENTS:
            return _of_comment(begun, notice, comments[notice.subject_id], is_buried=notice.subject_id in buried)
        if notice.kind == NoticeKind.REPORT:
            return _of_report(begun, acts.get(answers.get(notice.subject_id) or 0))
        return _of_act(begun, notice, acts[notice.subject_id], member_id)

    return [line(notice) for notice in told]


def by_day(lines: Iterable[Line]) -> list[Day]:
    """Lines under the day on which they were told: "Today", "Yesterday", a weekday of the last week, else a date."""
    today = local(now()).date()

    def name(line: Line) -> str:
        at = local(line.told_at)
        ago = (today - at.date()).days
        if ago < 2:
            return ("Today", "Yesterday")[max(0, ago)]
        date = f"{at.day} {MONTHS[at.month - 1]} {at.year}"
        return f"{DAYS[at.weekday()]} {date}"

    return [Day(day, list(of_day)) for day, of_day in groupby(lines, name)]


# -- what was written


def _comments(ids: set[int]) -> dict[int, Any]:
    """The comments with these ids, with whose and where they are. One statement, none for no ids."""
    if not ids:
        return {}
    asked: Any = (
        select(Comment.id, Comment.html, Comment.author_id, Comment.deleted_at, Comment.hidden_by, Comment.listed, Comment.closed, Comment.post_id,
               Member.display_name, Post.slug, Post.title, Post.state, Post.deleted_at.label("post_deleted_at"), Post.hidden_by.label("post_hidden_by"))
        .join(Post, Post.id == Comment.post_id).join(Member, Member.id == Comment.author_id).where(Comment.id.in_(ids))
    )
    return {row.id: row for row in db.session.execute(asked)}


@dataclass(frozen=True, slots=True)
class _OfPost:
    """What the rulings ask of the post that a comment stands under."""

    state: str
    deleted_at: datetime | None
    hidden_by: int | None
    author_id: int = 0
    locked_by: int | None = None


def _of_comment(line: Line, notice: Told, comment: Any, is_buried: bool) -> Line:
    """A reply, a comment on a post, a text that was approved. `is_buried`: it stands in a branch that was hidden whole."""
    post = _OfPost(comment.state, comment.post_deleted_at, comment.post_hidden_by)
    line = replace(line, post_title=comment.title if is_listed_post(post) else f"Post {comment.post_id}")
    if is_open_comment(comment, post) and not is_buried:
        line = replace(line, to=f"/comments/{comment.id}", said=teaser(comment.html, EXCERPT))
        if notice.kind == NoticeKind.APPROVED:
            return replace(line, lead="Your comment was approved", said="")
        to_whom = "replied to you" if notice.kind == NoticeKind.REPLY else "commented on your post"
        if notice.count == 1:
            return replace(line, lead=f"{comment.display_name} {to_whom}")
        return replace(line, lead=f"{_some(notice)}, the newest by {comment.display_name}")
    gone = "hidden since" if comment.hidden_by is not None or is_buried else "deleted since"
    # Where replies hang on it a tombstone stands, and the way leads there.
    line = replace(line, to=f"/comments/{comment.id}" if comment.listed and not is_buried else "")
    if notice.kind == NoticeKind.APPROVED:
        return replace(line, lead=f"Your comment was approved, and {gone}")
    if notice.count == 1:
        return replace(line, lead=f"{'A reply to you' if notice.kind == NoticeKind.REPLY else 'A comment on your post'} that was {gone}")
    return replace(line, lead=f"{_some(notice)}; the newest was {gone}")


def _some(notice: Told) -> str:
    return f"{notice.count} replies to your comment" if notice.kind == NoticeKind.REPLY else f"{notice.count} comments on your post"


# -- what was done


def _answers(case_ids: set[int]) -> dict[int, int | None]:
    """The acts that answered these cases. One statement, none for no cases."""
    if not case_ids:
        return {}
    return {row.id: row.closed_by for row in db.session.execute(select(Case.id, Case.closed_by).where(Case.id.in_(case_ids)))}


def _of_act(line: Line, notice: Told, act: log.Line, member_id: int) -> Line:
    """An act about the member, a decision, an appeal against the member's own act, a message. A reason that was taken out is told no more."""
    at = f"/acts/{act.number}"
    if notice.kind == NoticeKind.MESSAGE:
        several = f"{notice.count} messages" if notice.count > 1 else "A message"
        if notice.by_id is not None and notice.by_id == act.person_id:
            return replace(line, lead=f"{several} from the member who appealed act {act.number}", to=f"{at}#messages")
        return replace(line, lead=f"{several} about your appeal of act {act.number}", to=f"{at}#messages")
    if notice.kind == NoticeKind.APPEALED and act.kind not in DECISIONS:
        return replace(line, lead=f"Your act {act.number} was appealed", to=at, rest=". Another moderator decides")
    if notice.kind == NoticeKind.ACT and act.person_id != member_id:
        became = "hidden" if act.kind == ActKind.HIDE else "brought back"
        return replace(line, lead=f"A branch that you wrote in was {became}", to=at, rest=f", under rule {act.rule_number}", said=act.reason)
    if notice.kind == NoticeKind.ACT:
        return replace(line, lead=act.happened, to=at, rest=f", under rule {act.rule_number}", said=act.reason)
    # A decision is read where the act that it is about is read, with its appeal.
    return replace(line, lead=act.happened if notice.kind == NoticeKind.APPEAL else act.was, to=f"/acts/{act.about or act.number}", said=act.reason)


def _of_report(line: Line, act: log.Line | None) -> Line:
    """A report that was decided."""
    if act is None:
        return replace(line, lead="Your report was looked at", to="/reports")
    came = OUTCOMES.get(act.kind, "A moderator acted on it.").rstrip(".")
    changed = f"; {DONE[act.outcome]} on appeal" if act.outcome else ""
    return replace(line, lead="Your report was decided", to=f"/acts/{act.number}", said=act.reason,
                   rest=f": {came[0].lower()}{came[1:]}, under rule {act.rule_number}{changed}")
