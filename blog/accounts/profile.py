"""What members say of themselves, and how they like their pages."""

from functools import cache
from zoneinfo import available_timezones

from blog.accounts.models import Member
from blog.board import versions
from blog.db import db
from blog.errors import Invalid
from blog.permissions import may_act_at_all
from blog.text.names import clean_display_name, is_blank
from blog.viewer import Viewer

THEMES = ("system", "light", "dark")
LONGEST_ABOUT = 2_000

_REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@cache
def zones() -> dict[str, list[str]]:
    """Names of time zones by region, as a form offers them."""
    known = sorted(available_timezones())
    return {region: [name for name in known if name.startswith(region + "/")] for region in _REGIONS} | {"Everywhere": ["UTC"]}


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(name for names in zones().values() for name in names)


def own(viewer: Viewer) -> Member:
    """The viewer's own row. One statement."""
    return db.session.get_one(Member, viewer.id)


def change(viewer: Viewer, *, display_name: str | None = None, about: str | None = None, theme: str | None = None, zone: str | None = None) -> None:
    """Change what is given; None leaves a thing as it is, and the zone "" is the board's. Call inside `writing()`.

    Raises Invalid with the field, NotAllowed for what others would see of a suspended member.
    """
    member = own(viewer)
    if display_name not in (None, member.display_name) or about not in (None, member.about):  # what others see; colours and zone are their own business
        may_act_at_all(viewer).require()
    if display_name is not None:
        try:
            shown = clean_display_name(display_name)
        except ValueError as error:
            raise Invalid(str(error), "display_name") from None
        if shown != member.display_name:
            member.display_name = shown
            versions.rise()
    if about is not None:
        if len(about) > LONGEST_ABOUT:
            raise Invalid(f"What you say about yourself may have {LONGEST_ABOUT:,} characters; this has {len(about):,}.", "about")
        member.about = "" if is_blank(about) else about.strip()
    if theme is not None:
        if theme not in THEMES:
            raise Invalid("Choose one of the colour schemes in the list.", "theme")
        member.theme = theme
    if zone is not None:
        if zone and zone not in _zone_names():
            raise Invalid("Choose one of the time zones in the list.", "zone")
        member.zone = zone or None
    db.session.flush()
