"""Jobs of comments."""

from blog.comments import writing as deeds
from blog.db import writing
from blog.jobs.schedule import nightly


@nightly("deleted comments")
def empty() -> None:
    """Empty the words that their writers deleted long ago."""
    with writing():
        deeds.empty_deleted()
