"""Jobs of moderation."""

from blog.db import writing
from blog.jobs.queue import Claimed, handles
from blog.moderation import ending


@handles(ending.END)
def end(job: Claimed) -> None:
    """Clear what has come to its end."""
    with writing():
        ending.end(str(job.facts["target"]), int(job.facts["id"]))
