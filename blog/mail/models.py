"""The outbox: a mail that a deed asked for, sent after the answer by a job. No token stands in a row."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime


class Mail(Base):
    __tablename__ = "mail"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))  # names the template and who fills it: "accounts/verify"
    to_address: Mapped[str] = mapped_column(String(320))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # ids that the words are made from when it is sent
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    dropped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # given up, or no longer true when it was to be sent
    error: Mapped[str | None] = mapped_column(String(500))


Index("mail_to_kind", Mail.to_address, Mail.kind, Mail.created_at)
