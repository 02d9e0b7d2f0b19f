"""Instants as people read them. Every date on a page comes from here and carries ISO 8601 in its `datetime` attribute."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flask import Flask, g
from markupsafe import Markup

from blog.clock import now
from blog.config import settings

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def local(moment: datetime, zone: str | None = None) -> datetime:
    """The instant in the given zone, else in the one that the viewer of this request chose, else in the board's."""
    return moment.astimezone(ZoneInfo(zone or g.get("zone") or settings().zone))


def midnight(on: date, zone: str | None = None) -> datetime:
    """The instant at which that day begins, in the zone of `local`."""
    return instant(datetime.combine(on, time()), zone)


def instant(clock: datetime, zone: str | None = None) -> datetime:
    """The instant at which clocks in the zone of `local` show this date and time."""
    return clock.replace(tzinfo=ZoneInfo(zone or g.get("zone") or settings().zone)).astimezone(UTC)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second: 2024-08-10T04:22:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(moment: datetime, zone: str | None = None) -> str:
    """2024-08-10"""
    return local(moment, zone).strftime("%Y-%m-%d")


def stamp(moment: datetime, zone: str | None = None) -> str:
    """Sat 10 Aug 2024, 06:10"""
    at = local(moment, zone)
    return f"{DAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"


def clock_time(moment: datetime, zone: str | None = None) -> str:
    """09:52"""
    return local(moment, zone).strftime("%H:%M")


def byline(moment: datetime, zone: str | None = None) -> str:
    """An article's date in the form that the board chose; long is "Sat, 08/10/2024 - 04:22"."""
    at = local(moment, zone)
    form = settings().byline
    if form == "iso":
        return at.strftime("%Y-%m-%d %H:%M")
    if form == "relative":
        return relative(moment)
    return f"{DAYS[at.weekday()]}, {at:%m/%d/%Y - %H:%M}"


def relative(moment: datetime) -> str:
    """3 days ago"""
    seconds = max(0, int((now() - moment).total_seconds()))
    for size, word in ((31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'' if count == 1 else 's'} ago"
    return "just now"


def span(seconds: int) -> str:
    """A length of time in words: 90 seconds, 5 minutes, 1 hour. In the largest unit that it is whole in."""
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {word}{'' if seconds == size else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def _element(moment: datetime, words: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(iso(moment), words)


def register(app: Flask) -> None:
    """The filters `day`, `stamp`, `clock`, `byline` (each a <time> element) and `iso`."""
    for form in (day, stamp, byline):
        app.jinja_env.filters[form.__name__] = _filter(form)
    app.jinja_env.filters.update(clock=_filter(clock_time), iso=iso)


def _filter(form: Callable[[datetime], str]) -> Callable[[datetime], Markup]:
    def show(moment: datetime) -> Markup:
        return _element(moment, form(moment))

    return show
