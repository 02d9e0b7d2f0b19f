"""Moderation that answers for itself: more kinds of acts, cases, appeals, notices, filters that hold, suspensions, locks."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
instant = sa.DateTime(timezone=True)

TABLES = ("notice", "member_note", "reason_template", "invitation", "filter", "appeal_message", "appeal", "held_text", "report", "moderation_case")


def only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


INDEXES = {
    "act_kind": ["kind", "id"], "act_rule": ["rule_id", "id"], "act_created": ["created_at", "id"], "ix_act_about_id": ["about_id"],
    "ix_act_case_id": ["case_id"],
}

# Columns of tables that may be large: added without a foreign key, so that SQLite copies none of them.
ADDED = (
    ("member", sa.Column("suspended_by", big_id, nullable=True)),
    ("member", sa.Column("suspended_until", instant, nullable=True)),
    ("member", sa.Column("is_waiting", sa.Boolean(), server_default=sa.false(), nullable=False)),
    ("member", sa.Column("refused_by", big_id, nullable=True)),
    ("member", sa.Column("invited_by", big_id, nullable=True)),
    ("member", sa.Column("left_at", instant, nullable=True)),
    ("comment", sa.Column("aside_by", big_id, nullable=True)),
    ("comment", sa.Column("redacted", sa.Boolean(), server_default=sa.false(), nullable=False)),
    ("post", sa.Column("locked_by", big_id, nullable=True)),
    ("post", sa.Column("locked_until", instant, nullable=True)),
    ("post", sa.Column("slow_by", big_id, nullable=True)),
    ("post", sa.Column("slow_seconds", sa.Integer(), server_default="0", nullable=False)),
    ("post", sa.Column("slow_until", instant, nullable=True)),
)


def upgrade() -> None:
    op.create_table(
        "reason_template",
        sa.Column("id", big_id, nullable=False),
        sa.Column("rule_number", sa.SmallInteger(), nullable=True),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("retired_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reason_template")),
    )
    op.create_table(
        "filter",
        sa.Column("id", big_id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("pattern", sa.String(length=120), nullable=False),
        sa.Column("sentence", sa.String(length=300), nullable=False),
        sa.Column("rule_id", big_id, nullable=False),
        sa.Column("made_by", big_id, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("retired_at", instant, nullable=True),
        sa.Column("retired_by", big_id, nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["member.id"], name=op.f("fk_filter_made_by")),
        sa.ForeignKeyConstraint(["retired_by"], ["member.id"], name=op.f("fk_filter_retired_by")),
        sa.ForeignKeyConstraint(["rule_id"], ["rule.id"], name=op.f("fk_filter_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filter")),
    )
    op.create_table(
        "invitation",
        sa.Column("id", big_id, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("made_by", big_id, nullable=False),
        sa.Column("uses_left", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["member.id"], name=op.f("fk_invitation_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    op.create_index(op.f("ix_invitation_made_by"), "invitation", ["made_by"])
    op.create_table(
        "member_note",
        sa.Column("id", big_id, nullable=False),
        sa.Column("member_id", big_id, nullable=False),
        sa.Column("author_id", big_id, nullable=False),
        sa.Column("body", sa.String(length=1000), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["member.id"], name=op.f("fk_member_note_author_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_member_note_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_note")),
    )
    op.create_index("member_note_member", "member_note", ["member_id", "id"])
    op.create_table(
        "notice",
        sa.Column("id", big_id, nullable=False),
        sa.Column("member_id", big_id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", big_id, nullable=False),
        sa.Column("by_id", big_id, nullable=True),
        sa.Column("grouped", sa.String(length=60), nullable=False),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("told_at", instant, nullable=False),
        sa.Column("seen_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["member.id"], name=op.f("fk_notice_by_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_notice_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("notice_newest", "notice", ["member_id", "told_at", "id"])
    op.create_index("notice_unseen", "notice", ["member_id", "grouped"], unique=True, **only("seen_at IS NULL"))
    op.create_table(
        "appeal",
        sa.Column("id", big_id, nullable=False),
        sa.Column("act_id", big_id, nullable=False),
        sa.Column("person_id", big_id, nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("decided_by", big_id, nullable=True),
        sa.Column("claimed_by", big_id, nullable=True),
        sa.Column("filed_at", instant, nullable=False),
        sa.Column("decided_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["act_id"], ["act.id"], name=op.f("fk_appeal_act_id")),
        sa.ForeignKeyConstraint(["claimed_by"], ["member.id"], name=op.f("fk_appeal_claimed_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["act.id"], name=op.f("fk_appeal_decided_by")),
        sa.ForeignKeyConstraint(["person_id"], ["member.id"], name=op.f("fk_appeal_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
        sa.UniqueConstraint("act_id", name=op.f("uq_appeal_act_id")),
    )
    op.create_index("appeal_open", "appeal", ["id"], **only("state = 'open'"))
    op.create_index(op.f("ix_appeal_person_id"), "appeal", ["person_id"])
    op.create_table(
        "moderation_case",
        sa.Column("id", big_id, nullable=False),
        sa.Column("target_kind", sa.String(length=10), nullable=False),
        sa.Column("target_id", big_id, nullable=False),
        sa.Column("person_id", big_id, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("report_count", sa.Integer(), nullable=False),
        sa.Column("claimed_by", big_id, nullable=True),
        sa.Column("claimed_at", instant, nullable=True),
        sa.Column("opened_at", instant, nullable=False),
        sa.Column("reported_at", instant, nullable=False),
        sa.Column("closed_at", instant, nullable=True),
        sa.Column("closed_by", big_id, nullable=True),
        sa.ForeignKeyConstraint(["claimed_by"], ["member.id"], name=op.f("fk_moderation_case_claimed_by")),
        sa.ForeignKeyConstraint(["closed_by"], ["act.id"], name=op.f("fk_moderation_case_closed_by")),
        sa.ForeignKeyConstraint(["person_id"], ["member.id"], name=op.f("fk_moderation_case_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderation_case")),
        sqlite_autoincrement=True,
    )
    op.create_index("case_open", "moderation_case", ["id"], **only("state = 'open'"))
    op.create_index("case_target_open", "moderation_case", ["target_kind", "target_id"], unique=True, **only("state = 'open'"))
    op.create_table(
        "appeal_message",
        sa.Column("id", big_id, nullable=False),
        sa.Column("appeal_id", big_id, nullable=False),
        sa.Column("author_id", big_id, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeal.id"], name=op.f("fk_appeal_message_appeal_id")),
        sa.ForeignKeyConstraint(["author_id"], ["member.id"], name=op.f("fk_appeal_message_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal_message")),
        sa.UniqueConstraint("author_id", "submission_id", name=op.f("uq_appeal_message_author_id_submission_id")),
    )
    op.create_index("appeal_message_appeal", "appeal_message", ["appeal_id", "id"])
    op.create_table(
        "report",
        sa.Column("id", big_id, nullable=False),
        sa.Column("case_id", big_id, nullable=False),
        sa.Column("reporter_id", big_id, nullable=False),
        sa.Column("rule_id", big_id, nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("bad_faith_by", big_id, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["moderation_case.id"], name=op.f("fk_report_case_id")),
        sa.ForeignKeyConstraint(["reporter_id"], ["member.id"], name=op.f("fk_report_reporter_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["rule.id"], name=op.f("fk_report_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("case_id", "reporter_id", name=op.f("uq_report_case_id_reporter_id")),
    )
    op.create_index("report_reporter", "report", ["reporter_id", "id"])
    op.create_table(
        "held_text",
        sa.Column("id", big_id, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("post_id", big_id, nullable=False),
        sa.Column("parent_id", big_id, nullable=True),
        sa.Column("parent_version", sa.Integer(), nullable=True),
        sa.Column("author_id", big_id, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=True),
        sa.Column("topics", sa.JSON(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("held_by", big_id, nullable=True),
        sa.Column("decided_by", big_id, nullable=True),
        sa.Column("comment_id", big_id, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["member.id"], name=op.f("fk_held_text_author_id")),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"], name=op.f("fk_held_text_comment_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["act.id"], name=op.f("fk_held_text_decided_by")),
        sa.ForeignKeyConstraint(["held_by"], ["act.id"], name=op.f("fk_held_text_held_by")),
        sa.ForeignKeyConstraint(["parent_id"], ["comment.id"], name=op.f("fk_held_text_parent_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_held_text_post_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_text")),
        sa.UniqueConstraint("author_id", "submission_id", name=op.f("uq_held_text_author_id_submission_id")),
    )
    op.create_index("held_text_author", "held_text", ["author_id", "post_id"])
    op.create_index("held_text_comment", "held_text", ["comment_id"])
    op.create_index("held_text_waiting", "held_text", ["id"], **only("state = 'waiting'"))
    with op.batch_alter_table("act") as batch:
        batch.alter_column("person_id", existing_type=big_id, nullable=True)
        batch.add_column(sa.Column("about_id", big_id, nullable=True))
        batch.add_column(sa.Column("case_id", big_id, nullable=True))
        batch.add_column(sa.Column("filter_name", sa.String(length=60), nullable=True))
        batch.create_foreign_key("fk_act_about_id", "act", ["about_id"], ["id"])
        batch.create_foreign_key("fk_act_case_id", "moderation_case", ["case_id"], ["id"])
    for table, column in ADDED:
        op.add_column(table, column._copy())
    for name, columns in INDEXES.items():
        op.create_index(name, "act", columns)
    # SQLite takes the index only if its condition is spelled as the statements are.
    op.create_index("comment_closed", "comment", ["post_id"], sqlite_where=sa.text("closed = 1"), postgresql_where=sa.text("closed"))
    door = "is_waiting{} AND refused_by IS NULL"
    op.create_index("member_waiting", "member", ["id"], sqlite_where=sa.text(door.format(" = 1")), postgresql_where=sa.text(door.format("")))
    op.create_index("post_held", "post", ["id"], **only("state = 'held' AND deleted_at IS NULL"))


def downgrade() -> None:
    """Acts of the new kinds go with it, and what only they explain: an older release could not tell of them."""
    op.drop_index("comment_closed", "comment")
    for name in INDEXES:
        op.drop_index(name, "act")
    op.drop_index("member_waiting", "member")
    op.drop_index("post_held", "post")
    for table, column in ADDED:
        op.drop_column(table, column.name)
    with op.batch_alter_table("act") as batch:
        for name in ("about_id", "case_id"):
            batch.drop_constraint(f"fk_act_{name}", type_="foreignkey")
        for name in ("about_id", "case_id", "filter_name"):
            batch.drop_column(name)
    op.execute("UPDATE post SET state = 'draft' WHERE state = 'held'")
    for table in TABLES:
        op.drop_table(table)
    # Words that were taken out stay hidden: to the older release that is what they are.
    op.execute("UPDATE act SET kind = 'hide' WHERE kind = 'redact' AND target_kind IN ('comment', 'post') AND person_id IS NOT NULL")
    op.execute("DELETE FROM act WHERE kind NOT IN ('hide', 'unhide') OR person_id IS NULL")
    op.execute("DELETE FROM job WHERE kind LIKE 'moderation %' OR kind = 'nightly held texts'")
    op.execute("DELETE FROM mail WHERE kind LIKE 'acts/%' OR kind LIKE 'moderation/%' OR kind LIKE 'filters/%'")
    with op.batch_alter_table("act") as batch:
        batch.alter_column("person_id", existing_type=big_id, nullable=False)
