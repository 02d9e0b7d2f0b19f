"""Doors of accounts: in and out, the mailed links, the member's own settings; and the way of strangers through sign-in."""

import secrets
from contextlib import suppress
from typing import cast
from urllib.parse import urlencode

from flask import Blueprint, current_app, flash, g, request, session
from flask_login import login_user
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from blog import limiting
from blog.accounts import passwords, profile, recovering, registering, sessions, signing_in
from blog.accounts.forms import ForgotForm, JoinForm, NewPasswordForm, PressForm, ProfileForm, SecurityForm, SendAgainForm, SignInForm
from blog.db import writing
from blog.drafts import keeping
from blog.errors import BadToken, Gone, Invalid
from blog.extensions import login as login_manager
from blog.filters import admitting
from blog.filters.holding import Signs
from blog.limiting import client
from blog.mail.sending import DAILY
from blog.posts.listing import forms_at, kept_under
from blog.refusals import typed_fields
from blog.viewer import Viewer, viewer
from blog.web import go, open_to_all, own_path, page_or_fragment

bp = Blueprint("accounts", __name__)

# A longer one is no address of a form of ours, and drafts could not hold it with the comment answered.
LONGEST_PATH = 260

# The same whether or not the day's mails to that address are used up: who asked for those may have been somebody else.
ASKED = f"A link goes to that address, unless {DAILY} went there today already."


@login_manager.user_loader  # type: ignore[untyped-decorator]
def recognise(token: str) -> Viewer | None:
    """Who holds this cookie. It runs out 60 days after it was sent, so it goes out anew whenever its row is prolonged, once an hour at most."""
    found = sessions.load(token)
    if found is not None and found.prolonged:
        session.permanent = session.modified = True
    return found


# -- the way of strangers


@bp.before_app_request
def lead_strangers() -> Response | None:
    """Every view is for members unless it is marked `open_to_all` (or `open_by_key`, and there is a key): a stranger goes through sign-in and
    comes back, with what they typed."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, "open_to_all", False) or request.method == "OPTIONS" or viewer().is_member:
        return None
    if getattr(view, "open_by_key", False) and request.args.get("key"):
        return None
    if request.method in {"GET", "HEAD"}:
        return _to_sign_in(request.full_path if request.query_string else request.path)
    if g.get("refusal") is not None and (g.get("foreign") or not isinstance(g.refusal, BadToken)):
        raise g.refusal
    g.refusal = None  # a stranger has no token to show: nothing of what they ask is done before they sign in and press again
    fields = request.form.to_dict()
    target = keeping.target_of(request.path, fields)
    if typed_fields() and len(request.path) <= LONGEST_PATH:
        limiting.spend("waiting", client())
        kept_at = kept_under(target)
        # The constraint refuses the second of two presses at once: the first has kept the same.
        with suppress(IntegrityError), writing():
            keeping.keep(kept_at, fields, visitor=_visitor())
    else:
        target = request.path
    return _to_sign_in(target if _is_page(target) else _page_above(target))


def _to_sign_in(next: str) -> Response:
    return go(f"/login?{urlencode({'next': next})}")


def _visitor() -> str:
    """The random key under which this browser's text is kept, in its cookie."""
    session.setdefault("visitor", secrets.token_urlsafe(32))
    session.permanent = True
    return cast(str, session["visitor"])


def _words_waiting() -> int:
    return keeping.words_waiting(session["visitor"]) if "visitor" in session else 0


def _is_page(target: str) -> bool:
    """Whether the address can be visited, and not only sent to."""
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.test(target.partition("?")[0], "GET")


def _page_above(target: str) -> str:
    """The page that a button's address belongs to: "/comments/5" for "/comments/5/thank"."""
    path = target.partition("?")[0]
    while path and not _is_page(path):
        path = path.rpartition("/")[0]
    return path or "/"


# -- in and out


@bp.route("/login", methods=["GET", "POST"])
@open_to_all
def login() -> Response:
    form = SignInForm()
    token, kept = "", []
    if request.method == "POST":
        with form.holding_refusals():
            form.check()
            name = form.username.data or ""
            limiting.spend("sign_in", client())
            known = _recognised(name, form.password.data or "")
            leaving = viewer().session_id
            with writing():
                token = signing_in.begin(known, request.user_agent.string, instead_of=leaving)
                kept = _claim_text(known.member_id)
        if token:
            return _welcome(token, form.next.data, kept)
    elif viewer().is_member:
        return go(own_path(request.args.get("next")))
    else:
        form.next.data = own_path(request.args.get("next"), "")
    return page_or_fragment("accounts/login.html", "accounts/_login_form.html", form.status, form=form, words=_words_waiting())


def _recognised(name: str, password: str) -> signing_in.Recognised:
    """Who that is. Guesses are counted by account and address together: by account alone, anybody who knows a name could keep its owner out.

    Of an account that is guessed at from many addresses each gets few tries, its owner's too, but never none. Raises Invalid, TooFast.
    """
    account = signing_in.key_of(name)
    limiting.spend("guess_watched" if limiting.is_spent("wrong", account) else "guess", f"{client()} {account}")
    try:
        return signing_in.recognise(name, password)
    except Invalid:
        limiting.count("wrong", account)
        raise


@bp.route("/register", methods=["GET", "POST"])
@open_to_all
def register() -> Response:
    form = JoinForm()
    token, kept, waits = "", list[str](), False
    if request.method == "POST" and viewer().is_member and form.username.data == viewer().username:  # pressed twice: nothing is left to do
        return go(own_path(form.next.data, "/" if viewer().verified else "/verify"))
    if request.method == "POST":
        with form.holding_refusals():
            admitting.way_in(admitting.invited(form.invitation.data or "")).require()
            form.check()
            limiting.spend("register", client())
            username, email = form.username.data or "", form.email.data or ""
            password_hash = passwords.new(form.password.data or "", username, email)
            leaving = viewer().session_id
            try:
                with writing():
                    member_id, waits = admitting.register(
                        username, email, password_hash, display_name=form.display_name.data or "",
                        invitation=form.invitation.data or "", signs=Signs(form.homepage.is_filled, form.began.seconds))
                    token, kept = _joined(member_id, leaving)
            except Invalid:  # perhaps the name is taken by the first of two presses
                again = registering.just_made(username, email, form.password.data or "")
                if again is None:
                    raise
                with writing():
                    token, kept = _joined(again, leaving)
        if token:
            entered = _welcome(token, form.next.data, kept, otherwise="/verify")
            if waits:
                flash(admitting.WAITS)
            return entered
    elif viewer().is_member:
        return go(own_path(request.args.get("next")))
    else:
        form.next.data = own_path(request.args.get("next"), "")
        form.invitation.data = request.args.get("invitation", "")[:100]
    form.began.begin()
    invitation = admitting.invited(form.invitation.data or "")
    way_in = admitting.way_in(invitation)
    return page_or_fragment("accounts/register.html", "accounts/_register_form.html", form.status if form.refusal or way_in else 403, form=form,
                            words=_words_waiting(), way_in=way_in, invitation=invitation)


def _joined(member_id: int, leaving: int) -> tuple[str, list[str]]:
    """The token of a new member's session, in place of the one that this browser had, and the forms that hold their text."""
    sessions.end(leaving)
    return sessions.start(member_id, request.user_agent.string), _claim_text(member_id)


def _claim_text(member_id: int) -> list[str]:
    return keeping.claim(session["visitor"], member_id) if "visitor" in session else []


def _next_page(targets: list[str]) -> str:
    """The page of the first of these forms that this member has a page of, "" for none."""
    return next((target if _is_page(target) else _page_above(target) for target in forms_at(viewer(), targets)), "")


def _welcome(token: str, next: str | None, kept: list[str], otherwise: str = "/") -> Response:
    """To where they were going, else to the newest form that holds their text."""
    _enter(token)
    to = own_path(next, "") or _next_page(kept) or otherwise
    if not viewer().verified and to != "/verify":
        session["onward"] = to  # where they wanted to go, for when the address is confirmed
    return go(to)


def _enter(token: str) -> None:
    """This browser holds that session now, and nothing of what it held before: a new cookie, a new secret for its forms."""
    session.clear()
    g.pop("csrf_token", None)
    session.permanent = True
    found = sessions.load(token)
    if found is not None:  # ended again in this very moment: by a new password, or by leaving, in another browser
        login_user(found, remember=False)


@bp.post("/logout")
@open_to_all
def logout() -> Response:
    if viewer().is_member:
        with writing():
            signing_in.sign_out(viewer())
        session.clear()
    return go("/")


# -- confirming an address


@bp.route("/verify", methods=["GET", "POST"])
def verify() -> Response:
    form = SendAgainForm()
    if request.method == "POST":
        sent = False
        with form.holding_refusals():
            form.check()
            # The outbox counts by address alone: without these one member could write to any number of strangers.
            limiting.spend("mail", viewer().id)
            limiting.spend("mail_place", client())
            with writing():
                if form.email.data:
                    admitting.check_address(form.email.data)
                sent = registering.send_again(viewer(), form.email.data or "")
        if form.accepted:
            flash(ASKED if sent else "Your address is confirmed already.")
            return go("/verify")
    return page_or_fragment("accounts/verify.html", "accounts/_verify_form.html", form.status, form=form, claim=registering.claim_of(viewer().id))


@bp.route("/verify/<token>", methods=["GET", "POST"])
@open_to_all
def verify_link(token: str) -> Response:
    """A mailed link shows a button, because mail scanners follow links; pressing it confirms."""
    form = PressForm()
    try:
        if request.method == "POST":
            with form.holding_refusals():
                form.check()
                limiting.spend("link", client())
                with writing():
                    confirmed = registering.confirm(token)
            if form.accepted:
                return _confirmed(confirmed)
        found = registering.look(token)
    except Gone as gone:
        return page_or_fragment("accounts/link_gone.html", "accounts/_link_gone.html", gone.status, gone=gone, again="/verify")
    return _unshared(page_or_fragment("accounts/verify_link.html", "accounts/_verify_link.html", form.status, form=form, found=found, token=token))


def _confirmed(confirmed: registering.Confirmation) -> Response:
    flash(f"The address {confirmed.address} was confirmed already." if confirmed.done else f"The address {confirmed.address} is confirmed.")
    if viewer().id == confirmed.member_id:
        return go(session.pop("onward", "") or _next_page(keeping.newest(viewer().id)) or "/")
    return go("/" if viewer().is_member else "/login")


def _unshared(response: Response) -> Response:
    """The page's address is a key: nothing keeps it."""
    response.headers["Cache-Control"] = "no-store"
    return response


# -- a forgotten password


@bp.route("/forgot", methods=["GET", "POST"])
@open_to_all
def forgot() -> Response:
    form = ForgotForm()
    if request.method == "POST":
        with form.holding_refusals():
            form.check()
            limiting.spend("reset", client())
            with writing():
                recovering.ask(form.email.data or "")
        if form.accepted:
            flash("If an account has confirmed that address, a link goes there that works for an hour; three of them in a day at most.")
            return go("/login")
    return page_or_fragment("accounts/forgot.html", "accounts/_forgot_form.html", form.status, form=form)


@bp.route("/reset/<token>", methods=["GET", "POST"])
@open_to_all
def reset(token: str) -> Response:
    form = NewPasswordForm()
    try:
        if request.method == "POST":
            with form.holding_refusals():
                form.check()
                limiting.spend("link", client())
                found = recovering.look(token)
                password_hash = passwords.new(form.password.data or "", found.username, found.email)
                with writing():
                    recovering.reset(token, password_hash)
            if form.accepted:
                if viewer().id == found.member_id:
                    session.clear()
                flash("The new password holds, and every browser is signed out. Sign in with it.")
                return go("/login")
        found = recovering.look(token)
    except Gone as gone:
        return page_or_fragment("accounts/link_gone.html", "accounts/_link_gone.html", gone.status, gone=gone, again="/forgot")
    return _unshared(page_or_fragment("accounts/reset.html", "accounts/_reset_form.html", form.status, form=form, found=found, token=token))


# -- the member's own settings


@bp.route("/settings/profile", methods=["GET", "POST"])
def settings_profile() -> Response:
    form = ProfileForm()
    target = "/settings/profile"
    if request.method == "POST":
        with form.holding_refusals():
            form.check()
            limiting.spend("settings", viewer().id)
            with writing():
                profile.change(viewer(), **form.given())
                keeping.drop(target, viewer().id)
        if form.accepted:
            flash("Saved.")
            return go(target)
    form.begin_with(profile.own(viewer()), keeping.kept(target, viewer().id) or {})
    return page_or_fragment("accounts/profile.html", "accounts/_profile_form.html", form.status, form=form)


@bp.route("/settings/security", methods=["GET", "POST"])
def settings_security() -> Response:
    form = SecurityForm()
    if request.method == "POST":
        token = ""
        with form.holding_refusals():
            form.check()
            limiting.spend("settings", viewer().id)
            if form.end.data:
                _end(form.end.data)
            else:
                limiting.spend("present", viewer().id)
                change = signing_in.approve_change(viewer(), form.current_password.data or "", form.password.data or "")
                with writing():
                    token = signing_in.change_password(viewer(), change)
        if form.accepted:
            return _changed(token, form.end.data)
    return page_or_fragment("accounts/security.html", "accounts/_security_forms.html", form.status, form=form,
                            claim=registering.claim_of(viewer().id), browsers=signing_in.own_browsers(viewer()))


def _end(which: str) -> None:
    with writing():
        if which == "others":
            signing_in.end_others(viewer())
        else:
            signing_in.end_browser(viewer(), int(which))


def _changed(token: str, ended: str | None) -> Response:
    if ended and ended == str(viewer().session_id):
        session.clear()
        return go("/")
    if token:
        _enter(token)
        flash("The new password holds. Every other browser is signed out.")
    else:
        flash("Every other browser is signed out." if ended == "others" else "That browser is signed out.")
    return go("/settings/security")
