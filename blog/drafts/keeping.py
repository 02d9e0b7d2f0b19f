"""Keeping what was typed: per member and form, and for a visitor until they sign in."""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from blog.clock import now
from blog.db import db
from blog.drafts.models import Draft
from blog.errors import TooLarge

# What a stranger typed waits this long for its writer to sign in.
VISITOR_KEEPS = timedelta(days=2)

# Fields that are never kept, whatever form they come from.
SECRET = frozenset({"csrf_token", "password", "current_password", "new_password", "action"})
# Fields that a person writes into: with all of them empty there is nothing to keep.
TYPED = ("title", "body", "reason", "statement", "note")
# Characters of all fields of a form together. Far more than any form may have, so that a text that is refused for its length is kept whole.
LONGEST = 600_000
# Of one member or visitor the newest are kept: more forms are begun by no hand.
MOST = 100

# Between two texts that were typed into one form, signed out and in.
BETWEEN = "\n\n---\n\n"

# A shorter text stands in many others by chance.
TELLING = 24

# What the column holds.
LONGEST_TARGET = 300

# The forms whose text is kept.
FORMS = re.compile(
    r"/posts/new|/posts/[^/?#\s]+/(edit|comments|hide|unhide|report|lock|unlock|close|reopen|slow|unslow|redact|reject)|"
    r"/posts/[^/?#\s]+/comments\?parent_id=[0-9]{1,19}|/comments/[0-9]{1,19}/(edit|reply|hide|unhide|report|aside|back|redact)|"
    r"/members/[A-Za-z0-9_-]{1,30}/(warn|suspend|lift|refuse)|/acts/[0-9]{1,19}/(redact|appeal|decide|messages)|"
    r"/moderation/cases/[0-9]{1,19}/(hide|warn|dismiss|reports/[0-9]{1,19}/bad-faith)|/held/[0-9]{1,19}/edit|/moderation/held/[0-9]{1,19}/reject"
)


# The form of a post; what stands between the slashes is its slug or its number.
OF_POST = re.compile(r"/posts/([^/?#\s]+)(/.+)")


def target_of(path: str, fields: Mapping[str, str]) -> str:
    """The address of the form that these fields belong to: the path that they were sent to, with the comment answered."""
    if path == "/drafts" and is_form(fields.get("target", "")):
        return fields["target"]  # the button that keeps a draft says which form it stands in
    parent = fields.get("parent_id", "")
    if path.endswith("/comments") and parent.isascii() and parent.isdigit() and len(parent) < 20:
        return f"{path}?parent_id={int(parent)}"
    return path[:300]


def of_comments(post_id: int, parent: str | int | None = None) -> str:
    """What the text of the form under this post is kept under; `parent` is the comment that it answers, as the form says it."""
    return target_of(f"/posts/{post_id}/comments", {"parent_id": str(parent or "")})


def slug_in(target: str) -> str:
    """The slug of the post whose form this is the address of; "" where there is none: no form of a post, or one by its number."""
    found = OF_POST.fullmatch(target)
    name = unquote(found[1]) if found else ""
    return "" if name.isascii() and name.isdigit() else name


def number_in(target: str) -> int:
    """The number of the post whose form this is the address of; 0 where there is none."""
    found = OF_POST.fullmatch(target)
    return int(found[1]) if found and found[1].isascii() and found[1].isdigit() and len(found[1]) <= 18 else 0


def renamed(target: str, name: str) -> str:
    """The same form's address with another name of its post: its number, or a slug fit for an address."""
    return OF_POST.sub(lambda found: f"/posts/{name}{found[2]}", target, count=1)


def keep(target: str, fields: Mapping[str, str], *, member_id: int = 0, visitor: str = "") -> None:
    """Keep these fields for a member or, under the random key in their cookie, for a visitor. The newest wins, and only MOST are kept.

    Raises TooLarge for what can't be kept whole: nothing is ever kept in part.
    """
    values = {"fields": _without_secrets(fields), "updated_at": now()}
    owner: dict[str, Any] = {"member_id": member_id} if member_id else {"visitor_hash": _hashed(visitor)}
    insert: Any = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = insert(Draft).values(target=target, **owner, **values)
    db.session.execute(row.on_conflict_do_update(index_elements=[*owner, "target"], set_=values))
    newest_first = select(Draft.id).filter_by(**owner).order_by(Draft.updated_at.desc(), Draft.id.desc())
    db.session.execute(delete(Draft).where(Draft.id.in_(newest_first.offset(MOST))))
    forget_visitors()


def _without_secrets(fields: Mapping[str, str]) -> dict[str, str]:
    """What is kept of a form. Raises TooLarge."""
    kept = {name: value for name, value in fields.items() if name not in SECRET and len(name) <= 40}
    if sum(map(len, kept.values())) > LONGEST:
        raise TooLarge(f"A draft of more than {LONGEST:,} characters can’t be kept. It is still in this page: save it in a file of your own, or split it.")
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


def newest(member_id: int) -> list[str]:
    """The form that this member left last without sending it, as a list of one; empty for none. One statement."""
    mine = select(Draft.target).where(Draft.member_id == member_id).order_by(Draft.updated_at.desc(), Draft.id.desc()).limit(1)
    return list(db.session.execute(mine).scalars())


def claim(visitor: str, member_id: int) -> list[str]:
    """What the visitor typed becomes the member's, with what the member had typed into the same form below it. Gives the forms' addresses,
    newest first."""
    mine = select(Draft.id, Draft.target, Draft.fields).where(Draft.visitor_hash == _hashed(visitor)).order_by(Draft.updated_at.desc(), Draft.id.desc())
    found = db.session.execute(mine).all()
    for row in found:
        fields = _together(row.fields, kept(row.target, member_id) or {})
        drop(row.target, member_id)
        db.session.execute(update(Draft).where(Draft.id == row.id).values(member_id=member_id, visitor_hash=None, fields=fields))
    return [row.target for row in found]


def _together(newer: dict[str, Any], older: dict[str, Any]) -> dict[str, Any]:
    """Two drafts of one form as one. A text that holds the other stands alone; else the newer one stands above the older."""
    both = {**older, **newer}
    typed, before = str(newer.get("body", "")), str(older.get("body", ""))
    if before.strip() and before.strip() not in typed:
        both["body"] = before if typed.strip() in before else f"{typed}{BETWEEN}{before}"
    return both


def drop(target: str, member_id: int) -> None:
    """The form was sent: its draft has served."""
    db.session.execute(delete(Draft).where(Draft.member_id == member_id, Draft.target == target))


def drop_sent(target: str, member_id: int, body: str, submission_id: str | None) -> None:
    """The form was sent with this text: its draft has served. One of other words, from a fresh form at the same address, stays: this form was
    sent once more, by Back or by a slow line. Two statements."""
    waiting = kept(target, member_id) or {}
    if waiting.get("submission_id") not in {None, "", submission_id} and str(waiting.get("body", "")).strip() != body.strip():
        return
    drop(target, member_id)


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
