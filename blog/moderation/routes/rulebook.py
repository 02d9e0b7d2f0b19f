"""Doors of the rulebook: rules for administrators to change, reasons for moderators to begin with."""

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response

from blog import limiting
from blog.db import writing
from blog.moderation import rulebook
from blog.moderation.forms import RuleForm, TemplateForm
from blog.permissions import may_moderate, may_set_rules
from blog.viewer import viewer
from blog.web import go, page_or_fragment

bp = Blueprint("rulebook", __name__)

HOME = "/moderation/rules"


@bp.before_request
def only_moderators() -> None:
    may_moderate(viewer()).require()


@bp.route("/moderation/rules", methods=["GET", "POST"])
def index() -> Response:
    """The rules and reasons; sent, a new rule."""
    form = RuleForm()
    if request.method == "POST":
        may_set_rules(viewer()).require()
        number = 0
        with form.holding_refusals():
            form.check()
            limiting.spend("settings", viewer().id)
            with writing():
                number = rulebook.add(viewer(), title=form.title.data or "", text=form.text.data or "").number
        if number:
            flash(f"Rule {number} holds from now on.")
            return go(HOME)
    return _page(form, TemplateForm(formdata=None), form.status)


@bp.post("/moderation/reasons")
def reasons() -> Response:
    form = TemplateForm()
    with form.holding_refusals():
        form.check()
        limiting.spend("settings", viewer().id)
        with writing():
            rulebook.add_template(viewer(), title=form.title.data or "", reason=form.reason.data or "")
    if form.accepted:
        flash("The reason stands as a button in every form that asks for one.")
        return go(f"{HOME}#reasons")
    return _page(RuleForm(formdata=None), form, form.status)


def _page(form: RuleForm, template: TemplateForm, status: int) -> Response:
    return page_or_fragment("moderation/rules.html", "moderation/rules.html", status, rules=rulebook.rules(), templates=rulebook.templates(), form=form,
                            template_form=template, may_set=may_set_rules(viewer()), current=HOME)


@bp.route("/moderation/rules/<key:rule_id>", methods=["GET", "POST"])
def rule(rule_id: int) -> Response:
    may_set_rules(viewer()).require()
    form = RuleForm()
    if request.method == "POST":
        with form.holding_refusals():
            form.check()
            limiting.spend("settings", viewer().id)
            with writing():
                rulebook.change(rule_id, viewer(), title=form.title.data or "", text=form.text.data or "")
        if form.accepted:
            flash("The rule holds in these words from now on. The earlier ones stay readable.")
            return go(HOME)
        return page_or_fragment("moderation/rule.html", "moderation/rule.html", form.status, form=form, action=f"{HOME}/{rule_id}", current=HOME)
    present = rulebook.one(rule_id)
    form.title.data, form.text.data = present.title, present.text
    return page_or_fragment("moderation/rule.html", "moderation/rule.html", form=form, action=f"{HOME}/{rule_id}", current=HOME)


@bp.post("/moderation/rules/<key:rule_id>/retire")
def retire(rule_id: int) -> Response:
    limiting.spend("settings", viewer().id)
    with writing():
        rulebook.retire(rule_id, viewer())
    flash("The rule holds no longer. Acts made under it keep its words.")
    return go(HOME)


@bp.post("/moderation/reasons/<key:template_id>/retire")
def retire_reason(template_id: int) -> Response:
    limiting.spend("settings", viewer().id)
    with writing():
        rulebook.retire_template(template_id, viewer())
    flash("The reason is offered no longer.")
    return go(f"{HOME}#reasons")
