"""Every address of the board: written down once more, with who may. None vanishes or appears unseen, and each keeps its own door.

The list below is a contract (names of addresses stay); whoever adds a route adds its line, and a value for its parameter in tests/world.py.
"""

from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from werkzeug.routing import Rule as Route
from werkzeug.test import TestResponse

from tests.conftest import Board, Visitor
from tests.world import VISITS, WORDS, World, build, routes, written

EVERYONE = "everyone"
MEMBER = "member"
OWN = "own"  # the member who wrote it
MODERATOR = "moderator"
ADMINISTRATOR = "administrator"

ADDRESSES: dict[str, str] = {
    "GET /": EVERYONE,
    "GET /acts/<key:number>": EVERYONE,
    "GET /acts/<key:number>/appeal": OWN,  # or the key of a mailed link
    "GET /acts/<key:number>/decide": MODERATOR,
    "GET /acts/<key:number>/redact": MODERATOR,
    "GET /comments/<key:comment_id>": EVERYONE,
    "GET /comments/<key:comment_id>/aside": OWN,
    "GET /comments/<key:comment_id>/back": OWN,
    "GET /comments/<key:comment_id>/edit": OWN,
    "GET /comments/<key:comment_id>/hide": MODERATOR,
    "GET /comments/<key:comment_id>/history": EVERYONE,
    "GET /comments/<key:comment_id>/redact": MODERATOR,
    "GET /comments/<key:comment_id>/replies": EVERYONE,
    "GET /comments/<key:comment_id>/reply": EVERYONE,
    "GET /comments/<key:comment_id>/report": MEMBER,
    "GET /comments/<key:comment_id>/unhide": MODERATOR,
    "GET /dev/mail": EVERYONE,  # in development only
    "GET /dev/mail/<key:number>": EVERYONE,
    "GET /feed.atom": EVERYONE,
    "GET /forgot": EVERYONE,
    "GET /healthz": EVERYONE,
    "GET /held/<key:held_id>": OWN,
    "GET /held/<key:held_id>/edit": OWN,
    "GET /log": EVERYONE,
    "GET /log.atom": EVERYONE,
    "GET /login": EVERYONE,
    "GET /members/<username>": EVERYONE,
    "GET /members/<username>/lift": MODERATOR,
    "GET /members/<username>/refuse": MODERATOR,
    "GET /members/<username>/suspend": MODERATOR,
    "GET /members/<username>/warn": MODERATOR,
    "GET /metrics": EVERYONE,  # on the operator's own network only
    "GET /moderation": MODERATOR,
    "GET /moderation/appeals": MODERATOR,
    "GET /moderation/cases/<key:number>": MODERATOR,
    "GET /moderation/cases/<key:number>/dismiss": MODERATOR,
    "GET /moderation/cases/<key:number>/hide": MODERATOR,
    "GET /moderation/cases/<key:number>/reports/<key:report_id>/bad-faith": MODERATOR,
    "GET /moderation/cases/<key:number>/warn": MODERATOR,
    "GET /moderation/filters": MODERATOR,
    "GET /moderation/held": MODERATOR,
    "GET /moderation/held/<key:held_id>/reject": MODERATOR,
    "GET /moderation/hide": MODERATOR,
    "GET /moderation/members": MODERATOR,
    "GET /moderation/members/<username>": MODERATOR,
    "GET /moderation/rules": MODERATOR,
    "GET /moderation/rules/<key:rule_id>": ADMINISTRATOR,
    "GET /notices": MEMBER,
    "GET /posts/<slug>": EVERYONE,
    "GET /posts/<slug>/close": MODERATOR,
    "GET /posts/<slug>/comments": EVERYONE,
    "GET /posts/<slug>/edit": OWN,
    "GET /posts/<slug>/feed.atom": EVERYONE,
    "GET /posts/<slug>/hide": MODERATOR,
    "GET /posts/<slug>/history": EVERYONE,
    "GET /posts/<slug>/lock": MODERATOR,
    "GET /posts/<slug>/new": EVERYONE,
    "GET /posts/<slug>/redact": MODERATOR,
    "GET /posts/<slug>/reject": MODERATOR,
    "GET /posts/<slug>/reopen": MODERATOR,
    "GET /posts/<slug>/report": MEMBER,
    "GET /posts/<slug>/slow": MODERATOR,
    "GET /posts/<slug>/unhide": MODERATOR,
    "GET /posts/<slug>/unlock": MODERATOR,
    "GET /posts/<slug>/unslow": MODERATOR,
    "GET /posts/new": MEMBER,
    "GET /readyz": EVERYONE,
    "GET /register": EVERYONE,
    "GET /reports": MEMBER,
    "GET /reset/<token>": EVERYONE,
    "GET /rules": EVERYONE,
    "GET /settings/data": MEMBER,
    "GET /settings/deleted": MEMBER,
    "GET /settings/invitations": MEMBER,
    "GET /settings/profile": MEMBER,
    "GET /settings/security": MEMBER,
    "GET /settings/standing": MEMBER,
    "GET /sitemap.xml": EVERYONE,
    "GET /topics": EVERYONE,
    "GET /topics/<slug>": EVERYONE,
    "GET /topics/<slug>/feed.atom": EVERYONE,
    "GET /verify": MEMBER,
    "GET /verify/<token>": EVERYONE,
    "POST /acts/<key:number>/appeal": OWN,
    "POST /acts/<key:number>/decide": MODERATOR,
    "POST /acts/<key:number>/messages": OWN,  # here: the person concerned; else moderators who may decide
    "POST /acts/<key:number>/redact": MODERATOR,
    "POST /comments/<key:comment_id>/aside": OWN,
    "POST /comments/<key:comment_id>/back": OWN,
    "POST /comments/<key:comment_id>/delete": OWN,
    "POST /comments/<key:comment_id>/edit": OWN,
    "POST /comments/<key:comment_id>/hide": MODERATOR,
    "POST /comments/<key:comment_id>/redact": MODERATOR,
    "POST /comments/<key:comment_id>/report": MEMBER,
    "POST /comments/<key:comment_id>/restore": OWN,
    "POST /comments/<key:comment_id>/thank": MEMBER,
    "POST /comments/<key:comment_id>/unhide": MODERATOR,
    "POST /drafts": MEMBER,
    "POST /forgot": EVERYONE,
    "POST /held/<key:held_id>/edit": OWN,
    "POST /held/<key:held_id>/withdraw": OWN,
    "POST /login": EVERYONE,
    "POST /logout": EVERYONE,
    "POST /members/<username>/admit": MODERATOR,
    "POST /members/<username>/lift": MODERATOR,
    "POST /members/<username>/refuse": MODERATOR,
    "POST /members/<username>/suspend": MODERATOR,
    "POST /members/<username>/warn": MODERATOR,
    "POST /moderation/cases/<key:number>/claim": MODERATOR,
    "POST /moderation/cases/<key:number>/dismiss": MODERATOR,
    "POST /moderation/cases/<key:number>/hide": MODERATOR,
    "POST /moderation/cases/<key:number>/pass": MODERATOR,
    "POST /moderation/cases/<key:number>/reports/<key:report_id>/bad-faith": MODERATOR,
    "POST /moderation/cases/<key:number>/warn": MODERATOR,
    "POST /moderation/filters": MODERATOR,
    "POST /moderation/filters/<key:line_id>/retire": MODERATOR,
    "POST /moderation/held/<key:held_id>/approve": MODERATOR,
    "POST /moderation/held/<key:held_id>/reject": MODERATOR,
    "POST /moderation/hide": MODERATOR,
    "POST /moderation/members/<username>": MODERATOR,
    "POST /moderation/reasons": MODERATOR,
    "POST /moderation/reasons/<key:template_id>/retire": MODERATOR,
    "POST /moderation/rules": ADMINISTRATOR,
    "POST /moderation/rules/<key:rule_id>": ADMINISTRATOR,
    "POST /moderation/rules/<key:rule_id>/retire": ADMINISTRATOR,
    "POST /moderation/undo": MODERATOR,
    "POST /notices": MEMBER,
    "POST /posts/<slug>/approve": MODERATOR,
    "POST /posts/<slug>/close": MODERATOR,
    "POST /posts/<slug>/comments": MEMBER,
    "POST /posts/<slug>/delete": OWN,
    "POST /posts/<slug>/edit": OWN,
    "POST /posts/<slug>/hide": MODERATOR,
    "POST /posts/<slug>/lock": MODERATOR,
    "POST /posts/<slug>/read": MEMBER,
    "POST /posts/<slug>/redact": MODERATOR,
    "POST /posts/<slug>/reject": MODERATOR,
    "POST /posts/<slug>/reopen": MODERATOR,
    "POST /posts/<slug>/report": MEMBER,
    "POST /posts/<slug>/restore": OWN,
    "POST /posts/<slug>/slow": MODERATOR,
    "POST /posts/<slug>/thank": MEMBER,
    "POST /posts/<slug>/unhide": MODERATOR,
    "POST /posts/<slug>/unlock": MODERATOR,
    "POST /posts/<slug>/unslow": MODERATOR,
    "POST /posts/new": MEMBER,
    "POST /register": EVERYONE,
    "POST /reset/<token>": EVERYONE,
    "POST /settings/data": MEMBER,
    "POST /settings/invitations": MEMBER,
    "POST /settings/profile": MEMBER,
    "POST /settings/security": MEMBER,
    "POST /verify": MEMBER,
    "POST /verify/<token>": EVERYONE,
}

# In the address book, being built by whoever holds the feature: struck from here when it comes.
COMING: frozenset[str] = frozenset()

def lines(app: Flask) -> dict[str, Route]:
    """ "GET /rule" of each route and method that is not made by Flask itself."""
    return {f"{method} {route.rule}": route for route in routes(app) for method in (route.methods or set()) - {"HEAD", "OPTIONS"}}


def listed(app: Flask) -> dict[str, Route]:
    """Those of them that the list names; the others make the test of the list fail, and only that."""
    return {line: route for line, route in lines(app).items() if line in ADDRESSES}


def unsafe(app: Flask) -> list[Route]:
    return [route for line, route in listed(app).items() if line.startswith("POST ")]


def keeper(world: World, line: str) -> Visitor:
    """Somebody who may."""
    board = world.board
    who = ADDRESSES[line]
    if "/verify" in line and "<token>" not in line:
        return board.member("nina", verified=False)
    if who == EVERYONE:
        return board.cy
    return {MEMBER: board.anna, OWN: board.bo, MODERATOR: board.mo, ADMINISTRATOR: board.ad}[who]


@pytest.fixture
def world(board: Board) -> World:
    return build(board)


@pytest.mark.one_database
def test_the_list_of_addresses_is_whole(app: Flask) -> None:
    found = set(lines(app))
    new, gone = sorted(found - set(ADDRESSES)), sorted(set(ADDRESSES) - found - COMING)
    assert not new, f"New addresses: say in ADDRESSES of tests/test_addresses.py who may: {new}"
    assert not gone, f"These addresses have vanished; an address stays for ever, or redirects: {gone}"
    came = sorted(found & COMING)
    assert not came, f"These have come: strike them from COMING: {came}"


@pytest.mark.one_database
def test_one_address_has_one_view(app: Flask) -> None:
    seen: dict[str, str] = {}
    for route in routes(app):
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}:
            first = seen.setdefault(f"{method} {route.rule}", route.endpoint)
            assert first == route.endpoint, f"{method} {route.rule} is served twice: by {first} and {route.endpoint}"


@pytest.mark.one_database
def test_open_views_are_those_that_the_list_calls_open(app: Flask) -> None:
    """What a stranger may call is marked @open_to_all; a view with two methods that differ is closed, and asks itself."""
    for line, route in listed(app).items():
        is_open = getattr(app.view_functions[route.endpoint], "open_to_all", False)
        assert is_open == (ADDRESSES[line] == EVERYONE), f"{line}: mark the view with @open_to_all, or change the list"


@pytest.mark.one_database
def test_a_closed_page_leads_a_stranger_to_sign_in_and_back(world: World) -> None:
    closed = [(line, route) for line, route in listed(world.app).items() if line.startswith("GET ") and ADDRESSES[line] != EVERYONE]
    assert len(closed) >= 8
    for line, route in closed:
        for query in ("", "?quote=1&after=2"):
            path = world.address(route) + query
            answer = world.board.cy.get(path)
            assert answer.status_code == 303, line
            to = urlsplit(answer.headers["Location"])
            assert (to.scheme, to.netloc, to.path) == ("", "", "/login"), line
            assert parse_qs(to.query)["next"] == [path], line
            under_htmx = world.board.cy.get(path, htmx=True)
            assert (under_htmx.status_code, urlsplit(under_htmx.headers["HX-Redirect"]).path) == (200, "/login"), line


@pytest.mark.one_database
def test_a_strangers_press_leads_through_sign_in_and_does_nothing(world: World) -> None:
    """With and without a token; only what they typed is kept, in a draft."""
    closed = [(line, route) for line, route in listed(world.app).items() if not line.startswith("GET ") and ADDRESSES[line] != EVERYONE]
    assert len(closed) >= 10
    before = written(world.app, besides={"draft", *VISITS})
    for line, route in closed:
        for token in (None, "", "rubbish"):
            answer = world.board.cy.post(world.address(route), world.form(route), token=token)
            assert answer.status_code == 303, f"{line} with token {token!r}: {answer.status_code}"
            to = urlsplit(answer.headers["Location"])
            assert to.path == "/login", line
            back = parse_qs(to.query)["next"][0]
            assert world.board.bo.get(back).status_code in {200, 301, 303, 403}, f"{line}: back to {back}, which is no page"
    assert written(world.app, besides={"draft", *VISITS}) == before


@pytest.mark.one_database
def test_a_draft_kept_after_the_session_ended_waits_in_its_form(world: World) -> None:
    cy = world.board.cy
    target = f"/posts/{world.slug}/comments?parent_id={world.comment}"
    answer = cy.post("/drafts", {"target": target, "body": "Half a thought"}, token="an old one")
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["next"] == [target]
    fields = {"username": "latecomer", "email": "latecomer@example.org", "password": "nine green bottles hang", "next": target}
    assert cy.post("/register", fields, token=cy.token()).status_code == 303
    assert "Half a thought" in cy.get(target).text


@pytest.mark.one_database
def test_each_page_opens_for_who_may(world: World) -> None:
    for line, route in listed(world.app).items():
        if line.startswith("GET "):
            answer = keeper(world, line).get(world.address(route))
            assert answer.status_code == 200, f"{line}: {answer.status_code}"


@pytest.mark.one_database
def test_pages_of_moderators_and_writers_are_closed_to_other_members(world: World) -> None:
    for line, route in listed(world.app).items():
        if line.startswith("GET ") and ADDRESSES[line] in {OWN, MODERATOR, ADMINISTRATOR}:
            for who in [world.board.anna] + [world.board.mo] * (ADDRESSES[line] == ADMINISTRATOR):
                for htmx in (False, True):
                    answer = who.get(world.address(route), htmx=htmx)
                    assert answer.status_code in {403, 404}, f"{line}: {answer.status_code} for {who.viewer.username}, who may not"


def test_deeds_of_moderators_and_writers_are_refused_to_other_members(world: World) -> None:
    before = written(world.app, besides={"draft"})
    tried = 0
    for line, route in listed(world.app).items():
        if not line.startswith("GET ") and ADDRESSES[line] in {OWN, MODERATOR, ADMINISTRATOR}:
            tried += 1
            for who in [world.board.anna] + [world.board.mo] * (ADDRESSES[line] != MODERATOR):
                for htmx in (False, True):
                    answer = who.post(world.address(route), world.form(route), htmx=htmx, token=world.token(who))
                    assert answer.status_code in {403, 404}, f"{line}: {answer.status_code} for {who.viewer.username}"
    assert tried >= 8
    assert written(world.app, besides={"draft"}) == before


def test_reading_writes_nothing(world: World) -> None:
    """A safe request changes no table but the session's age and the visit."""
    before = written(world.app, besides=VISITS)
    board = world.board
    for route in routes(world.app, "GET"):
        path = world.address(route)
        for who in (board.cy, board.anna, board.bo, board.mo):
            who.get(path)
            who.client.head(path)
        assert written(world.app, besides=VISITS) == before, f"GET {route.rule} writes"


# These end something that the other forms need, so they come last.
LAST = ("/comments/<key:comment_id>/hide", "/posts/<slug>/hide", "/comments/<key:comment_id>/delete", "/posts/<slug>/delete", "/settings/security", "/logout")


def test_a_form_with_the_fields_of_the_address_book_does_its_work(world: World) -> None:
    """Fields and csrf_token are complete: no Origin, no Referer, no Sec-Fetch-Site, nothing optional."""
    for line, route in listed(world.app).items():
        if line.startswith("GET ") or route.rule in {*LAST, "/login", "/reset/<token>"}:
            continue
        who = keeper(world, line)
        answer = who.post(world.address(route), world.form(route), token=world.token(who))
        assert answer.status_code in {200, 201, 303}, f"{line}: {answer.status_code} {sentence(answer)}"
    for rule in LAST:
        route = listed(world.app)[f"POST {rule}"]
        who = world.board.mo if ADDRESSES[f"POST {rule}"] == MODERATOR else world.board.bo
        answer = who.post(world.address(route), world.form(route), token=world.token(who))
        assert answer.status_code == 303, f"POST {rule}: {answer.status_code} {sentence(answer)}"
    assert world.board.bo.get("/settings/profile").status_code == 303
    lea = world.board.member("lea")
    assert lea.post("/settings/data", {"action": "leave", "username": "lea"}, token=world.token(lea)).status_code == 303
    assert lea.get("/settings/profile").status_code == 303


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_a_wrong_token_is_refused_and_nothing_written(world: World, htmx: bool) -> None:
    """Missing, invented, and another member's. The text comes back, with a token that works."""
    board = world.board
    others = world.token(board.member("eva"))
    before = written(world.app)
    for route in unsafe(world.app):
        line = f"POST {route.rule}"
        who = keeper(world, line)
        members = [who] if who.viewer.is_member else [board.bo, who]
        for visitor in members:
            for token in ("", "rubbish", others, "x" * 5000):
                answer = visitor.post(world.address(route), world.form(route), htmx=htmx, token=token)
                if route.rule == "/logout" and not visitor.viewer.is_member:
                    continue  # nobody to sign out
                assert answer.status_code == 400, f"{line} with token {token[:9]!r}: {answer.status_code}"
        if "body" in world.form(route):
            assert WORDS in answer.text, f"{line}: what was typed is not on the page"
            if not htmx:
                assert 'name="csrf_token"' in answer.text, f"{line}: the page has no fresh token"
    assert written(world.app) == before


@pytest.mark.parametrize("headers", [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.elsewhere.example"},
    {"Origin": "http://localhost:81"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Referer": "https://elsewhere.example/localhost/"},
], ids=lambda headers: " ".join(*headers.items()))
@pytest.mark.one_database
def test_another_sites_form_is_refused_even_with_the_token(world: World, headers: dict[str, str]) -> None:
    before = written(world.app)
    for route in unsafe(world.app):
        line = f"POST {route.rule}"
        for who in [keeper(world, line)] + [world.board.bo] * (ADDRESSES[line] == EVERYONE):
            if not who.viewer.is_member and route.rule == "/logout":
                continue
            answer = who.post(world.address(route), world.form(route), token=world.token(who), headers=headers)
            assert answer.status_code == 400, f"{line}: {answer.status_code} {sentence(answer)}"
    assert written(world.app) == before


@pytest.mark.one_database
def test_our_own_origin_is_welcome(world: World) -> None:
    board = world.board
    token = world.token(board.anna)
    for number, headers in enumerate(({"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, {"Referer": "http://localhost/posts/x"},
                                      {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin", "Referer": "http://localhost/"})):
        answer = board.anna.post(f"/posts/{world.slug}/comments", {"body": f"{WORDS} {number}"}, token=token, headers=headers)
        assert answer.status_code == 303, (headers, sentence(answer))


@pytest.mark.one_database
def test_a_script_may_send_the_token_as_a_header(world: World) -> None:
    anna = world.board.anna
    answer = anna.post(f"/posts/{world.slug}/comments", {"body": WORDS}, token="", headers={"X-CSRFToken": world.token(anna)})
    assert answer.status_code == 303


@pytest.mark.one_database
def test_an_address_without_a_button_takes_no_press(world: World) -> None:
    before = written(world.app)
    for route in routes(world.app):
        for method in {"POST", "PUT", "PATCH", "DELETE"} - (route.methods or set()):
            if any(method in (other.methods or ()) for other in routes(world.app) if other.rule == route.rule):
                continue
            answer = world.board.mo.client.open(world.address(route), method=method, data={"csrf_token": world.token(world.board.mo)})
            assert answer.status_code == 405, f"{method} {route.rule}: {answer.status_code}"
            assert "GET" in answer.headers["Allow"] or "POST" in answer.headers["Allow"]
    assert written(world.app) == before


@pytest.mark.one_database
def test_every_page_for_members_holds_the_form_of_all_buttons_and_the_way_out(world: World) -> None:
    for line, route in listed(world.app).items():
        if not line.startswith("GET ") or route.endpoint.split(".")[0] in {"feeds", "operations"} or route.endpoint == "comments.news":
            continue  # feeds, what machines ask, and the one piece that stands in no page of its own
        who = {MODERATOR: world.board.mo, ADMINISTRATOR: world.board.ad}.get(ADDRESSES[line], world.board.bo)
        answer = who.get(world.address(route))
        if answer.status_code in {301, 303}:
            continue
        forms = Forms(answer.text)
        token = [value for attributes, fields in forms.found if attributes.get("id") == "acts" for name, value in fields if name == "csrf_token"]
        assert len(token) == 1, f"{line}: one form id=acts with the token"
        assert [attributes.get("method") for attributes, _ in forms.found if attributes.get("action") == "/logout"] == ["post"], line


class Forms(HTMLParser):
    """The forms of a page: their attributes, and name and value of their fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str | None], list[tuple[str | None, str | None]]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.found.append((attributes, []))
        elif tag in {"input", "textarea", "button"} and self.found:
            self.found[-1][1].append((attributes.get("name"), attributes.get("value")))


def sentence(answer: TestResponse) -> str:
    """What the page says went wrong, for a test's message."""
    at = max(answer.text.find('class="lede"'), answer.text.find('role="alert"'))
    return answer.text[at:at + 200] if at >= 0 else answer.text[:200]
