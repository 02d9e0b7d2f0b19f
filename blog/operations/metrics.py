"""A few figures about the board in the text form that Prometheus reads. Nothing about persons, and nothing that only one process knows."""

from sqlalchemy import func, select

from blog.accounts.models import Member
from blog.db import db
from blog.jobs.models import WAITING, Job
from blog.mail.models import Mail
from blog.permissions import listed_posts
from blog.posts.models import Post

GAUGES = {
    "members": ("Accounts, confirmed or not.", select(func.count()).select_from(Member)),
    "posts": ("Published posts that everybody reads.", select(func.count()).select_from(Post).where(listed_posts())),
    "comments": ("Comments that everybody reads.", select(func.coalesce(func.sum(Post.comment_count), 0)).where(listed_posts())),
    "jobs_waiting": ("Jobs that are still to be done.", select(func.count()).select_from(Job).where(WAITING)),
    "jobs_failed": ("Jobs given up within the last 30 days.", select(func.count()).select_from(Job).where(Job.failed_at.is_not(None))),
    "mails_waiting": ("Mails in the outbox.", select(func.count()).select_from(Mail).where(Mail.sent_at.is_(None), Mail.dropped_at.is_(None))),
}


def exposition() -> str:
    """All gauges as text. One statement."""
    values = db.session.execute(select(*(count.scalar_subquery().label(name) for name, (_, count) in GAUGES.items()))).one()
    lines = []
    for name, value in values._mapping.items():
        lines += [f"# HELP parley_{name} {GAUGES[name][0]}", f"# TYPE parley_{name} gauge", f"parley_{name} {value}"]
    return "\n".join(lines) + "\n"
