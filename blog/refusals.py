"""Refusals as pages: what happened and what to do next, with what was typed; under htmx as the piece beside the form."""

import logging
from typing import Any

from flask import Flask, Response, current_app, g, make_response, render_template, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge

from blog.db import db
from blog.errors import BadToken, Refused, TooFast, Unavailable
from blog.web import is_fragment, on_top

log = logging.getLogger(__name__)

# Sentences for what Werkzeug refuses by itself: title, then what to do next.
WORDS = {
    400: ("That request can’t be read.", "Go back, reload the page and try once more."),
    403: ("That is not yours to do.", "If you think it should be, ask a moderator."),
    404: ("There is nothing at this address.", "It may have been renamed, or its writer may have taken it down."),
    405: ("This address does not work that way.", "It wants a form’s button, or a plain visit. Go back and use the page’s own."),
    413: ("That is too much at once.", "A post may have 2 MB, everything else 512 KB. Shorten it or split it, and send it again."),
}

# What a person may have typed, in the order in which a page shows it back.
TYPED = ("title", "body", "reason", "statement", "note", "about", "topics", "display_name", "username", "email")


def register(app: Flask) -> None:
    app.register_error_handler(Refused, show_refused)
    app.register_error_handler(HTTPException, show_http)
    app.register_error_handler(OperationalError, show_unavailable)
    app.register_error_handler(PoolTimeout, show_unavailable)
    app.register_error_handler(Exception, show_crash)
    app.register_error_handler(InternalServerError, show_broken)  # a refusal that could not be shown
    app.log_exception = _note_crash  # type: ignore[method-assign, assignment]  # Flask's own writes the path


def show_refused(refusal: Refused) -> Response:
    response = page(refusal.status, refusal.title, refusal.sentence, refusal)
    if isinstance(refusal, TooFast):
        response.headers["Retry-After"] = str(refusal.seconds)
    return response


def show_http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    title, sentence = WORDS.get(error.code, (error.name + ".", "Go back, reload the page and try once more."))
    response = page(error.code, title, sentence, None, typed=not isinstance(error, RequestEntityTooLarge))
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response


def show_unavailable(error: Exception) -> Response:
    log.error("the database did not answer: %s", error.__class__.__name__)
    _let_go()
    refusal = Unavailable("The database is busy or can’t be reached. Nothing was saved. Try again in a moment.")
    response = bare(503, refusal.title, refusal.sentence)
    response.headers["Retry-After"] = "5"
    return response


def show_crash(error: Exception) -> Response:
    _note_crash((type(error), error, error.__traceback__))
    return show_broken(error)


def show_broken(error: Exception) -> Response:
    _let_go()
    return bare(500, "Something broke on our side.", "It has been written to the log. Try again in a moment; if it happens again, tell the operator.")


def _note_crash(crash: Any) -> None:
    """Write what happened (as sys.exc_info gives it) and where."""
    log.error("a request failed: %s %s", request.method, _place(), exc_info=crash)


def _place() -> str:
    """The address for the log: its rule, with the numbers of the rows that it names. The path itself may be a mailed link, which is a key."""
    if request.url_rule is None:
        return "(no address of ours)"
    rows = [f"{name} {value}" for name, value in (request.view_args or {}).items() if isinstance(value, int)]
    return f"{request.url_rule.rule} ({', '.join(rows)})" if rows else request.url_rule.rule


def _let_go() -> None:
    try:
        db.session.rollback()
    except Exception:
        log.exception("the transaction could not be rolled back")


def page(status: int, title: str, sentence: str, refusal: Refused | None, typed: bool = True) -> Response:
    """The page of a refusal. What was typed stands on it; a form from an old visit can be sent again from there."""
    fields = typed_fields() if typed else []
    again = _sent_again() if typed and isinstance(refusal, BadToken) else None
    facts: dict[str, Any] = {"status": status, "title": title, "sentence": sentence, "refusal": refusal, "typed": fields, "again": again}
    template = "errors/_refusal.html" if is_fragment() else "errors/refusal.html"
    try:
        return on_top(make_response(render_template(template, **facts), status))
    except (OperationalError, PoolTimeout):
        _let_go()
        return bare(status, title, sentence)


def bare(status: int, title: str, sentence: str) -> Response:
    """A page that needs no database: for when there is none, or when the page itself broke.

    Not by render_template: what that tells every template begins with asking the database who is looking.
    """
    template = current_app.jinja_env.get_template("errors/_refusal.html" if is_fragment() else "errors/bare.html")
    facts = {"status": status, "title": title, "sentence": sentence, "refusal": None, "typed": typed_fields(), "again": None}
    return on_top(make_response(template.render(facts), status))


def typed_fields() -> list[tuple[str, str]]:
    """Name and text of the fields that a person typed into."""
    if request.method in {"GET", "HEAD"}:
        return []
    try:
        return [(name, request.form[name]) for name in TYPED if request.form.get(name)]
    except HTTPException:
        return []


def _sent_again() -> list[tuple[str, str]] | None:
    """All fields of a form that may be pressed once more; none for one that another site sent."""
    if g.get("foreign"):
        return None
    names = {name for name, _ in typed_fields()} | {"csrf_token", "password", "current_password"}
    return [(name, value) for name, value in request.form.items(multi=True) if name not in names]
