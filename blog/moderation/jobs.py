"""Jobs of moderation."""

from blog.db import writing
from blog.jobs.queue import Claimed, handles
from blog.moderation import below, ending


@handles(ending.END)
def end(job: Claimed) -> None:
    """Clear what has come to its end."""
    with writing():
        ending.end(str(job.facts["target"]), int(job.facts["id"]))


@handles(below.TELL_BELOW)
def tell_below(job: Claimed) -> None:
    """Tell whoever wrote below a branch that was hidden whole, or brought back."""
    with writing():
        below.tell_below(int(job.facts["act_id"]), int(job.facts["comment_id"]))
