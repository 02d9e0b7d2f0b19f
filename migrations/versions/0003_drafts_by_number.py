"""What is kept of a post's forms goes by the post's number, which stays when the post is renamed."""

import re
from urllib.parse import quote, unquote

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DRAFT = sa.table("draft", *map(sa.column, ("id", "member_id", "visitor_hash", "target", "updated_at")))
POST = sa.table("post", *map(sa.column, ("id", "slug")))
SLUG = sa.table("post_slug", *map(sa.column, ("post_id", "slug")))
OF_POST = re.compile(r"/posts/([^/?#\s]+)(/.+)")


def rename(names: dict[str, str]) -> None:
    """Give each post in a draft's address its other name. Of two texts for one form the newer stays."""
    connection = op.get_bind()
    rows = connection.execute(sa.select(DRAFT).order_by(DRAFT.c.updated_at.desc(), DRAFT.c.id.desc())).all()
    kept, moved, doubled = set(), [], []
    for row in rows:
        found = OF_POST.fullmatch(row.target)
        name = names.get(unquote(found[1])) if found else None
        target = f"/posts/{name}{found[2]}" if found and name else row.target
        form = (row.member_id, row.visitor_hash, target)
        if form in kept:
            doubled.append(row.id)
        elif target != row.target:
            moved.append((row.id, target))
        kept.add(form)
    for number in doubled:
        connection.execute(sa.delete(DRAFT).where(DRAFT.c.id == number))
    for number, target in moved:
        connection.execute(sa.update(DRAFT).where(DRAFT.c.id == number).values(target=target))


def upgrade() -> None:
    rename({row.slug: str(row.post_id) for row in op.get_bind().execute(sa.select(SLUG))})


def downgrade() -> None:
    rename({str(row.id): quote(row.slug) for row in op.get_bind().execute(sa.select(POST))})
