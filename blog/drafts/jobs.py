"""Jobs of drafts."""

from blog.db import writing
from blog.drafts import keeping
from blog.jobs.schedule import nightly


@nightly("drafts")
def forget() -> None:
    """Take away what visitors left and did not come back for."""
    with writing():
        keeping.forget_visitors()
