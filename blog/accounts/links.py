"""One-time links that go out by mail (or, from the shell, on paper): to confirm an address, to choose a new password.

A link's token is made from the board's key and the row's nonce, when it is sent; the row keeps its SHA-256. So neither the
database nor the outbox alone opens anything, and a link that is out stays good when the key changes.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta

from sqlalchemy import delete, or_, select

from blog.accounts.models import LinkPurpose, MailedLink
from blog.accounts.sessions import hashed
from blog.clock import now
from blog.config import settings
from blog.db import db

# A mail may wait over a weekend; a new password is chosen at once, by whoever asked for it.
LASTS = {LinkPurpose.VERIFY: timedelta(days=3), LinkPurpose.RESET: timedelta(hours=1)}

# A link handed over from the shell has a longer way.
BY_HAND = timedelta(days=3)

# Used and expired links are kept for a while, so that pressing twice can be answered properly.
KEEP = timedelta(days=30)


def new_nonce() -> str:
    return secrets.token_urlsafe(32)


def issue(purpose: LinkPurpose, member_id: int, *, email_id: int | None = None, nonce: str = "", lasts: timedelta | None = None) -> MailedLink:
    """A new link for this member."""
    nonce = nonce or new_nonce()
    moment = now()
    token = _made(settings().secret_key, purpose, member_id, nonce)
    link = MailedLink(purpose=purpose, member_id=member_id, email_id=email_id, nonce=nonce, token_hash=hashed(token), created_at=moment,
                      expires_at=moment + (lasts or LASTS[purpose]))
    db.session.add(link)
    db.session.flush()
    return link


def token_of(link: MailedLink) -> str:
    """The token to send. "" for a link that was made under a key which is gone from the settings."""
    for key in (settings().secret_key, *settings().secret_key_fallbacks):
        token = _made(key, LinkPurpose(link.purpose), link.member_id, link.nonce)
        if hmac.compare_digest(hashed(token), link.token_hash):
            return token
    return ""


def find(token: str, purpose: LinkPurpose, locked: bool = False) -> MailedLink | None:
    """The link that a token belongs to, used and expired ones too; `locked` until the transaction ends. One statement."""
    asked = select(MailedLink).where(MailedLink.token_hash == hashed(token), MailedLink.purpose == purpose)
    return db.session.execute(asked.with_for_update() if locked else asked).scalar_one_or_none()


def is_open(link: MailedLink) -> bool:
    """Whether it can still be used."""
    return link.used_at is None and link.expires_at > now()


def withdraw(member_id: int, purpose: LinkPurpose) -> None:
    """The member's open links of this purpose are good no longer."""
    db.session.execute(delete(MailedLink).where(MailedLink.member_id == member_id, MailedLink.purpose == purpose, MailedLink.used_at.is_(None)))


def forget_old() -> None:
    """Take away links that were used or expired long ago."""
    past = now() - KEEP
    db.session.execute(delete(MailedLink).where(or_(MailedLink.used_at < past, MailedLink.expires_at < past)))


def _made(key: str, purpose: LinkPurpose, member_id: int, nonce: str) -> str:
    mac = hmac.new(key.encode(), f"mailed link {purpose}:{member_id}:{nonce}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()
