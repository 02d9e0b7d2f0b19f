"""Visits keep the number before; posts are thanked and ordered by thanks and by their newest comment; the board has a version."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LISTED = "state = 'published' AND deleted_at IS NULL AND hidden_by IS NULL"
instant = sa.DateTime(timezone=True)
big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "board",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board")),
    )
    op.execute("INSERT INTO board (id, version) VALUES (1, 0)")
    op.add_column("visit", sa.Column("before_seq", sa.Integer(), server_default="0", nullable=False))
    op.add_column("visit", sa.Column("began_at", instant, nullable=True))
    op.add_column("visit", sa.Column("before_at", instant, nullable=True))
    op.create_table(
        "post_thank",
        sa.Column("post_id", big_id, nullable=False),
        sa.Column("member_id", big_id, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_post_thank_member_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_thank_post_id")),
        sa.PrimaryKeyConstraint("post_id", "member_id", name=op.f("pk_post_thank")),
    )
    op.create_index("ix_post_thank_member_id", "post_thank", ["member_id"])
    for name, column in (("post_active", "active_at"), ("post_thanked", "thanks")):
        op.create_index(name, "post", [column, "id"], sqlite_where=sa.text(LISTED), postgresql_where=sa.text(LISTED))


def downgrade() -> None:
    op.drop_table("board")
    op.drop_index("post_thanked", "post")
    op.drop_index("post_active", "post")
    op.drop_table("post_thank")
    with op.batch_alter_table("visit") as batch:
        for column in ("before_at", "began_at", "before_seq"):
            batch.drop_column(column)
