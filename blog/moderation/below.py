"""Telling whoever wrote below a branch that was hidden whole, as a job: however many they are, the moderator's request waits for none of them."""

from sqlalchemy import select

from blog.acts import recording
from blog.acts.models import Act
from blog.comments import branches
from blog.comments.models import Comment
from blog.db import db
from blog.jobs.queue import enqueue
from blog.notices.models import Notice, NoticeKind
from blog.notices.telling import tell

TELL_BELOW = "moderation tell below"


def plan(act: Act, comment_id: int) -> None:
    """Have it told, in this transaction, that `act` hid what hangs on the comment, or brought it back."""
    enqueue(TELL_BELOW, {"act_id": act.id, "comment_id": comment_id})


def tell_below(act_id: int, comment_id: int) -> None:
    """Tell of the act, if things still stand as it left them: of a hiding whoever wrote below; of its end whoever was told of the hiding.
    Twice is once."""
    is_closed = db.session.execute(select(Comment.closed).where(Comment.id == comment_id)).scalar_one()
    act, _ = recording.of(act_id)
    ended = act.undoes_id or act.about_id
    if is_closed == (ended is not None):
        return
    if ended is None:
        concerned = branches.writers_below(comment_id)
    else:
        told = select(Notice.member_id).where(Notice.kind == NoticeKind.ACT.value, Notice.subject_id == ended)
        concerned = set(db.session.execute(told).scalars())
    for member_id in sorted(concerned - {act.person_id, act.actor_id}):
        tell(member_id, NoticeKind.ACT, act_id)
