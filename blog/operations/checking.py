"""What must hold before the board starts, each refusal one sentence that names the setting or file."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app
from redis import RedisError
from redis import from_url as redis_from_url
from sqlalchemy.exc import DBAPIError

from blog.config import ABSENT_KEY, BadSetting, is_given, settings
from blog.db import db
from blog.operations.serving import CannotServe
from blog.operations.upgrading import WrongDatabase, upgrade

# Seconds that Redis has to answer at the start.
REDIS_SECONDS = 5


class CannotStart(Exception):
    """The board can't start. `sentence` says why and what to set."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@contextmanager
def one_refusal() -> Iterator[None]:
    """Whatever is refused inside comes out as CannotStart."""
    try:
        yield
    except (BadSetting, WrongDatabase, CannotServe) as refusal:
        raise CannotStart(refusal.sentence) from None
    except DBAPIError as error:
        raise CannotStart(_unreachable(error)) from None


def production() -> None:
    """What production asks beyond `ground`. Raises CannotStart."""
    chosen = settings()
    if not chosen.is_production:
        return
    if not is_given("secret_key", chosen.instance_path):
        raise CannotStart(ABSENT_KEY)
    if current_app.debug:
        raise CannotStart("FLASK_DEBUG is set; production does not run in debug mode. Take it out of the environment.")


def ground() -> None:
    """The instance folder takes files, Redis (if set) answers, the database is ours and has this release's schema. Raises CannotStart."""
    chosen = settings()
    try:
        with tempfile.TemporaryFile(dir=chosen.instance_path):
            pass
    except OSError as error:
        reason = f"Nothing can be written into {chosen.instance_path} ({error.strerror})"
        raise CannotStart(f"{reason}; PARLEY_INSTANCE must name a folder that Parley may write to.") from None
    if chosen.redis_url:
        try:
            with redis_from_url(chosen.redis_url, socket_connect_timeout=REDIS_SECONDS, socket_timeout=REDIS_SECONDS) as redis:
                redis.ping()
        except RedisError as error:
            raise CannotStart(f"Redis does not answer at the address in REDIS_URL ({type(error).__name__}); start it, or leave REDIS_URL empty.") from None
    with one_refusal():
        upgrade()


def _unreachable(error: DBAPIError) -> str:
    # The address is shown without its password, and of the driver's message the first line: the others are its advice.
    where = db.engine.url.render_as_string(hide_password=True)
    reason = str(error.orig).strip().split("\n")[0]
    return f"The database {where} can’t be used ({reason}); see that it runs, or set DATABASE_URL to another."
