"""What a person typed and has not posted, kept on the server for them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime


class Draft(Base):
    """The fields of one form, under the form's own address; a post goes by its number there, which stays when it is renamed.

    It belongs to a member, or to a visitor until they sign in.
    """

    __tablename__ = "draft"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    visitor_hash: Mapped[str | None] = mapped_column(String(64))  # SHA-256 of the random key in the visitor's cookie
    target: Mapped[str] = mapped_column(String(300))  # "/posts/7/comments?parent_id=5"
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)

    __table_args__ = (
        UniqueConstraint("member_id", "target"),
        UniqueConstraint("visitor_hash", "target"),
        CheckConstraint("(member_id IS NULL) <> (visitor_hash IS NULL)", name="one_owner"),
    )
