"""Leaving: the account is closed, what was published stays under "Former member", and nothing opens the account again."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update

from blog.accounts import passwords, sessions
from blog.accounts.models import EmailAddress, MailedLink, Member, Role
from blog.board import versions
from blog.clock import now
from blog.comments.models import Visit
from blog.db import db
from blog.drafts.models import Draft
from blog.errors import Invalid
from blog.filters.models import HeldState, HeldText, Invitation
from blog.moderation.models import APPEAL_OPEN, OPEN, Appeal, Case
from blog.notices.models import Notice
from blog.permissions import Ruling, may_leave
from blog.posts.models import Post, PostRevision, PostState
from blog.viewer import Viewer

# What stands beside the words of whoever left.
NAME = "Former member"


@dataclass(frozen=True, slots=True)
class Way:
    """How this member leaves: whether they may, and whether they prove themselves by password or, having none, by typing their username."""

    ruling: Ruling
    by_password: bool


def way(viewer: Viewer) -> Way:
    """How the viewer leaves. Two statements at most."""
    kept = db.session.execute(select(Member.password_hash).where(Member.id == viewer.id)).scalar_one()
    return Way(may_leave(viewer, _is_last(viewer)), kept is not None)


def approve(viewer: Viewer, password: str, username: str) -> str | None:
    """Whether it is really them: gives the hash that the password was checked against, None for an account without one.

    Raises NotAllowed, Invalid (fields `current_password`, `username`). Outside `writing()`: checking a password takes time.
    """
    found = way(viewer)
    found.ruling.require()
    if not found.by_password:
        if username.strip().casefold() != viewer.username.casefold():
            raise Invalid(f"Type your username, {viewer.username}, so that nobody leaves by a slip. You have not left.", "username")
        return None
    kept = db.session.execute(select(Member.password_hash).where(Member.id == viewer.id)).scalar_one()
    if not passwords.verify(kept, password):
        raise Invalid("That is not your present password, so you have not left. If you don’t remember it, sign out and follow “Forgot the password”.",
                      "current_password")
    return kept


def leave(viewer: Viewer, kept: str | None) -> None:
    """Close the account; `kept` is what `approve` gave. Twice is once. Seventeen statements at most. Call inside `writing()`.

    Reports that wait are still answered, acts about the member stay, and the signed link of an act that was mailed before still opens it and
    takes the appeal. Raises NotAllowed (the last administrator), Invalid (the password was changed meanwhile).
    """
    _empty_unpublished(viewer.id)
    may_leave(viewer, _is_last(viewer, locked=True)).require()
    member = db.session.execute(select(Member).where(Member.id == viewer.id).with_for_update(), execution_options={"populate_existing": True}).scalar_one()
    if member.left_at is not None:
        return
    if member.password_hash != kept:
        raise Invalid("Your password was changed elsewhere a moment ago, so you have not left.", "current_password")
    member.left_at = now()
    member.display_name, member.about, member.role = NAME, "", Role.MEMBER
    member.password_hash, member.verified_at, member.is_waiting, member.invited_by = None, None, False, None
    member.theme, member.zone = "system", None
    db.session.flush()
    sessions.end_all(member.id)
    for table, owner in ((MailedLink, MailedLink.member_id), (EmailAddress, EmailAddress.member_id), (Draft, Draft.member_id), (Notice, Notice.member_id),
                         (Invitation, Invitation.made_by), (Visit, Visit.member_id)):
        db.session.execute(delete(table).where(owner == member.id))
    # What they were about to answer as a moderator is free for others.
    db.session.execute(update(Case).where(Case.claimed_by == member.id, OPEN).values(claimed_by=None, claimed_at=None))
    db.session.execute(update(Appeal).where(Appeal.claimed_by == member.id, APPEAL_OPEN).values(claimed_by=None))
    versions.rise()


def _empty_unpublished(member_id: int) -> None:
    """Drafts, posts that wait and texts that wait are gone at once, with every version: nobody but their writer could have wanted them. The
    rows stay, for the acts that name them. Before anything else, as posts are locked first everywhere."""
    silent: Any = {"synchronize_session": False}
    unpublished = Post.author_id == member_id, Post.state.in_([PostState.DRAFT.value, PostState.HELD.value])
    ids = db.session.execute(select(Post.id).where(*unpublished).order_by(Post.id).with_for_update()).scalars().all()
    db.session.execute(update(PostRevision).where(PostRevision.post_id.in_(select(Post.id).where(*unpublished))).values(title="", source=""),
                       execution_options=silent)
    if ids:
        gone = {"title": "", "html": "", "teaser": "", "headings": [], "words": 0, "deleted_at": now(), "version": Post.version + 1}
        db.session.execute(update(Post).where(*unpublished).values(gone), execution_options=silent)
    waiting = HeldText.author_id == member_id, HeldText.state.in_([HeldState.WAITING.value, HeldState.TAKEN_BACK.value])
    db.session.execute(update(HeldText).where(*waiting).values(state=HeldState.TAKEN_BACK.value, source="", html="", title=None, topics=None),
                       execution_options=silent)


def _is_last(viewer: Viewer, locked: bool = False) -> bool:
    """Whether the viewer is the only administrator who can sign in. Of two who leave at once, `locked` lets the second see that the first has.
    One statement, none for anybody else."""
    if not viewer.is_administrator:
        return False
    asked = select(Member).where(Member.role == Role.ADMINISTRATOR).order_by(Member.id)
    rows = db.session.execute(asked.with_for_update() if locked else asked, execution_options={"populate_existing": True}).scalars().all()
    return not any(member.id != viewer.id and sessions.may_sign_in(member) for member in rows)
