"""Jobs of filters."""

from blog.db import writing
from blog.filters import holding
from blog.jobs.schedule import nightly


@nightly("held texts")
def empty() -> None:
    """Empty the copies of texts that were decided or taken back long ago."""
    with writing():
        holding.empty_decided()
