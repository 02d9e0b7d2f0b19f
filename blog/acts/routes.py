"""Doors of acts: an act as everyone and as the person concerned reads it, and the board's rules."""

from flask import Blueprint
from werkzeug.wrappers import Response

from blog.acts import recording
from blog.acts.models import TargetKind
from blog.comments import thread
from blog.errors import Refused
from blog.permissions import may_read_act_words
from blog.viewer import viewer
from blog.web import open_to_all, page_or_fragment

bp = Blueprint("acts", __name__)


@bp.get("/acts/<key:number>")
@open_to_all
def show(number: int) -> Response:
    receipt = recording.receipt(number)
    knows = bool(may_read_act_words(viewer(), receipt.act.person_id))
    words = words_of(receipt) if knows else ""
    is_comment = receipt.act.target_kind == TargetKind.COMMENT
    to = f"/comments/{receipt.act.target_id}" if is_comment else f"/posts/{receipt.act.target_id}"
    return page_or_fragment("acts/show.html", "acts/show.html", receipt=receipt, knows=knows, words=words, to=to,
                            what="comment" if is_comment else "post", own=viewer().is_member and viewer().id == receipt.act.person_id)


def words_of(receipt: recording.Receipt) -> str:
    """The HTML that the act is about, as this viewer may read it; "" where it is gone."""
    try:
        if receipt.act.target_kind == TargetKind.COMMENT:
            return thread.one(viewer(), receipt.act.target_id, own_page=True).comment.html
        return thread.post_words(viewer(), receipt.act.target_id)
    except Refused:
        return ""


@bp.get("/rules")
@open_to_all
def rules() -> Response:
    return page_or_fragment("acts/rules.html", "acts/rules.html", rules=recording.rules())
