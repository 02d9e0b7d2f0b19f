"""What is read of texts that wait or waited. Who may read them the caller asks."""

from sqlalchemy import select

from blog.db import db
from blog.filters.models import HeldText


def words_of(held_id: int) -> str:
    """The HTML of a text that was held, "" for none. One statement."""
    return db.session.execute(select(HeldText.html).where(HeldText.id == held_id)).scalar_one_or_none() or ""
