"""What every request passes, tried on every route: junk gets a clear 4xx (or the page), never a 5xx, and writes nothing.

Routes come from the application, fields from tests/world.py, query parameters from the source of the views: what is new is tried too.
"""

import ast
import inspect
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlencode
from xml.etree import ElementTree

import pytest
from flask import Flask
from werkzeug.routing import Rule as Route
from werkzeug.test import TestResponse

from blog.assets import STATIC
from blog.gate import ANY_HOST, FORM_BYTES, LONG_FORMS, MOST_FIELDS, POST_FORM_BYTES
from tests import factories
from tests.conftest import Board, Visitor, make_app
from tests.test_addresses import ADDRESSES, ADMINISTRATOR, MODERATOR
from tests.world import FORMS, VISITS, WORDS, World, build, routes, written

BLNS = Path(__file__).parent / "corpora" / "blns.json"

SAFE = {"GET", "HEAD", "OPTIONS"}
KB = 1024

# Pages with a form for whoever has no session yet: they hold a token and set the cookie it belongs to.
ENTRANCES = ("/login", "/register", "/forgot", "/reset/", "/verify")

HUGE = "123456789012345678901234567890"

# Query values and path parts that nobody types: each is taken as what it is, or refused.
ODD = ("", "0", "-1", "1.5", "1e9", " 1 ", "1.2.3.4.5", HUGE, "9223372036854775808", "9223372036854775807", "2147483648", "１２３", "null", "[]",
       "../../etc/passwd", "' OR 1=1 --", "%zz", "<b>x</b>", "\u202eevil", "💩", "x" * 5000, "//evil.example", "javascript:alert(1)", "{{7*7}}", "a\tb", "\x7f")

# No text of this board holds these: NUL, halves of UTF-8, an encoded surrogate, an overlong slash.
JUNK = (b"\x00", b"a\x00b", b"\xff", b"\xc3", b"\xe2\x28\xa1", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf8\x88\x80\x80\x80")

# A page's cursor that `paging.cursor` can't have made.
BROKEN_CURSORS = ("abc", "-1", "1.2.3.4.5", HUGE, "9223372036854775808", "１２３", "1e9", " 1", "1 ", "+1", "0x1", "1.", ".1", "1,2", "'", "1" * 300)
PAGED = {"/": ("after",), "/posts/<slug>": ("after",), "/posts/<slug>/history": ("after",), "/topics/<slug>": ("after",),
         "/comments/<key:comment_id>/replies": ("after",), "/members/<username>": ("posts", "comments"),
         "/moderation/held": ("texts", "posts", "members"), "/moderation/filters": ("after",)}


# Asked for again and again by the script, it has an ETag of its own: a browser keeps it and asks whether it still holds.
POLLED = {"comments.news"}


@pytest.fixture
def world(board: Board) -> World:
    return build(board)


def keeper(world: World, route: Route) -> Visitor:
    """A signed-in member who may use the route."""
    if route.rule.endswith(("/unhide", "/unlock", "/reopen", "/unslow", "/lift")):
        return world.board.max  # who did not do what this ends: within seconds, mo would be taking an own act back
    who = {ADDRESSES.get(f"{method} {route.rule}") for method in route.methods or ()}
    if ADMINISTRATOR in who:
        return world.board.ad
    if MODERATOR in who:
        return world.board.mo
    return world.board.anna if route.rule.endswith("/report") else world.board.bo  # nobody reports their own words


def reader(world: World, rule: str) -> Visitor:
    """Whoever reads the page of this rule: a stranger, where strangers may."""
    return world.board.mo if ADDRESSES[f"GET {rule}"] == MODERATOR else world.board.cy


def unsafe(world: World) -> list[Route]:
    found = [route for route in routes(world.app) if (route.methods or set()) - SAFE]
    assert len(found) >= 15
    return found


def fine(answer: TestResponse, what: str) -> TestResponse:
    """Any answer but a crash."""
    assert answer.status_code < 500, f"{what}: {answer.status_code}"
    return answer


def substituted(route: Route, part: str) -> str:
    """The route's path with every parameter written as this (percent-encoded) part."""
    return re.sub(r"<[^>]+>", lambda _: part, route.rule)


def parameters(app: Flask, route: Route) -> list[str]:
    """The query parameters that the module of the route's view reads."""
    view = inspect.unwrap(app.view_functions[route.endpoint])
    tree = ast.parse(Path(inspect.getsourcefile(view) or "").read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"request.args.get", "request.args.getlist"} and isinstance(node.args[0], ast.Constant):
            found.add(str(node.args[0].value))
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "request.args" and isinstance(node.slice, ast.Constant):
            found.add(str(node.slice.value))
    return sorted(found)


# -- addresses


def test_bytes_that_are_no_text_are_refused_in_every_address(world: World) -> None:
    before = written(world.app, besides=VISITS)
    for route in routes(world.app, "GET"):
        who, path = keeper(world, route), world.address(route)
        for junk in JUNK:
            encoded = quote_from_bytes(junk)
            for address in [f"{path}?after={encoded}", f"{path}?{encoded}=1"] + [substituted(route, encoded)] * ("<" in route.rule):
                assert who.get(address).status_code == 400, f"GET {address}"
    assert written(world.app, besides=VISITS) == before


def test_odd_parts_of_an_address_lead_nowhere(world: World) -> None:
    before = written(world.app, besides=VISITS)
    for route in routes(world.app):
        if "<" not in route.rule:
            continue
        for odd in ODD:
            address = substituted(route, quote(odd, safe=""))
            for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
                who = keeper(world, route)
                data = dict(world.form(route), csrf_token=world.token(who)) if method == "POST" else None
                fine(who.client.open(address, method=method, data=data), f"{method} {address}")
    # 0 and the like are no ids, so nothing was done; tokens and slugs of that kind do not exist.
    assert written(world.app, besides=VISITS) == before


def test_ids_that_no_database_holds_are_not_found(world: World) -> None:
    for route in routes(world.app):
        if "<key:" in route.rule:
            for part in (HUGE, "9223372036854775808", "0", "-1", "1.0", "１"):
                address = substituted(route, quote(part))
                assert keeper(world, route).client.open(address, method=min((route.methods or set()) - {"HEAD", "OPTIONS"})).status_code == 404, address
            assert keeper(world, route).client.open(substituted(route, "9223372036854775807"), method="GET").status_code in {404, 405}


def test_odd_query_parameters_are_taken_or_refused(world: World) -> None:
    before = written(world.app, besides=VISITS)
    tried = 0
    for route in routes(world.app, "GET"):
        path, who = world.address(route), keeper(world, route)
        for name in {*parameters(world.app, route)}:
            for odd in ODD[:: 3 if world.board.database == "sqlite" else 1]:  # PostgreSQL minds more
                tried += 1
                fine(who.get(f"{path}?{urlencode({name: odd})}"), f"GET {path} with {name}={odd!r}")
            for shape in (f"{name}[]=1", f"{name}[a]=1", f"{name}=1&{name}=2", f"{name}.x=1", name, f"{name}=1;{name}=2"):
                fine(who.get(f"{path}?{shape}"), f"GET {path}?{shape}")
                fine(who.get(f"{path}?{shape}", htmx=True), f"GET {path}?{shape} (htmx)")
        fine(who.get(f"{path}?{'&'.join(f'a{n}=1' for n in range(3000))}"), f"GET {path} with 3000 parameters")
    assert tried > 100
    assert written(world.app, besides=VISITS) == before


def test_a_damaged_link_to_the_next_page_is_a_400_with_a_sentence(world: World) -> None:
    by_rule = {route.rule: route for route in routes(world.app, "GET")}
    for rule, names in PAGED.items():
        for name in names:
            for broken in BROKEN_CURSORS:
                for htmx in (False, True):
                    answer = reader(world, rule).get(f"{world.address(by_rule[rule])}?{urlencode({name: broken})}", htmx=htmx)
                    assert answer.status_code == 400, f"GET {rule} with {name}={broken!r}: {answer.status_code}"
                    assert "damaged" in answer.text


OTHERS = ("evil.example", "localhost.evil.example", "evil.example:80", "localhost@evil.example", "evillocalhost", "", "[::1", "127.0.0.1.nip.io", "a b")


def test_cursors_at_the_end_of_all_numbers_are_an_empty_page_or_a_400(world: World) -> None:
    """Well formed, but past what a column holds: PostgreSQL refuses to compare an INTEGER with more than 2,147,483,647."""
    ends = ("2147483647", "2147483648", "9223372036854775807", "0", "1")
    cursors = [*ends, *(f"{one}.{two}" for one in ends for two in ends)]
    by_rule = {route.rule: route for route in routes(world.app, "GET")}
    for rule, names in PAGED.items():
        for name in names:
            for sort in ("", "newest", "active", "thanked") if rule in {"/", "/posts/<slug>"} else ("",):
                for after in cursors:
                    path = f"{world.address(by_rule[rule])}?{urlencode({name: after, 'sort': sort})}"
                    assert reader(world, rule).get(path).status_code in {200, 400}, f"GET {path}"


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.one_database
def test_a_host_that_is_not_ours_is_refused_everywhere_but_for_machines(world: World, host: str) -> None:
    before = written(world.app, besides=VISITS)
    for route in routes(world.app):
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            who = keeper(world, route)
            data = dict(world.form(route), csrf_token=world.token(who)) if method == "POST" else None
            answer = who.client.open(world.address(route), method=method, data=data, headers={"Host": host})
            if route.rule in ANY_HOST:
                assert answer.status_code == 200
            else:
                assert answer.status_code == 400, f"{method} {route.rule} for Host {host!r}: {answer.status_code}"
                assert host == "" or host not in answer.text.replace("localhost", "")
    assert written(world.app, besides=VISITS) == before


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost:8123", "127.0.0.1:5000", "[::1]:8000"])
@pytest.mark.one_database
def test_our_own_hosts_are_answered_on_any_port(world: World, host: str) -> None:
    assert world.board.cy.get("/rules", headers={"Host": host}).status_code == 200


# -- bodies


def multipart(fields: list[tuple[str, bytes]], boundary: str = "edge") -> tuple[bytes, str]:
    parts = b"".join(b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (boundary.encode(), name.encode(), value) for name, value in fields)
    return parts + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def odd_bodies(fields: dict[str, Any], token: str) -> Iterator[tuple[str, bytes, str]]:
    """Name, body and content type of requests that no form of ours sends. Each holds the right token wherever it can."""
    url = "application/x-www-form-urlencoded"
    whole = {**fields, "csrf_token": token}
    plain = urlencode(whole).encode()
    pairs = [(name, str(value).encode()) for name, value in whole.items()]
    yield "JSON", json.dumps(whole).encode(), "application/json"
    yield "JSON said to be a form", json.dumps(whole).encode(), url
    yield "a form said to be JSON", plain, "application/json"
    yield "text/plain", plain, "text/plain"
    yield "no content type", plain, ""
    yield "a picture", b"\x89PNG\r\n\x1a\n" + plain, "image/png"
    yield "XML", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "application/xml"
    yield "no boundary", multipart(pairs)[0], "multipart/form-data"
    yield "another boundary", multipart(pairs)[0], "multipart/form-data; boundary=other"
    yield "an endless boundary", multipart(pairs)[0], "multipart/form-data; boundary=" + "x" * 5000
    yield "half a multipart", multipart(pairs)[0][:-20], multipart(pairs)[1]
    yield "10,000 parts", *multipart([(f"f{n}", b"1") for n in range(10_000)])
    yield "nothing", b"", url
    yield "only separators", b"&" * 2000 + b"=" * 2000, url
    yield "half an escape", plain + b"&x=%", url
    yield "junk in a name", plain + b"&%00=1&%FF=2", url
    yield "utf-7", plain + b"&x=+ADw-script+AD4-", url + "; charset=utf-7"
    yield "no such charset", plain, url + "; charset=nonsense"


def test_bodies_that_no_form_sends_never_crash_a_route_and_do_nothing(world: World) -> None:
    before = written(world.app, besides={"draft"})
    for at, route in enumerate(unsafe(world)):
        who, path = keeper(world, route), world.address(route)
        for name, body, kind in odd_bodies({}, ""):  # without a token: it must change nothing whatever it holds
            for visitor in (who, world.board.cy)[: 1 + at % 2]:
                answer = fine(visitor.client.post(path, data=body, content_type=kind), f"POST {route.rule} with {name}")
                assert answer.status_code in {303, 400, 413} or route.rule == "/logout", f"POST {route.rule} with {name}: {answer.status_code}"
        if route.rule in {"/logout", "/settings/security"}:
            continue
        for name, body, kind in odd_bodies(dict.fromkeys(world.form(route), "") | {"parent_id": HUGE, "version": "-7", "rule": "0"}, world.token(who)):
            if FORMS.get(route.rule):  # a button alone is complete with its token
                fine(who.client.post(path, data=body, content_type=kind), f"POST {route.rule} with a token and {name}")
                fine(who.client.post(path, data=body, content_type=kind, headers={"HX-Request": "true"}), f"POST {route.rule} (htmx) with a token and {name}")
    after = written(world.app, besides={"draft", "member"})
    assert after == {name: fact for name, fact in before.items() if name in after}


def test_array_like_double_and_very_many_fields_are_no_crash(world: World) -> None:
    for route in unsafe(world):
        who = keeper(world, route)
        fields = world.form(route)
        if not fields or route.rule in {"/logout", "/settings/security", "/reset/<token>"}:
            continue
        token = world.token(who)
        arrays = {f"{name}[]": value for name, value in fields.items()} | {f"{name}[a][b]": value for name, value in fields.items()}
        double = [(name, value) for name, value in fields.items() for value in (value, "again")]
        many = [(f"field{number}", "1") for number in range(10_000)]
        for what, body in (("arrays", list(arrays.items())), ("double fields", double), ("10,000 fields", many)):
            data = urlencode([("csrf_token", token), *body])
            answer = who.client.post(world.address(route), data=data, content_type="application/x-www-form-urlencoded")
            fine(answer, f"POST {route.rule} with {what}")


@pytest.mark.one_database
def test_a_form_of_more_fields_than_any_of_ours_is_refused_before_a_page_gives_them_back(world: World) -> None:
    bo = world.board.bo
    for count, status in ((MOST_FIELDS, 303), (MOST_FIELDS + 1, 413), (150_000, 413)):
        fields = [("csrf_token", world.token(bo)), ("body", WORDS), *[("a", "")] * (count - 2)]
        answer = bo.client.post(f"/posts/{world.slug}/comments", data=urlencode(fields), content_type="application/x-www-form-urlencoded")
        assert answer.status_code == status and len(answer.data) < 20_000, count
    forged = bo.client.post(f"/comments/{world.leaf}/delete", data="a=&" * 150_000, content_type="application/x-www-form-urlencoded")
    assert forged.status_code == 413 and len(forged.data) < 20_000


@pytest.mark.one_database
def test_half_a_megabyte_of_accents_in_any_field_is_no_work(world: World) -> None:
    """Composing them takes time that grows with their square. That this test ends is what it says."""
    accents = "a" + "\u0315\u0300" * 120_000
    anna = world.board.anna
    for rule, field in (("/login", "password"), ("/login", "username"), ("/register", "password"), ("/register", "display_name"), ("/register", "email"),
                        ("/forgot", "email"), (f"/reset/{world.reset_token}", "password"), ("/posts/new", "title"), ("/posts/new", "topics"),
                        ("/posts/new", "body"), ("/settings/profile", "display_name"), ("/settings/security", "current_password")):
        who = anna if rule.startswith(("/posts", "/settings")) else world.board.cy
        data = {**FORMS.get(rule, {}), field: accents, "end": "", "csrf_token": who.token()}
        answer = who.client.post(rule, data=data, content_type="multipart/form-data")
        assert answer.status_code in {303, 422}, f"{rule} {field}: {answer.status_code}"
    heading = world.board.anna.post("/posts/new", {"title": "Accents", "body": "# " + accents[:90_000]})
    assert heading.status_code == 303


@pytest.mark.one_database
def test_ten_megabytes_are_refused_by_every_route(world: World) -> None:
    before = written(world.app)
    body = b"body=" + b"x" * (10 * KB * KB)
    parts, kind = multipart([("body", body)])
    for route in unsafe(world):
        for who in (keeper(world, route), world.board.cy):
            for htmx in (False, True):
                headers = {"HX-Request": "true"} if htmx else {}
                answer = who.client.post(world.address(route), data=body, content_type="application/x-www-form-urlencoded", headers=headers)
                assert answer.status_code == 413, f"POST {route.rule}: {answer.status_code}"
                assert len(answer.data) < 20 * KB
                assert answer.headers["X-Parley"]
        assert keeper(world, route).client.post(world.address(route), data=parts, content_type=kind).status_code == 413
        # A body of no stated length, as the server hands it on.
        chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        answer = keeper(world, route).client.post(world.address(route), input_stream=io.BytesIO(body), content_type="application/x-www-form-urlencoded",
                                                  environ_overrides=chunked)
        assert answer.status_code in {400, 413}, f"POST {route.rule} in chunks: {answer.status_code}"
    assert written(world.app) == before


@pytest.mark.one_database
def test_only_an_article_may_be_longer_than_half_a_megabyte(world: World) -> None:
    before = written(world.app, besides={"draft"})
    assert (FORM_BYTES, POST_FORM_BYTES) == (512 * KB, 2 * KB * KB)
    long = "x" * (600 * KB)
    for route in unsafe(world):
        who = keeper(world, route)
        answer = who.post(world.address(route), {**world.form(route), "body": long}, token=world.token(who))
        if route.endpoint in LONG_FORMS:
            assert answer.status_code == 422, f"POST {route.rule}: {answer.status_code}"
            assert long in answer.text, "the text is kept"
            longer = who.post(world.address(route), {**world.form(route), "body": long * 4}, token=world.token(who))
            assert longer.status_code == 413
        else:
            assert answer.status_code == 413, f"POST {route.rule}: {answer.status_code}"
    assert {route.endpoint for route in unsafe(world)} >= LONG_FORMS, "LONG_FORMS of blog/gate.py names an endpoint that does not exist."
    assert written(world.app, besides={"draft"}) == before


@pytest.mark.parametrize("multi", [False, True], ids=["urlencoded", "multipart"])
def test_junk_bytes_in_a_field_are_refused_with_the_text_and_nothing_written(world: World, multi: bool) -> None:
    before = written(world.app)
    for route in unsafe(world):
        who, fields = keeper(world, route), world.form(route)
        if route.rule == "/logout":
            continue
        for name in fields or {"x": ""}:
            for junk in JUNK:
                pairs = [("csrf_token", world.token(who).encode())]
                pairs += [(key, str(value).encode() + (junk if key == name else b"")) for key, value in fields.items()] or [("x", junk)]
                body, kind = multipart(pairs) if multi else ("&".join(f"{key}={quote_from_bytes(value)}" for key, value in pairs).encode(),
                                                             "application/x-www-form-urlencoded")
                answer = who.client.post(world.address(route), data=body, content_type=kind)
                # The comment that is answered is looked for first: it is on the page.
                assert answer.status_code in ({400, 422} if name == "parent_id" else {400}), f"POST {route.rule} with {junk!r} in {name}: {answer.status_code}"
                if "body" in fields:
                    assert WORDS in answer.text, f"POST {route.rule} with {junk!r} in {name}: the text is not on the page"
    assert written(world.app) == before


# Values that are no id, no version, no rule and no session of anybody.
NO_IDS = ("-1", "0", HUGE, "9223372036854775808", "abc", "1.5", "1e3", "７", "1 OR 1=1", "999999", "[]", "\u0667", " ", "1,2", "true", "²")
ID_FIELDS = {"/posts/<slug>/comments": ("parent_id",), "/comments/<key:comment_id>/edit": ("version",), "/posts/<slug>/edit": ("version",),
             "/comments/<key:comment_id>/hide": ("rule",), "/posts/<slug>/hide": ("rule",), "/settings/security": ("end",),
             "/moderation/held/<key:held_id>/reject": ("rule",), "/posts/<slug>/reject": ("rule",), "/members/<username>/refuse": ("rule",),
             "/moderation/filters": ("rule",), "/held/<key:held_id>/edit": ("version",), "/settings/invitations": ("end",)}


def test_fields_that_hold_ids_refuse_what_is_none(world: World) -> None:
    """A comment whose parent can't be found is not posted elsewhere; a save whose version can't be read overwrites nothing."""
    before = written(world.app, besides={"draft"})
    for route in unsafe(world):
        for name in ID_FIELDS.get(route.rule, ()):
            who = keeper(world, route)
            for value in NO_IDS:
                if value == " " and name != "rule":
                    continue  # as good as empty
                for htmx in (False, True):
                    answer = who.post(world.address(route), {**world.form(route), name: value}, htmx=htmx, token=world.token(who))
                    assert 400 <= answer.status_code < 500, f"POST {route.rule} with {name}={value!r}: {answer.status_code}"
    assert written(world.app, besides={"draft"}) == before


# What the founding list of bad input names.
BAD_COMMENTS = {
    "nothing": " \n\t ",
    "a character over the limit": "x" * 20_001,
    "a quote a hundred deep": ">" * 100 + " deep",
    "one long reference used 4,000 times": "[a]: https://example.org/" + "x" * 2000 + "\n\n" + "[a] " * 4000,
}


@pytest.mark.parametrize("name", BAD_COMMENTS)
def test_a_comment_that_is_too_much_is_refused_with_its_text(world: World, name: str) -> None:
    before = written(world.app, besides={"draft"})
    body = BAD_COMMENTS[name]
    anna = world.board.anna
    for htmx in (False, True):
        answer = anna.post(f"/posts/{world.slug}/comments", {"body": body}, htmx=htmx, token=world.token(anna))
        assert answer.status_code == 422, answer.status_code
        assert body.strip()[:2000].replace(">", "&gt;") in answer.text
    assert written(world.app, besides={"draft"}) == before


def test_a_reply_to_nothing_or_to_another_post_is_not_posted(world: World) -> None:
    before = written(world.app, besides={"draft"})
    anna, token = world.board.anna, world.token(world.board.anna)
    for parent in ("424242", HUGE, str(world.comment)):
        place = world.hidden_slug if parent == str(world.comment) else world.slug
        answer = anna.post(f"/posts/{place}/comments", {"body": WORDS, "parent_id": parent}, token=token)
        assert answer.status_code in {403, 404, 422}, f"parent {parent}: {answer.status_code}"
        assert WORDS in answer.text
    assert written(world.app, besides={"draft"}) == before


# -- headers and cookies

ODD_HEADERS: list[dict[str, str]] = [
    {"X-Junk": "x" * 100_000},
    {"User-Agent": "x" * 50_000},
    {"User-Agent": "\xff\xfe\x80"},
    {"Accept-Language": ",;q=,," * 1000},
    {"Accept-Encoding": "gzip;q=nonsense, *;q=-1"},
    {"Accept": "*/*;q=abc"},
    {"Authorization": "Basic !!!"},
    {"Authorization": "Bearer " + "x" * 9000},
    {"If-Modified-Since": "yesterday"},
    {"If-None-Match": 'W/"'},
    {"If-None-Match": "*"},
    {"Range": "bytes=9-1,abc,-"},
    {"X-Forwarded-For": "'; DROP TABLE member; --"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Proto": "gopher"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"Referer": "http://[::1"},
    {"Referer": "\x80\x81"},
    {"Origin": "http://[::1"},
    {"Origin": "http://localhost:notaport"},
    {"Sec-Fetch-Site": "moon"},
    {"HX-Request": "maybe"},
    {"HX-Request": "true", "HX-Target": "x" * 5000, "HX-Current-URL": "http://[::1"},
    {"Content-Length": "abc"},
    {"Content-Length": "-5"},
    {"Transfer-Encoding": "nonsense"},
    {"Expect": "200-maybe"},
    {"Cookie": "parley=" + "x" * 60_000},
    {"Cookie": "\xff=\xfe; ===; ;;; parley; parley=="},
    {"Cookie": "parley=.eJx.AAAA.BBBB"},
    {"Cookie": "; ".join(f"c{n}={n}" for n in range(2000))},
]


@pytest.mark.one_database
def test_odd_headers_never_crash_a_route(world: World) -> None:
    """Each header on every fourth route, each route with every fourth header."""
    before = written(world.app, besides=VISITS)
    for at, route in enumerate(routes(world.app)):
        path = world.address(route)
        for headers in ODD_HEADERS[at % 4 :: 4]:
            visitor = world.board.cy if "Cookie" in headers else keeper(world, route)
            method = min((route.methods or set()) - {"HEAD", "OPTIONS"})
            fine(visitor.client.open(path, method=method, headers=headers), f"{method} {path} with {str(headers)[:80]}")
    assert written(world.app, besides=VISITS) == before


@pytest.mark.one_database
def test_a_tampered_cookie_is_no_session(world: World) -> None:
    cookie = world.board.anna.client.get_cookie("parley")
    assert cookie is not None
    before = written(world.app)["comment"]
    payload, rest = cookie.value.split(".", 1)
    forged = [payload[:-2] + "AA." + rest, cookie.value[:-3] + "abc", payload, "." + rest, cookie.value + "x", cookie.value.swapcase(), cookie.value[::-1]]
    for value in forged:
        visitor = world.board.cy
        visitor.client.set_cookie("parley", value)
        assert visitor.get("/").status_code == 200
        assert visitor.get("/settings/profile").status_code == 303, f"{value} opens a member's page"
        assert visitor.post(f"/posts/{world.slug}/comments", {"body": WORDS}, token=world.token(world.board.anna)).status_code == 303
    assert written(world.app)["comment"] == before


@pytest.mark.one_database
def test_a_cookie_of_a_session_that_never_was_is_a_strangers(world: World) -> None:
    for token in ("invented", "", "\x00", "x" * 5000, "💩"):
        visitor = world.board.cy
        with visitor.client.session_transaction() as cookie:
            cookie["_user_id"] = token
        assert visitor.get("/").status_code == 200
        assert visitor.get("/settings/profile").status_code == 303


@pytest.mark.parametrize("method", ["BREW", "TRACE", "CONNECT", "PROPFIND", "PURGE", "get", "POST ", "X" * 300])
@pytest.mark.one_database
def test_methods_that_nobody_speaks_are_refused(world: World, method: str) -> None:
    before = written(world.app)
    for route in routes(world.app):
        answer = keeper(world, route).client.open(world.address(route), method=method)
        assert 400 <= answer.status_code < 500 or method == "get", f"{method} {route.rule}: {answer.status_code}"
    assert written(world.app) == before


# -- what every answer carries


def assert_guarded(answer: TestResponse, what: str) -> None:
    headers = answer.headers
    assert headers.get("X-Content-Type-Options") == "nosniff", what
    assert headers.get("Referrer-Policy") in {"same-origin", "no-referrer", "strict-origin", "strict-origin-when-cross-origin"}, what
    assert headers.get("Cross-Origin-Opener-Policy") == "same-origin", what
    assert headers.get("Permissions-Policy"), what
    assert headers.get("X-Parley"), what
    assert len(headers.getlist("Content-Security-Policy")) == 1, what
    csp = {directive.split()[0]: directive.split()[1:] for directive in headers["Content-Security-Policy"].split(";")}
    assert csp["default-src"] == ["'none'"], what
    assert csp["frame-ancestors"] == ["'none'"], what
    assert csp["base-uri"] == ["'none'"], what
    assert csp["form-action"] == ["'self'"], what
    assert csp["script-src"] == ["'self'"], what
    assert csp["style-src"] == ["'self'"], what
    assert not re.search(r"unsafe-|https?:|\*", headers["Content-Security-Policy"]), what
    assert not headers.get("Server", "").startswith(("gunicorn", "Werkzeug/")), what


@pytest.mark.one_database
def test_every_answer_is_guarded(world: World) -> None:
    board = world.board
    for route in routes(world.app):
        path = world.address(route)
        for who in (board.cy, board.bo, board.mo):
            for htmx in (False, True):
                if "GET" in (route.methods or ()):
                    assert_guarded(who.get(path, htmx=htmx), f"GET {path}")
                if "POST" in (route.methods or ()):
                    assert_guarded(who.post(path, {}, token="rubbish", htmx=htmx), f"POST {path}")
        assert_guarded(board.cy.client.open(path, method="DELETE"), f"DELETE {path}")
        assert_guarded(board.cy.client.options(path), f"OPTIONS {path}")
    for path in ("/nothing/here", "/comments/999999", "/comments/999999/hide", "/posts/no-such-post", "/%00", "/static/", "/favicon.ico", "/robots.txt"):
        for htmx in (False, True):
            assert_guarded(board.cy.get(path, htmx=htmx), f"GET {path}")
    assert_guarded(board.cy.get("/", headers={"Host": "evil.example"}), "a wrong Host")
    assert_guarded(board.cy.post("/login", {"username": "x" * (3 * KB * KB)}, token=""), "413")


@pytest.mark.one_database
def test_static_files_are_guarded_too_and_kept_for_ever(world: World) -> None:
    with world.app.test_request_context():
        prefix = world.app.jinja_env.globals["asset"]("")
    files = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()]
    assert len(files) >= 5
    for file in files:
        answer = world.board.cy.get(prefix + file, buffered=True)
        assert answer.status_code == 200, file
        assert_guarded(answer, file)
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers
    for path in (prefix, prefix + "nothing.css", prefix + "../../blog/config.py", "/static/000000000000/css/parley.css"):
        assert world.board.cy.get(path).status_code == 404, path


@pytest.mark.one_database
def test_a_strangers_page_sets_no_cookie_and_holds_no_token(world: World) -> None:
    """So a cache may keep it; `no-cache` makes it ask each time, and a hide holds at once."""
    seen = 0
    for route in routes(world.app, "GET"):
        path = world.address(route)
        if path.startswith(ENTRANCES):
            continue
        for htmx in (False, True):
            answer = world.board.cy.get(path, htmx=htmx)
            assert "Set-Cookie" not in answer.headers, f"GET {path} sets a cookie for a stranger"
            assert "csrf_token" not in answer.text, f"GET {path} holds a token for a stranger"
            assert "submission_id" not in answer.text or 'name="submission_id" value=""' in answer.text, f"GET {path} differs from stranger to stranger"
            if answer.mimetype == "text/html" and answer.status_code == 200 and not htmx and route.endpoint not in POLLED:
                seen += 1
                assert answer.headers["Cache-Control"] == "public, no-cache", f"GET {path}: {answer.headers['Cache-Control']}"
                assert "HX-Request" in answer.vary, f"GET {path}: a page and its piece have one address"
                assert world.board.cy.get(path).data == answer.data, f"GET {path} differs from stranger to stranger"
    assert seen >= 10
    for path in ("/nothing/here", "/comments/999999"):
        assert "Set-Cookie" not in world.board.cy.get(path).headers
        assert "csrf_token" not in world.board.cy.get(path).text


@pytest.mark.one_database
def test_a_members_page_is_private_and_a_fragment_is_never_kept(world: World) -> None:
    for route in routes(world.app, "GET"):
        path, who = world.address(route), keeper(world, route)
        if route.endpoint.startswith("operations.") or route.endpoint in POLLED:
            continue
        page, fragment = who.get(path), who.get(path, htmx=True)
        assert page.headers["Cache-Control"] in {"private, no-cache", "no-store"}, f"GET {path}: {page.headers['Cache-Control']}"
        if page.mimetype == "text/html":
            assert fragment.headers["Cache-Control"] == "no-store", f"GET {path} (htmx): {fragment.headers['Cache-Control']}"
        stranger = world.board.cy.get(path, htmx=True)
        if stranger.mimetype == "text/html":
            assert stranger.headers["Cache-Control"] == "no-store", f"GET {path} (htmx, stranger): {stranger.headers['Cache-Control']}"
        if page.status_code == fragment.status_code == 200 and ("<html" in page.text) != ("<html" in fragment.text):
            assert "HX-Request" in page.vary, f"GET {path}: vary() is missing"
            assert "HX-Request" in fragment.vary, f"GET {path} (htmx): vary() is missing"


@pytest.mark.one_database
def test_an_entrances_page_is_not_shared(world: World) -> None:
    for path in ("/login", "/register", "/forgot", f"/reset/{world.reset_token}", f"/verify/{world.verify_token}"):
        answer = world.board.cy.get(path)
        assert answer.headers["Cache-Control"] in {"private, no-cache", "no-store"}, path
        assert "csrf_token" in answer.text, path
        assert "Cookie" in answer.vary, path


@pytest.mark.one_database
def test_answers_of_errors_are_not_kept(world: World) -> None:
    board = world.board
    for answer in (board.cy.get("/nothing"), board.anna.get(f"/comments/{world.comment}/hide"), board.anna.post(f"/posts/{world.slug}/comments", {"body": ""}),
                   board.cy.get("/?after=x"), board.cy.client.delete("/")):
        assert answer.status_code >= 400
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.one_database
def test_the_one_cookie_and_its_flags(tmp_path: Path, world: World) -> None:
    plain = world.board.cy.get("/login").headers.getlist("Set-Cookie")
    assert len(plain) == 1
    assert plain[0].startswith("parley=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(plain[0].split("; "))
    assert "Secure" not in plain[0].split("; ")
    assert "Strict-Transport-Security" not in world.board.cy.get("/login").headers

    app = make_app(tmp_path / "https", base_url="https://board.example.org")
    answer = app.test_client().get("/login", base_url="https://board.example.org")
    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 1
    assert cookies[0].startswith("__Host-parley=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"} <= set(cookies[0].split("; "))
    assert "Domain" not in cookies[0]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert app.test_client().get("/rules", base_url="http://board.example.org").status_code == 200, "http is accepted; no redirect of our own"
    assert app.test_client().get("/rules", base_url="https://other.example.org").status_code == 400


# -- naughty strings


def naughty(board: Board) -> list[str]:
    """The big list; on the second database its unusual characters, which a database may mind, and every fifth of the others."""
    strings = [str(string) for string in json.loads(BLNS.read_text(encoding="utf-8"))]
    assert len(strings) > 500
    return [string for number, string in enumerate(strings) if board.database == "sqlite" or number % 5 == 0 or not (string.isascii() and string.isprintable())]


LINES: dict[str, tuple[str, list[str]]] = {
    "post": ("/posts/new", ["title", "topics"]),
    "profile": ("/settings/profile", ["display_name", "about"]),
    "register": ("/register", ["username", "email", "display_name", "password", "next"]),
    "login": ("/login", ["username", "password", "next"]),
    "forgot": ("/forgot", ["email"]),
    "reason": ("/comments/{comment}/hide", ["reason"]),
}


@pytest.mark.parametrize("form", LINES)
def test_naughty_strings_in_single_fields_never_crash_a_form(world: World, form: str) -> None:
    """All fields of the form hold the string; now and then the first alone, so that one field's refusal hides no other's crash."""
    path, names = LINES[form]
    path = path.format(comment=world.others_leaf)
    stranger = form in {"register", "login", "forgot"}
    who = world.board.cy if stranger else world.board.mo if form == "reason" else world.board.bo
    token = who.token()
    usual = {"post": {"body": WORDS, "action": "draft"}, "reason": {"rule": "99"}}.get(form, {})
    for number, string in enumerate(naughty(world.board)):
        for fields in [dict.fromkeys(names, string)] + [{names[0]: string}] * (number % 5 == 0):
            answer = who.client.post(path, data={**usual, **fields, "csrf_token": token})
            fine(answer, f"POST {path} with {string[:60]!r}")
            if stranger and answer.status_code == 303:  # came in: begin anew
                who = world.board.cy
                token = who.token()
    for page in ("/", "/topics", "/members/bo", "/feed.atom", "/sitemap.xml", f"/posts/{world.slug}"):
        fine(world.board.bo.get(page), f"GET {page}")


def test_naughty_strings_in_texts_never_crash_a_form_and_come_out_whole(world: World) -> None:
    """Comments, their previews and edits, and articles; then every page and feed that shows them."""
    bo, token = world.board.bo, world.token(world.board.bo)
    strings = naughty(world.board)
    texts = ["\n\n".join(strings[at:at + 12]) for at in range(0, len(strings), 12)]
    for number, text in enumerate(texts):
        for path, fields in ((f"/posts/{world.slug}/comments", {"body": text}), (f"/posts/{world.slug}/comments", {"body": text, "action": "preview"}),
                             (f"/comments/{world.leaf}/edit", {"body": text}), ("/posts/new", {"title": f"Naughty {number}", "body": text})):
            fine(bo.post(path, fields, htmx=bool(number % 2), token=token), f"POST {path} with {text[:60]!r}")
    for page in ("/", f"/posts/{world.slug}", f"/comments/{world.leaf}", f"/comments/{world.leaf}/history", "/members/bo", "/posts/naughty-0"):
        answer = world.board.cy.get(page)
        assert answer.status_code == 200, page
        assert not re.search(r"<script(?! src=\"/static/)", answer.text), page
    for feed in ("/feed.atom", f"/posts/{world.slug}/feed.atom", "/sitemap.xml"):
        answer = world.board.cy.get(feed)
        assert answer.status_code == 200, feed
        ElementTree.fromstring(answer.data)


def test_bytes_that_are_no_characters_and_not_even_escaped_lose_nothing_else(board: Board) -> None:
    anna, bo = board.anna, board.bo
    with board.app.app_context():
        factories.make_post(anna.id, title="The kitchen table")
    for path in ("/posts/the-kitchen-table/comments", "/posts/new"):
        body = b"csrf_token=" + bo.token().encode() + b"&title=A+title&body=precious\xff\xfe+words"
        answer = bo.client.post(path, data=body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 400
        assert "precious words" in answer.text
