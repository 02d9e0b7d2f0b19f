"""People: a member, their addresses, their signed-in browsers, and the links mailed to them."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import Dialect, ForeignKey, Index, SmallInteger, String, Text, and_, false
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from blog.db import Base, BigId, UTCDateTime


class Role(IntEnum):
    """One ordered column: each role includes those before it."""

    MEMBER = 1
    AUTHOR = 2
    MODERATOR = 3
    ADMINISTRATOR = 4

    @property
    def word(self) -> str:
        """The role as people read and type it."""
        return self.name.lower()


class RoleColumn(TypeDecorator[Role]):
    """Stores a Role as its number, so that the database can compare roles too."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Role | None:
        return None if value is None else Role(value)


class Member(Base):
    __tablename__ = "member"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    username: Mapped[str] = mapped_column(String(30))  # fixed, stands in addresses
    username_key: Mapped[str] = mapped_column(String(60), unique=True)  # without case and with look-alikes folded (text/names.py)
    display_name: Mapped[str] = mapped_column(String(60))
    about: Mapped[str] = mapped_column(Text, default="")
    role: Mapped[Role] = mapped_column(RoleColumn, default=Role.MEMBER)
    password_hash: Mapped[str | None] = mapped_column(String(200))  # None: signs in only after a mailed or printed link
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # since when one address is confirmed
    theme: Mapped[str] = mapped_column(String(10), default="system")  # system, light, dark
    zone: Mapped[str | None] = mapped_column(String(60))  # None: the board's
    moderator_number: Mapped[int | None] = mapped_column(unique=True)  # the 2 in "M2", given with the first act
    suspended_by: Mapped[int | None] = mapped_column(BigId)  # the act; acts are never removed, so it needs no foreign key
    suspended_until: Mapped[datetime | None] = mapped_column(UTCDateTime)  # None with suspended_by: until it is lifted
    is_waiting: Mapped[bool] = mapped_column(default=False, server_default=false())  # registered where a moderator admits newcomers, not admitted yet
    refused_by: Mapped[int | None] = mapped_column(BigId)  # the act by which a moderator did not admit them; they are waiting still
    invited_by: Mapped[int | None] = mapped_column(BigId)  # the member
    is_demo: Mapped[bool] = mapped_column(default=False)  # may not sign in in production unless DEMO_PASSWORD is set
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # gave the account up; the row stays, for their words and so that nobody gets the name

    __table_args__ = ({"sqlite_autoincrement": True},)


# Who waits for a moderator to admit them.
AT_THE_DOOR = and_(Member.is_waiting, Member.refused_by.is_(None))
Index("member_waiting", Member.id, sqlite_where=AT_THE_DOOR, postgresql_where=AT_THE_DOOR)


class EmailAddress(Base):
    """An address somebody gave. It belongs to the account that verified it first; until then it is only a claim."""

    __tablename__ = "email_address"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    address: Mapped[str] = mapped_column(String(320))  # as typed
    address_key: Mapped[str] = mapped_column(String(320), index=True)  # lower case
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


VERIFIED = EmailAddress.verified_at.is_not(None)
Index("email_address_verified", EmailAddress.address_key, unique=True, sqlite_where=VERIFIED, postgresql_where=VERIFIED)


class LoginSession(Base):
    """One signed-in browser. The cookie holds a random token, the row its SHA-256: ending the row ends the visit."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    browser: Mapped[str] = mapped_column(String(200), default="")  # User-Agent, shortened, for the member's own list
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)  # to the hour: not every page is a write
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)


class LinkPurpose(StrEnum):
    VERIFY = "verify"
    RESET = "reset"


class MailedLink(Base):
    """A one-time link. Its token is made from the key and `nonce` when the mail is sent; the row keeps only its SHA-256."""

    __tablename__ = "mailed_link"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    purpose: Mapped[str] = mapped_column(String(10))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    email_id: Mapped[int | None] = mapped_column(ForeignKey("email_address.id"))
    nonce: Mapped[str] = mapped_column(String(64))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
