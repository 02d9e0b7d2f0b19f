"""Door of the public log: a page of it, for everybody, with filters in its address."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, request
from werkzeug.wrappers import Response

from blog.acts import recording
from blog.acts.models import ActKind
from blog.moderation import log
from blog.web import open_to_all, page_or_fragment

bp = Blueprint("log", __name__)

# Days outside of these are no days of any board, and some are beyond what a database can hold.
YEARS = range(1990, 9000)


@bp.get("/log")
@open_to_all
def show() -> Response:
    rules = recording.rules()
    asked = _asked()
    lines, more = log.page(asked, request.args.get("after"))
    return page_or_fragment("moderation/log.html", "moderation/log.html", lines=lines, more=more, after=request.args.get("after", ""), asked=asked,
                            figures=log.figures(asked), rules=rules, kinds=log.KINDS, outcomes=log.OUTCOMES, query=urlencode(_query(asked)))


def _asked() -> log.Asked:
    """What the address asks for. A value that makes no sense asks for nothing, and the form then shows so."""
    kind, rule, outcome = (request.args.get(name, "") for name in ("kind", "rule", "outcome"))
    return log.Asked(
        kind=ActKind(kind) if kind in set(ActKind) else None,
        rule=int(rule) if rule.isascii() and rule.isdigit() and len(rule) < 5 else None,
        outcome=outcome if outcome in log.OUTCOMES else "", since=_day("from"), until=_day("to"),
    )


def _day(name: str) -> date | None:
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return found if found.year in YEARS else None


def _query(asked: log.Asked) -> dict[str, Any]:
    """The filters as they stand in an address."""
    found = {"kind": asked.kind, "rule": asked.rule, "outcome": asked.outcome, "from": asked.since, "to": asked.until}
    return {name: value for name, value in found.items() if value}
