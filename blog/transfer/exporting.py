"""What the board holds of a member, as one JSON file for themselves: their own words and facts, and what was done about them.

Of others it holds nothing but what was said to the member: the reasons of acts, the messages in their appeals, and, where the board says
so (`notes_exported`), what moderators noted about them. Moderators appear by handle, nobody else appears at all.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain, groupby
from typing import IO, Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from blog.accounts import browsers
from blog.accounts.models import EmailAddress, LoginSession, Member
from blog.acts import words
from blog.acts.models import Act, ActKind, Rule, TargetKind
from blog.clock import now
from blog.comments.models import Comment, CommentRevision, Thank
from blog.config import settings
from blog.dates import iso
from blog.db import db
from blog.drafts.models import Draft
from blog.filters.models import HeldText, Invitation
from blog.moderation.models import Appeal, AppealMessage, AppealState, Case, MemberNote, Report
from blog.moderation.reporting import OUTCOMES
from blog.notices.models import Notice, NoticeKind
from blog.permissions import may_export
from blog.posts.models import Post, PostRevision, PostThank, PostTopic
from blog.topics.models import Topic
from blog.viewer import Viewer

# Rises when a reader of the file would have to read it otherwise.
FORMAT = "parley-member 1"

# Rows of a section in memory at a time: few where one may hold a whole article, more where each is short.
LONG_ROWS, ROWS = 20, 200

# One each.
STATEMENTS = 15

ABOUT_ACTS = (NoticeKind.ACT, NoticeKind.APPEAL, NoticeKind.APPEALED, NoticeKind.MESSAGE)

# Between two topics' names; no name holds it.
BETWEEN = "\n"

Facts = dict[str, Any]
Item = Iterable[str]


def write(viewer: Viewer, to: IO[bytes]) -> None:
    """Write the member's file. STATEMENTS statements, one less where notes are not exported, whatever the number of rows; never more than
    ROWS of them in memory, of whole texts LONG_ROWS. Call inside `at_one_moment()`. Raises NotAllowed."""
    may_export(viewer).require()
    to.write(f'{{"format": {_json(FORMAT)}, "board": {_json(settings().public_url)}, "made_at": {_json(iso(now()))}'.encode())
    for name, pieces in _sections(viewer.id):
        to.write(f',\n\n"{name}": '.encode())
        for piece in pieces:
            to.write(piece.encode())
    to.write(b"}\n")


def _sections(member_id: int) -> Iterator[tuple[str, Iterator[str]]]:
    """Name and JSON of each part of the file, one statement each."""
    yield "profile", iter([_json(_profile(member_id))])
    for name, listed in _LISTS.items():
        if name != "notes_about_you" or settings().notes_exported:
            yield name, _list(listed(member_id))


# -- JSON in pieces, so that no list is ever whole in memory


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(items: Iterable[Item]) -> Iterator[str]:
    yield "["
    for number, item in enumerate(items):
        yield ",\n" if number else "\n"
        yield from item
    yield "]"


def _rows(statement: Any, at_a_time: int = ROWS) -> Iterable[Any]:
    rows: Iterable[Any] = db.session.execute(statement, execution_options={"yield_per": at_a_time})
    return rows


def _flat(statement: Any, facts: Callable[[Any], Facts], at_a_time: int = ROWS) -> Iterator[Item]:
    """Each row is one item."""
    for row in _rows(statement, at_a_time):
        yield (_json(facts(row)),)


def _nested(statement: Any, facts: Callable[[Any], Facts], name: str, part: Callable[[Any], Facts], at_a_time: int = ROWS) -> Iterator[Item]:
    """The rows of one id are one item, each of them a part of it; a row whose `part_id` is None stands for an item without parts."""
    for _, group in groupby(_rows(statement, at_a_time), lambda row: row.id):
        first = next(group)
        parts = ((_json(part(row)),) for row in chain([first], group) if row.part_id is not None)
        yield chain([_json(facts(first))[:-1], f', "{name}": '], _list(parts), ["}"])


def _at(moment: datetime | None) -> str | None:
    return iso(moment) if moment is not None else None


def _rule(row: Any) -> str:
    return f"{row.rule_number}. {row.rule_title}"


# -- the account


def _profile(member_id: int) -> Facts:
    member = db.session.execute(select(Member).where(Member.id == member_id)).scalar_one()
    return {
        "username": member.username, "display_name": member.display_name, "about": member.about, "role": member.role.word,
        "handle": f"M{member.moderator_number}" if member.moderator_number else None, "joined_at": iso(member.created_at),
        "confirmed_at": _at(member.verified_at), "has_password": member.password_hash is not None, "theme": member.theme, "zone": member.zone,
        "is_waiting": member.is_waiting, "was_invited": member.invited_by is not None, "suspended_until": _at(member.suspended_until),
    }


def _addresses(member_id: int) -> Iterator[Item]:
    asked = select(EmailAddress.address, EmailAddress.verified_at, EmailAddress.created_at).where(EmailAddress.member_id == member_id)
    return _flat(asked.order_by(EmailAddress.id), lambda row: {
        "address": row.address, "given_at": iso(row.created_at), "confirmed_at": _at(row.verified_at)})


def _sessions(member_id: int) -> Iterator[Item]:
    """Signed-in browsers, without what opens them."""
    asked = select(LoginSession.browser, LoginSession.created_at, LoginSession.seen_at, LoginSession.expires_at)
    return _flat(asked.where(LoginSession.member_id == member_id).order_by(LoginSession.id), lambda row: {
        "browser": browsers.name_of(row.browser), "user_agent": row.browser, "since": iso(row.created_at), "last_used_at": iso(row.seen_at),
        "ends_at": iso(row.expires_at)})


def _invitations(member_id: int) -> Iterator[Item]:
    asked = select(Invitation.uses_left, Invitation.created_at, Invitation.expires_at).where(Invitation.made_by == member_id)
    return _flat(asked.order_by(Invitation.id), lambda row: {
        "made_at": iso(row.created_at), "ends_at": iso(row.expires_at), "uses_left": row.uses_left})


# -- what they wrote


def _posts(member_id: int) -> Iterator[Item]:
    """In every state, with every version. A deleted one until its words are emptied, then without them."""
    hiding = aliased(Act)
    topics: Any = (
        select(func.aggregate_strings(Topic.name, BETWEEN)).join(PostTopic, PostTopic.topic_id == Topic.id).where(PostTopic.post_id == Post.id)
        .correlate(Post).scalar_subquery()
    )
    asked = (
        select(Post.id, Post.slug, Post.title, Post.state, Post.created_at, Post.published_at, Post.edited_at, Post.deleted_at, Post.comment_count, Post.thanks,
               hiding.number.label("hidden_by"), topics.label("topics"), PostRevision.id.label("part_id"), PostRevision.revision,
               PostRevision.title.label("revision_title"), PostRevision.source, PostRevision.created_at.label("revised_at"))
        .outerjoin(PostRevision, PostRevision.post_id == Post.id)
        .outerjoin(hiding, hiding.id == Post.hidden_by)
        .where(Post.author_id == member_id)
        .order_by(Post.id, PostRevision.revision)
    )
    return _nested(asked, lambda row: {
        "id": row.id, "slug": row.slug, "title": row.title, "state": row.state, "topics": sorted((row.topics or "").split(BETWEEN)) if row.topics else [],
        "written_at": iso(row.created_at), "published_at": _at(row.published_at), "edited_at": _at(row.edited_at), "deleted_at": _at(row.deleted_at),
        "hidden_by_act": row.hidden_by, "comments": row.comment_count, "thanks": row.thanks,
    }, "versions", lambda row: {
        "version": row.revision, "title": row.revision_title, "markdown": row.source, "written_at": iso(row.revised_at)}, LONG_ROWS)


def _comments(member_id: int) -> Iterator[Item]:
    """As posts. What a comment answers goes by number alone."""
    hiding = aliased(Act)
    asked = (
        select(Comment.id, Comment.post_id, Comment.seq, Comment.parent_id, Comment.created_at, Comment.edited_at, Comment.deleted_at, Comment.thanks,
               hiding.number.label("hidden_by"), CommentRevision.id.label("part_id"), CommentRevision.version, CommentRevision.source,
               CommentRevision.created_at.label("revised_at"))
        .outerjoin(CommentRevision, CommentRevision.comment_id == Comment.id)
        .outerjoin(hiding, hiding.id == Comment.hidden_by)
        .where(Comment.author_id == member_id)
        .order_by(Comment.id, CommentRevision.version)
    )
    return _nested(asked, lambda row: {
        "id": row.id, "post": row.post_id, "number": row.seq, "answers": row.parent_id, "written_at": iso(row.created_at), "edited_at": _at(row.edited_at),
        "deleted_at": _at(row.deleted_at), "hidden_by_act": row.hidden_by, "thanks": row.thanks,
    }, "versions", lambda row: {"version": row.version, "markdown": row.source, "written_at": iso(row.revised_at)})


def _drafts(member_id: int) -> Iterator[Item]:
    """What was typed and not sent. Drafts of posts that were saved stand among the posts."""
    asked = select(Draft.target, Draft.fields, Draft.updated_at).where(Draft.member_id == member_id)
    return _flat(asked.order_by(Draft.id), lambda row: {"form": row.target, "fields": row.fields, "kept_at": iso(row.updated_at)}, LONG_ROWS)


def _held(member_id: int) -> Iterator[Item]:
    """Comments and changes that a filter held, decided or not. Posts that wait stand among the posts."""
    holding, deciding = aliased(Act), aliased(Act)
    asked = (
        select(HeldText.id, HeldText.kind, HeldText.post_id, HeldText.parent_id, HeldText.comment_id, HeldText.title, HeldText.topics, HeldText.source,
               HeldText.state, HeldText.created_at, holding.number.label("held_by"), deciding.number.label("decided_by"))
        .outerjoin(holding, holding.id == HeldText.held_by)
        .outerjoin(deciding, deciding.id == HeldText.decided_by)
        .where(HeldText.author_id == member_id)
        .order_by(HeldText.id)
    )
    return _flat(asked, lambda row: {
        "id": row.id, "kind": row.kind, "post": row.post_id, "answers": row.parent_id, "comment": row.comment_id, "title": row.title, "topics": row.topics,
        "markdown": row.source, "state": row.state, "written_at": iso(row.created_at), "held_by_act": row.held_by, "decided_by_act": row.decided_by,
    }, LONG_ROWS)


# -- what they pressed and were told


def _thanked_comments(member_id: int) -> Iterator[Item]:
    return _flat(select(Thank.comment_id).where(Thank.member_id == member_id).order_by(Thank.comment_id), lambda row: {"comment": row.comment_id})


def _thanked_posts(member_id: int) -> Iterator[Item]:
    return _flat(select(PostThank.post_id).where(PostThank.member_id == member_id).order_by(PostThank.post_id), lambda row: {"post": row.post_id})


def _notices(member_id: int) -> Iterator[Item]:
    """What was told and when; never by whom."""
    asked = (
        select(Notice.kind, Notice.subject_id, Notice.count, Notice.told_at, Notice.seen_at, Act.number)
        .outerjoin(Act, Notice.kind.in_([kind.value for kind in ABOUT_ACTS]) & (Act.id == Notice.subject_id))
        .where(Notice.member_id == member_id)
        .order_by(Notice.id)
    )

    def facts(row: Any) -> Facts:
        about = {"act": row.number} if row.number else {"report_of_case" if row.kind == NoticeKind.REPORT else "comment": row.subject_id}
        return {"kind": row.kind, **about, "count": row.count, "told_at": iso(row.told_at), "seen_at": _at(row.seen_at)}

    return _flat(asked, facts)


# -- moderation


def _reports(member_id: int) -> Iterator[Item]:
    """Their own, with what came of each. What was reported goes by number alone."""
    answer, undoing, bad_faith = aliased(Act), aliased(Act), aliased(Act)
    asked = (
        select(Report.case_id, Report.note, Report.created_at, Case.target_kind, Case.target_id, Case.closed_at, Rule.number.label("rule_number"),
               Rule.title.label("rule_title"), answer.kind, answer.number, undoing.number.label("undone_by"), bad_faith.number.label("bad_faith"))
        .join(Case, Case.id == Report.case_id)
        .join(Rule, Rule.id == Report.rule_id)
        .outerjoin(answer, answer.id == Case.closed_by)
        .outerjoin(undoing, undoing.undoes_id == answer.id)
        .outerjoin(bad_faith, bad_faith.id == Report.bad_faith_by)
        .where(Report.reporter_id == member_id)
        .order_by(Report.id)
    )

    def facts(row: Any) -> Facts:
        kind = ActKind.BAD_FAITH.value if row.bad_faith else row.kind
        return {
            "case": row.case_id, "about": {row.target_kind: row.target_id}, "rule": _rule(row), "note": row.note, "reported_at": iso(row.created_at),
            "outcome": OUTCOMES.get(kind, "A moderator acted on it.") if kind else None, "act": row.bad_faith or row.number,
            "decided_at": _at(row.closed_at), "taken_back_by_act": row.undone_by,
        }

    return _flat(asked, facts)


def _acts(member_id: int) -> Iterator[Item]:
    """What was done about the member or their words, and what became of it."""
    undoing, deciding, about = aliased(Act), aliased(Act), aliased(Act)
    asked: Any = (
        select(Act, Rule.number.label("rule_number"), Rule.title.label("rule_title"), undoing, deciding, about.number.label("about_number"), Appeal.state)
        .join(Rule, Rule.id == Act.rule_id)
        .outerjoin(undoing, undoing.undoes_id == Act.id)
        .outerjoin(deciding, (deciding.about_id == Act.id) & deciding.kind.in_([kind.value for kind in words.DECISIONS]))
        .outerjoin(about, about.id == func.coalesce(Act.about_id, Act.undoes_id))
        .outerjoin(Appeal, Appeal.act_id == Act.id)
        .where(Act.person_id == member_id)
        .order_by(Act.id)
    )
    moment = now()

    def facts(row: Any) -> Facts:
        act, undone_by, decided_by = row[0], row[3], row[4]
        subject = {act.target_kind: act.target_id} if act.target_kind in (TargetKind.POST, TargetKind.COMMENT, TargetKind.HELD) else {}
        return {
            "number": act.number, "kind": act.kind, "what": words.passive(act, True, about=row.about_number or 0), "by": act.actor_handle, "about": subject,
            "about_act": row.about_number, "rule": _rule(row), "reason": act.reason, "scope": act.scope, "until": _at(act.until), "filter": act.filter_name,
            "done_at": iso(act.created_at),
            "state": words.state(act, moment, undone_by=undone_by, decided_by=decided_by, is_appealed=row.state == AppealState.OPEN),
        }

    return _flat(asked, facts)


def _appeals(member_id: int) -> Iterator[Item]:
    """Their own, with what both sides wrote: it was said to them."""
    decision = aliased(Act)
    asked = (
        select(Appeal.id, Act.number, Appeal.statement, Appeal.state, Appeal.outcome, Appeal.filed_at, Appeal.decided_at, decision.number.label("decided_by"),
               decision.reason, AppealMessage.id.label("part_id"), AppealMessage.author_id, AppealMessage.body,
               AppealMessage.created_at.label("said_at"), Member.moderator_number)
        .join(Act, Act.id == Appeal.act_id)
        .outerjoin(decision, decision.id == Appeal.decided_by)
        .outerjoin(AppealMessage, AppealMessage.appeal_id == Appeal.id)
        .outerjoin(Member, Member.id == AppealMessage.author_id)
        .where(Appeal.person_id == member_id)
        .order_by(Appeal.id, AppealMessage.id)
    )

    def by(row: Any) -> str:
        if row.author_id == member_id:
            return "you"
        return f"M{row.moderator_number}" if row.moderator_number else "a moderator"

    return _nested(asked, lambda row: {
        "act": row.number, "statement": row.statement, "filed_at": iso(row.filed_at), "state": row.state, "outcome": row.outcome,
        "decided_at": _at(row.decided_at), "decided_by_act": row.decided_by, "decision": row.reason,
    }, "messages", lambda row: {"by": by(row), "text": row.body, "said_at": iso(row.said_at)})


def _notes(member_id: int) -> Iterator[Item]:
    asked = select(MemberNote.body, MemberNote.created_at).where(MemberNote.member_id == member_id).order_by(MemberNote.id)
    return _flat(asked, lambda row: {"text": row.body, "noted_at": iso(row.created_at)})


_LISTS: dict[str, Callable[[int], Iterator[Item]]] = {
    "addresses": _addresses, "sessions": _sessions, "posts": _posts, "comments": _comments, "drafts": _drafts, "held_texts": _held,
    "thanked_comments": _thanked_comments, "thanked_posts": _thanked_posts, "notices": _notices, "invitations": _invitations, "reports": _reports,
    "acts_about_you": _acts, "appeals": _appeals, "notes_about_you": _notes,
}
