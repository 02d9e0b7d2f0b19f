"""The first tables: members, mail, jobs, topics, drafts, acts, posts, comments; the board's first rules."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
instant = sa.DateTime(timezone=True)


def only(sqlite: str, postgresql: str = "") -> dict[str, Any]:
    return {"sqlite_where": sa.text(sqlite), "postgresql_where": sa.text(postgresql or sqlite)}


# Spelled as each database's statements spell it: otherwise the index exists and is never used.
ROOT = only("parent_id IS NULL AND listed = 1", "parent_id IS NULL AND listed")

FIRST_RULES = (
    ("Speak to the text, not about the person", "Disagree with what somebody wrote as firmly as you like. Leave who they are out of it."),
    ("No private details of a third person", "Clients, pupils, patients and relatives did not agree to be read here. Change what would let somebody recognise them."),
    ("No diagnoses of other members", "Nobody here is your patient. Don’t name a condition for somebody who did not ask."),
    ("No selling to the people you meet here", "Say what you do when it helps the discussion; don’t offer it to the person you are talking to."),
    ("Accept a no the first time", "When somebody asks you to stop, or closes a door, that is the answer."),
)

TABLES = (
    "act_number",
    "job",
    "mail",
    "member",
    "rule",
    "topic",
    "act",
    "draft",
    "email_address",
    "login_session",
    "mailed_link",
    "post",
    "comment",
    "post_revision",
    "post_slug",
    "post_topic",
    "visit",
    "comment_revision",
    "thank",
)


def upgrade() -> None:
    op.create_table("act_number",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act_number"))
    )
    op.create_table("job",
        sa.Column("id", big_id, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("run_at", instant, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_until", instant, nullable=True),
        sa.Column("done_at", instant, nullable=True),
        sa.Column("failed_at", instant, nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    sqlite_autoincrement=True
    )
    op.create_index("job_waiting", "job", ["run_at", "id"], **only("done_at IS NULL AND failed_at IS NULL"))

    op.create_table("mail",
        sa.Column("id", big_id, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("to_address", sa.String(length=320), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("sent_at", instant, nullable=True),
        sa.Column("dropped_at", instant, nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail"))
    )
    op.create_index("mail_to_kind", "mail", ["to_address", "kind", "created_at"])

    op.create_table("member",
        sa.Column("id", big_id, nullable=False),
        sa.Column("username", sa.String(length=30), nullable=False),
        sa.Column("username_key", sa.String(length=60), nullable=False),
        sa.Column("display_name", sa.String(length=60), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("verified_at", instant, nullable=True),
        sa.Column("theme", sa.String(length=10), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=True),
        sa.Column("moderator_number", sa.Integer(), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("moderator_number", name=op.f("uq_member_moderator_number")),
        sa.UniqueConstraint("username_key", name=op.f("uq_member_username_key")),
    sqlite_autoincrement=True
    )
    op.create_table("rule",
        sa.Column("id", big_id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("retired_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule"))
    )
    op.create_table("topic",
        sa.Column("id", big_id, nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
        sa.UniqueConstraint("slug", name=op.f("uq_topic_slug"))
    )
    op.create_table("act",
        sa.Column("id", big_id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", big_id, nullable=True),
        sa.Column("actor_handle", sa.String(length=20), nullable=False),
        sa.Column("person_id", big_id, nullable=False),
        sa.Column("target_kind", sa.String(length=10), nullable=False),
        sa.Column("target_id", big_id, nullable=False),
        sa.Column("rule_id", big_id, nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("until", instant, nullable=True),
        sa.Column("undoes_id", big_id, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.CheckConstraint("length(reason) >= 10", name=op.f("ck_act_reason_given")),
        sa.ForeignKeyConstraint(["actor_id"], ["member.id"], name=op.f("fk_act_actor_id")),
        sa.ForeignKeyConstraint(["person_id"], ["member.id"], name=op.f("fk_act_person_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["rule.id"], name=op.f("fk_act_rule_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["act.id"], name=op.f("fk_act_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
        sa.UniqueConstraint("number", name=op.f("uq_act_number")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_act_undoes_id"))
    )
    op.create_index("act_person", "act", ["person_id", "id"])
    op.create_index("act_target", "act", ["target_kind", "target_id", "id"])

    op.create_table("draft",
        sa.Column("id", big_id, nullable=False),
        sa.Column("member_id", big_id, nullable=True),
        sa.Column("visitor_hash", sa.String(length=64), nullable=True),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        sa.CheckConstraint("(member_id IS NULL) <> (visitor_hash IS NULL)", name=op.f("ck_draft_one_owner")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_draft_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("member_id", "target", name=op.f("uq_draft_member_id_target")),
        sa.UniqueConstraint("visitor_hash", "target", name=op.f("uq_draft_visitor_hash_target"))
    )
    op.create_index("ix_draft_updated_at", "draft", ["updated_at"])

    op.create_table("email_address",
        sa.Column("id", big_id, nullable=False),
        sa.Column("member_id", big_id, nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("address_key", sa.String(length=320), nullable=False),
        sa.Column("verified_at", instant, nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_email_address_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_address"))
    )
    op.create_index("email_address_verified", "email_address", ["address_key"], unique=True, **only("verified_at IS NOT NULL"))
    op.create_index("ix_email_address_address_key", "email_address", ["address_key"])
    op.create_index("ix_email_address_member_id", "email_address", ["member_id"])

    op.create_table("login_session",
        sa.Column("id", big_id, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("member_id", big_id, nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("seen_at", instant, nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_login_session_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash"))
    )
    op.create_index("ix_login_session_member_id", "login_session", ["member_id"])

    op.create_table("mailed_link",
        sa.Column("id", big_id, nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("member_id", big_id, nullable=False),
        sa.Column("email_id", big_id, nullable=True),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.Column("used_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["email_id"], ["email_address.id"], name=op.f("fk_mailed_link_email_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_mailed_link_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailed_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_mailed_link_token_hash"))
    )
    op.create_index("ix_mailed_link_member_id", "mailed_link", ["member_id"])

    op.create_table("post",
        sa.Column("id", big_id, nullable=False),
        sa.Column("author_id", big_id, nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("headings", sa.JSON(), nullable=False),
        sa.Column("teaser", sa.String(length=400), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("renderer", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("published_at", instant, nullable=True),
        sa.Column("edited_at", instant, nullable=True),
        sa.Column("deleted_at", instant, nullable=True),
        sa.Column("hidden_by", big_id, nullable=True),
        sa.Column("submission_id", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("comment_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("thanks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("active_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["member.id"], name=op.f("fk_post_author_id")),
        sa.ForeignKeyConstraint(["hidden_by"], ["act.id"], name=op.f("fk_post_hidden_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
        sa.UniqueConstraint("author_id", "submission_id", name=op.f("uq_post_author_id_submission_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_post_slug")),
    sqlite_autoincrement=True
    )
    op.create_index("post_author", "post", ["author_id", "published_at", "id"])
    op.create_index("post_newest", "post", ["published_at", "id"], **only("state = 'published' AND deleted_at IS NULL AND hidden_by IS NULL"))

    op.create_table("comment",
        sa.Column("id", big_id, nullable=False),
        sa.Column("post_id", big_id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("parent_id", big_id, nullable=True),
        sa.Column("root_id", big_id, nullable=True),
        sa.Column("depth", sa.SmallInteger(), nullable=False),
        sa.Column("reply_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("thanks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("active_seq", sa.Integer(), nullable=False),
        sa.Column("deleted_at", instant, nullable=True),
        sa.Column("hidden_by", big_id, nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("author_id", big_id, nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("renderer", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("parent_version", sa.Integer(), nullable=True),
        sa.Column("submission_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("edited_at", instant, nullable=True),
        sa.CheckConstraint("parent_id < id", name=op.f("ck_comment_older_parent")),
        sa.ForeignKeyConstraint(["author_id"], ["member.id"], name=op.f("fk_comment_author_id")),
        sa.ForeignKeyConstraint(["hidden_by"], ["act.id"], name=op.f("fk_comment_hidden_by")),
        sa.ForeignKeyConstraint(["parent_id"], ["comment.id"], name=op.f("fk_comment_parent_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_comment_post_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
        sa.UniqueConstraint("author_id", "submission_id", name=op.f("uq_comment_author_id_submission_id")),
    sqlite_autoincrement=True
    )
    op.create_index("comment_author", "comment", ["author_id", "id"])
    op.create_index("comment_number", "comment", ["post_id", "seq"], unique=True)
    op.create_index("comment_replies", "comment", ["parent_id", "listed", "id"], **only("parent_id IS NOT NULL"))
    op.create_index("comment_roots", "comment", ["post_id", "id"], **ROOT)
    op.create_index("comment_roots_active", "comment", ["post_id", "active_seq"], **ROOT)
    op.create_index("comment_roots_thanked", "comment", ["post_id", "thanks", "seq"], **ROOT)

    op.create_table("post_revision",
        sa.Column("id", big_id, nullable=False),
        sa.Column("post_id", big_id, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_revision_post_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_revision")),
        sa.UniqueConstraint("post_id", "revision", name=op.f("uq_post_revision_post_id_revision"))
    )
    op.create_table("post_slug",
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("post_id", big_id, nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_slug_post_id")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_post_slug"))
    )
    op.create_index("ix_post_slug_post_id", "post_slug", ["post_id"])

    op.create_table("post_topic",
        sa.Column("topic_id", big_id, nullable=False),
        sa.Column("post_id", big_id, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("published_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_topic_post_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_post_topic_topic_id")),
        sa.PrimaryKeyConstraint("topic_id", "post_id", name=op.f("pk_post_topic"))
    )
    op.create_index("post_topic_newest", "post_topic", ["topic_id", "published_at", "post_id"])
    op.create_index("post_topic_post", "post_topic", ["post_id"])

    op.create_table("visit",
        sa.Column("member_id", big_id, nullable=False),
        sa.Column("post_id", big_id, nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_visit_member_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_visit_post_id")),
        sa.PrimaryKeyConstraint("member_id", "post_id", name=op.f("pk_visit"))
    )
    op.create_table("comment_revision",
        sa.Column("id", big_id, nullable=False),
        sa.Column("comment_id", big_id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"], name=op.f("fk_comment_revision_comment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment_revision")),
        sa.UniqueConstraint("comment_id", "version", name=op.f("uq_comment_revision_comment_id_version"))
    )
    op.create_table("thank",
        sa.Column("comment_id", big_id, nullable=False),
        sa.Column("member_id", big_id, nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"], name=op.f("fk_thank_comment_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_thank_member_id")),
        sa.PrimaryKeyConstraint("comment_id", "member_id", name=op.f("pk_thank"))
    )
    op.create_index("ix_thank_member_id", "thank", ["member_id"])

    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE comment SET (fillfactor = 90)")  # counters change in place
    rules = sa.table("rule", sa.column("number"), sa.column("title"), sa.column("text"), sa.column("created_at", instant))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    op.bulk_insert(rules, [{"number": n, "title": title, "text": text, "created_at": moment} for n, (title, text) in enumerate(FIRST_RULES, 1)])
    op.bulk_insert(sa.table("act_number", sa.column("id"), sa.column("last")), [{"id": 1, "last": 0}])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
