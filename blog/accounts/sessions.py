"""Signed-in browsers: rows that can be ended at any time. The cookie holds a random token, the row its SHA-256."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import delete, select, update
from sqlalchemy.orm import aliased

from blog.accounts.models import LoginSession, Member
from blog.acts.models import Act
from blog.clock import now
from blog.config import settings
from blog.db import db, note
from blog.notices.models import unseen
from blog.viewer import Viewer

# How long a browser stays signed in without being used: the row, and the cookie by PERMANENT_SESSION_LIFETIME.
STAY = timedelta(days=60)

# A visit is noted at most this often: reading pages should not write.
SEEN_EVERY = timedelta(hours=1)


def hashed(token: str) -> str:
    """What a row keeps of a token that was given away."""
    return hashlib.sha256(token.encode()).hexdigest()


class Account(Protocol):
    """What decides whether an account opens: the row itself, or any value with these names."""

    @property
    def is_demo(self) -> bool: ...
    @property
    def left_at(self) -> datetime | None: ...


def may_sign_in(member: Account) -> bool:
    """Whether this account opens at all: asked at every door, which are password, mailed link and cookie.

    Nobody comes back to an account that was given up. Demo accounts, whose passwords are known, stay closed in production unless
    DEMO_PASSWORD is set.
    """
    return member.left_at is None and (not member.is_demo or _demo_is_open())


def _demo_is_open() -> bool:
    return not settings().is_production or bool(settings().demo_password)


def start(member_id: int, browser: str) -> str:
    """A new session row for this member; gives the token for the cookie."""
    token = secrets.token_urlsafe(32)
    moment = now()
    db.session.add(LoginSession(token_hash=hashed(token), member_id=member_id, browser=browser[:200], created_at=moment,
                                seen_at=moment, expires_at=moment + STAY))
    db.session.flush()
    return token


_REFUSED = aliased(Act)

# The Viewer's columns, read without ORM objects: every page of a member begins with this.
_VIEWER = (
    select(Member.id, Member.username, Member.display_name, Member.role, Member.verified_at, Member.created_at, Member.theme, Member.zone, Member.is_demo,
           Member.left_at, Member.is_waiting, Member.suspended_until, Act.number.label("suspension"), _REFUSED.number.label("refusal"),
           unseen(Member.id).label("unseen"),
           LoginSession.id.label("session_id"), LoginSession.seen_at, LoginSession.expires_at)
    .join(LoginSession, LoginSession.member_id == Member.id)
    .outerjoin(Act, Act.id == Member.suspended_by)
    .outerjoin(_REFUSED, _REFUSED.id == Member.refused_by)
)


def load(token: str) -> Viewer | None:
    """The viewer that a token stands for, or None if its session has ended. One statement; one more to note a visit once an hour."""
    moment = now()
    row = db.session.execute(_VIEWER.where(LoginSession.token_hash == hashed(token), LoginSession.expires_at > moment)).one_or_none()
    if row is None or not may_sign_in(row):
        return None
    prolonged = False
    if moment - row.seen_at > SEEN_EVERY:
        prolonged = note(update(LoginSession).where(LoginSession.id == row.session_id).values(seen_at=moment, expires_at=moment + STAY))
    suspended = row.suspension is not None and (row.suspended_until is None or row.suspended_until > moment)
    return Viewer(id=row.id, username=row.username, display_name=row.display_name, role=row.role, verified=row.verified_at is not None,
                  joined_at=row.created_at, theme=row.theme, zone=row.zone, is_waiting=row.is_waiting, refusal=row.refusal or 0,
                  suspension=row.suspension if suspended else 0, suspended_until=row.suspended_until if suspended else None, unseen=row.unseen,
                  session_id=row.session_id, token=token, prolonged=prolonged)


def renew(session_id: int) -> str:
    """A new token for this session; the cookie that held the old one is good no longer."""
    token = secrets.token_urlsafe(32)
    db.session.execute(update(LoginSession).where(LoginSession.id == session_id).values(token_hash=hashed(token)))
    return token


def end(session_id: int) -> None:
    """End one session."""
    db.session.execute(delete(LoginSession).where(LoginSession.id == session_id))


def end_all(member_id: int, besides: int = 0) -> None:
    """End all sessions of a member, `besides` one of them."""
    db.session.execute(delete(LoginSession).where(LoginSession.member_id == member_id, LoginSession.id != besides))


def forget_expired() -> None:
    """Take away sessions that were not used for too long."""
    db.session.execute(delete(LoginSession).where(LoginSession.expires_at <= now()))
