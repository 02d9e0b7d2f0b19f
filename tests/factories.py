"""Rows for tests, made through deeds where a deed exists. Call inside an application context."""

from collections.abc import Sequence
from datetime import timedelta

from blog.accounts.models import EmailAddress, Member, Role
from blog.clock import now, stopped_at
from blog.db import db
from blog.posts import publishing
from blog.posts.models import Post, PostState
from blog.text.names import fold_username
from blog.viewer import Viewer

# Long enough for a teaser that is cut, with sections for a contents list.
ESSAY = """I teach at the kitchen table, and I do not eat at it. The first family that asked me to stay for dinner was lovely, and by spring I
was the person who refereed homework and arguments alike.

## What the table is for

A line stated in advance is information. The same line stated afterwards is a reproach.

## When somebody crosses it

They will, and mostly without noticing. I name what happened and say what I do instead.
"""


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


def make_post(author_id: int, title: str = "The kitchen table", source: str = ESSAY, published_days_ago: float | None = None,
              topics: Sequence[str] = ("Coaching",), state: PostState = PostState.PUBLISHED) -> Post:
    """A post by a member who has an id and the right to publish, written through the deed and committed. What it gives is a value: its columns are loaded, and
    changing it changes no row."""
    author = db.session.get_one(Member, author_id)
    by = Viewer(id=author.id, username=author.username, display_name=author.display_name, role=author.role, verified=True)
    with stopped_at(now() - timedelta(days=published_days_ago or 0)):
        post = publishing.publish_new(by, title=title, source=source, topics=topics, state=state)
    db.session.commit()
    db.session.refresh(post)
    db.session.expunge(post)
    db.session.commit()  # ends the reading: what others write next is seen
    return post
