"""Doors of reports: telling moderators of a comment or post, in place or as a page, and what became of one's own reports."""

from typing import Any

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response

from blog import limiting
from blog.acts import recording
from blog.acts.models import TargetKind
from blog.comments import thread
from blog.comments.talk import Talk
from blog.db import writing
from blog.drafts import keeping
from blog.moderation import reporting
from blog.moderation.forms import ReportForm
from blog.permissions import is_listed_post, is_open_comment, may_report
from blog.posts import listing
from blog.viewer import viewer
from blog.web import fragment_or_redirect, is_fragment, page_or_fragment

bp = Blueprint("reports", __name__)

RECEIVED = "Your report is with the moderators. You will be told what came of it."
CHANGED = "Your report is changed."


@bp.route("/comments/<key:comment_id>/report", methods=["GET", "POST"])
def comment(comment_id: int) -> Response:
    on = thread.one(viewer(), comment_id)
    may_report(viewer(), on.comment.author_id, is_open_comment(on.comment, on.post)).require()
    facts = {"on": on, "talk": Talk(viewer(), on.post), "key": comment_id, "what": "comment", "name": on.comment.display_name, "heading": 4}
    return _report((TargetKind.COMMENT, comment_id), "moderation/report_comment.html", f"/comments/{comment_id}/report", thread.page_with(on), facts)


@bp.route("/posts/<slug>/report", methods=["GET", "POST"])
def post(slug: str) -> Response:
    found = listing.article(viewer(), slug)
    may_report(viewer(), found.author_id, is_listed_post(found)).require()
    facts = {"post": found, "key": "post", "what": "post", "name": found.author, "heading": 2}
    return _report((TargetKind.POST, found.id), "moderation/report_post.html", f"{found.path}/report", found.path, facts)


def _report(target: reporting.Target, page: str, action: str, back: str, facts: dict[str, Any]) -> Response:
    form = ReportForm()
    form.offer(recording.rules())
    told = reporting.told(target, viewer().id)
    if request.method == "POST":
        is_new = False
        with form.holding_refusals():
            form.check()
            limiting.spend("report", viewer().id)
            with writing():
                is_new = reporting.report(target, viewer(), rule_id=int(form.rule.data), note=form.note.data or "")
                keeping.drop(request.path, viewer().id)
        if form.accepted:
            said = RECEIVED if is_new else CHANGED
            if not is_fragment():
                flash(said)
            return fragment_or_redirect("moderation/_reported.html", back, said=said, key=facts["key"])
    else:
        form.begin_with(told.rule_id if told else 0, told.note if told else "", keeping.kept(request.path, viewer().id) or {})
    piece = "moderation/_report_slot.html" if request.method == "POST" else "moderation/_report_form.html"
    return page_or_fragment(page, piece, form.status, form=form, action=action, back=back, told=told, **facts)


@bp.get("/reports")
def mine() -> Response:
    return page_or_fragment("moderation/reports.html", "moderation/reports.html", reports=reporting.mine(viewer().id, request.args.get("after")))
