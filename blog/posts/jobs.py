"""Jobs of posts."""

from blog.db import writing
from blog.jobs.schedule import nightly
from blog.posts import publishing


@nightly("deleted posts")
def empty() -> None:
    """Empty the words of posts that their authors took down long ago."""
    with writing():
        publishing.empty_deleted()
