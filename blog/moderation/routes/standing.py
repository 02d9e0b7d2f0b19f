"""Doors of standing: members and notes about them for moderators, and for everybody how they themselves stand."""

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response

from blog import limiting
from blog.db import writing
from blog.moderation import standing
from blog.moderation.forms import NoteForm
from blog.permissions import may_act_at_all, may_act_on_member, may_moderate
from blog.viewer import viewer
from blog.web import go, page_or_fragment

bp = Blueprint("standing", __name__)

MEMBERS = "/moderation/members"


@bp.get("/moderation/members")
def members() -> Response:
    may_moderate(viewer()).require()
    search = request.args.get("q", "")
    return page_or_fragment("moderation/members.html", "moderation/members.html", people=standing.people(search, request.args.get("after")),
                            search=search[:standing.LONGEST_SEARCH], current=MEMBERS)


@bp.route("/moderation/members/<username>", methods=["GET", "POST"])
def member(username: str) -> Response:
    may_moderate(viewer()).require()
    person = standing.person(username)
    form = NoteForm()
    if request.method == "POST":
        with form.holding_refusals():
            form.check()
            limiting.spend("act", viewer().id)
            with writing():
                standing.note(person.id, viewer(), form.body.data or "")
        if form.accepted:
            flash("The note is kept.")
            return go(f"{person.path}#notes")
    own = person.id == viewer().id
    return page_or_fragment(
        "moderation/member.html", "moderation/member.html", form.status, person=person, form=form, own=own,
        may_act=may_act_on_member(viewer(), person.id, person.role),
        acts=standing.acts_about(person.id, own=False, after=request.args.get("acts")),
        notes=None if own else standing.notes(person.id, viewer(), request.args.get("notes")), current=MEMBERS,
    )


@bp.get("/settings/standing")
def own() -> Response:
    return page_or_fragment("moderation/standing.html", "moderation/standing.html", ruling=may_act_at_all(viewer()),
                            acts=standing.acts_about(viewer().id, own=True, after=request.args.get("after")))
