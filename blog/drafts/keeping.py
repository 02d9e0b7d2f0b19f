"""Keeping what was typed: per member and form, and for a visitor until they sign in."""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from blog.clock import now
from blog.db import db
from blog.drafts.models import Draft

# What a stranger typed waits this long for its writer to sign in.
VISITOR_KEEPS = timedelta(days=2)

# Fields that are never kept, whatever form they come from.
SECRET = frozenset({"csrf_token", "password", "current_password", "new_password", "action"})
# Fields that a person writes into: with all of them empty there is nothing to keep.
TYPED = ("title", "body", "reason", "statement", "note")
# Characters of all fields of a form together: a post's text, its title and what else its form holds.
LONGEST = 120_000
# Of one member or visitor the newest are kept: more forms are begun by no hand.
MOST = 100

# A shorter text stands in many others by chance.
TELLING = 24

# What the column holds.
LONGEST_TARGET = 300

# The forms whose text is kept.
FORMS = re.compile(
    r"/posts/new|/posts/[^/?#\s]+/(edit|comments|hide|unhide|report|lock|unlock|close|reopen|slow|unslow|redact)|"
    r"/posts/[^/?#\s]+/comments\?parent_id=[0-9]{1,19}|/comments/[0-9]{1,19}/(edit|reply|hide|unhide|report|aside|back|redact)|"
    r"/members/[A-Za-z0-9_-]{1,30}/(warn|suspend|lift)|/acts/[0-9]{1,19}/(appeal|decide|redact)"
)


def target_of(path: str, fields: Mapping[str, str]) -> str:
    """The address of the form that these fields belong to: the path that they were sent to, with the comment answered."""
    if path == "/drafts" and is_form(fields.get("target", "")):
        return fields["target"]  # the button that keeps a draft says which form it stands in
    parent = fields.get("parent_id", "")
    if path.endswith("/comments") and parent.isascii() and parent.isdigit() and len(parent) < 20:
        return f"{path}?parent_id={int(parent)}"
    return path[:300]


def keep(target: str, fields: Mapping[str, str], *, member_id: int = 0, visitor: str = "") -> None:
    """Keep these fields for a member or, under the random key in their cookie, for a visitor. The newest wins, and only MOST are kept."""
    values = {"fields": _fitting(fields), "updated_at": now()}
    owner: dict[str, Any] = {"member_id": member_id} if member_id else {"visitor_hash": _hashed(visitor)}
    insert: Any = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = insert(Draft).values(target=target, **owner, **values)
    db.session.execute(row.on_conflict_do_update(index_elements=[*owner, "target"], set_=values))
    newest_first = select(Draft.id).filter_by(**owner).order_by(Draft.updated_at.desc(), Draft.id.desc())
    db.session.execute(delete(Draft).where(Draft.id.in_(newest_first.offset(MOST))))
    forget_visitors()


def _fitting(fields: Mapping[str, str]) -> dict[str, str]:
    """What is kept of a form: no secrets, and LONGEST characters of all fields together, the longest cut first."""
    left, kept = LONGEST, {}
    for name, value in sorted(fields.items(), key=lambda field: len(field[1])):
        if name not in SECRET and len(name) <= 40:
            kept[name] = value[:left]
            left -= len(kept[name])
    return kept


def is_form(target: str) -> bool:
    """Whether this is the address of a form that a person writes into."""
    return len(target) <= LONGEST_TARGET and FORMS.fullmatch(target) is not None


def kept(target: str, member_id: int) -> dict[str, Any] | None:
    """The fields that this member typed into that form and did not send, or None. One statement."""
    return db.session.execute(select(Draft.fields).where(Draft.member_id == member_id, Draft.target == target)).scalar_one_or_none()


def words_waiting(visitor: str) -> int:
    """How many words the newest text that waits for this visitor has; 0 for none. One statement."""
    mine = select(Draft.fields).where(Draft.visitor_hash == _hashed(visitor)).order_by(Draft.updated_at.desc(), Draft.id.desc()).limit(1)
    fields = db.session.execute(mine).scalar_one_or_none() or {}
    return max((len(str(value).split()) for value in fields.values()), default=0)


def newest(member_id: int) -> str:
    """The address of the form that this member left last without sending it, "" for none. One statement."""
    mine = select(Draft.target).where(Draft.member_id == member_id).order_by(Draft.updated_at.desc(), Draft.id.desc()).limit(1)
    return db.session.execute(mine).scalar_one_or_none() or ""


def claim(visitor: str, member_id: int) -> list[str]:
    """What the visitor typed becomes the member's. Gives the forms' addresses, newest first."""
    mine = select(Draft.id, Draft.target).where(Draft.visitor_hash == _hashed(visitor)).order_by(Draft.updated_at.desc(), Draft.id.desc())
    found = db.session.execute(mine).all()
    for row in found:
        db.session.execute(delete(Draft).where(Draft.member_id == member_id, Draft.target == row.target))
        db.session.execute(update(Draft).where(Draft.id == row.id).values(member_id=member_id, visitor_hash=None))
    return [row.target for row in found]


def drop(target: str, member_id: int) -> None:
    """The form was sent: its draft has served."""
    db.session.execute(delete(Draft).where(Draft.member_id == member_id, Draft.target == target))


def forget_copies(member_id: int, texts: set[str], targets: list[str]) -> None:
    """Take away whatever the member keeps of these texts: the drafts of those forms, and any that is one of the texts or, past TELLING
    characters, holds one. Two statements."""
    mine = db.session.execute(select(Draft.id, Draft.target, Draft.fields).where(Draft.member_id == member_id)).all()
    gone = [row.id for row in mine if row.target in targets or any(_copies(text, str(value)) for text in texts for value in row.fields.values())]
    db.session.execute(delete(Draft).where(Draft.id.in_(gone)))


def _copies(text: str, kept: str) -> bool:
    return text.strip() == kept.strip() or (len(text) >= TELLING and text in kept)


def forget_visitors() -> None:
    """Take away what visitors typed and did not come back for."""
    db.session.execute(delete(Draft).where(Draft.visitor_hash.is_not(None), Draft.updated_at < now() - VISITOR_KEEPS))


def _hashed(visitor: str) -> str:
    return hashlib.sha256(visitor.encode()).hexdigest()
