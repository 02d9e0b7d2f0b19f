"""Rows for tests, made through deeds where a deed exists. Call inside an application context."""

from blog.accounts.models import EmailAddress, Member, Role
from blog.clock import now
from blog.db import db
from blog.text.names import fold_username


def make_member(username: str, role: Role = Role.MEMBER, verified: bool = True) -> Member:
    """A member without password; `verified` with an address username@example.org."""
    moment = now()
    member = Member(username=username, username_key=fold_username(username), display_name=username.capitalize(), role=role,
                    verified_at=moment if verified else None, created_at=moment)
    db.session.add(member)
    db.session.flush()
    address = f"{username.lower()}@example.org"
    db.session.add(EmailAddress(member_id=member.id, address=address, address_key=address, verified_at=moment if verified else None, created_at=moment))
    db.session.flush()
    return member
