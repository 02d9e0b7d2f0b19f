"""Jobs of accounts."""

from blog.accounts import links, sessions
from blog.db import writing
from blog.jobs.schedule import nightly


@nightly("accounts")
def forget() -> None:
    """Take away expired sessions and old links."""
    with writing():
        sessions.forget_expired()
        links.forget_old()
