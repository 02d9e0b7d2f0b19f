"""Jobs of moderation."""

from blog.db import writing
from blog.jobs.queue import Claimed, handles
from blog.moderation import ending, hiding


@handles(ending.END)
def end(job: Claimed) -> None:
    """Clear what has come to its end."""
    with writing():
        ending.end(str(job.facts["target"]), int(job.facts["id"]))


@handles(hiding.TELL_BELOW)
def tell_below(job: Claimed) -> None:
    """Tell whoever wrote below a branch that was hidden whole."""
    with writing():
        hiding.tell_below(int(job.facts["act_id"]), int(job.facts["comment_id"]))
