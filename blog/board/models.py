"""What the board as a whole remembers: one row."""

from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base


class Board(Base):
    __tablename__ = "board"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0, server_default="0")
