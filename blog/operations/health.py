"""Whether this board can answer: what a load balancer or a process manager asks."""

from sqlalchemy.exc import SQLAlchemyError

from blog.db import db
from blog.operations.upgrading import current_revision, newest_revision


def trouble() -> str:
    """Why the board can't answer now, in a sentence; "" if it can. Asks the database for its schema: one statement."""
    try:
        current = current_revision()
    except SQLAlchemyError:
        return "The database does not answer."
    finally:
        db.session.rollback()
    newest = newest_revision()
    return "" if current == newest else f"The database has schema {current or 'none'}, this release needs {newest}."
