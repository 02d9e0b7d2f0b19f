"""Templates, read as source and as the pages that they make: nothing inline, htmx only on what works without it, no SQL, no leftovers."""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask, before_render_template, template_rendered
from jinja2 import Environment, nodes
from sqlalchemy import event
from werkzeug.test import TestResponse

from blog.config import ROOT
from blog.db import db
from tests.conftest import Board, Visitor
from tests.world import WORDS, World, build, routes

TEMPLATES = ROOT / "templates"
SOURCES = {path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.rglob("*")) if path.is_file()}
MARKUP = {name: source for name, source in SOURCES.items() if name.endswith(".html")}

# Where a piece goes when it is not an id: the element itself or the nearest around it.
RELATIVE_TARGETS = frozenset({"this", "closest li", "closest article", "closest form"})

# Attributes that turn text into code, or that hand a meaning down to what stands below.
FORBIDDEN = re.compile(
    r"^(style|on\w+|(data-)?hx-on.*|(data-)?hx-(vals|vars|headers|boost|push-url|replace-url|inherit|disinherit|ext|params|include|trigger|select.*|history.*"
    r"|request|validate|encoding|prompt|confirm|disabled-elt|preserve))$"
)


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    line: int
    form: "Element | None" = None  # the form that it stands in

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name) or ""

    def __contains__(self, name: str) -> bool:
        return name in self.attributes

    def __str__(self) -> str:
        return f"line {self.line}: <{self.tag} {' '.join(f'{name}={value!r}' for name, value in self.attributes.items())}>"


@dataclass
class Markup(HTMLParser):
    """The elements of a page or template in order, each with the form around it."""

    source: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._form: Element | None = None
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), self.getpos()[0], self._form)
        self.elements.append(element)
        if tag == "form":
            self._form = element

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    def ids(self) -> list[str]:
        return [element["id"] for element in self.elements if element["id"]]


def without_jinja(source: str) -> str:
    """The template's HTML, all branches at once; an expression stands as «its own words»."""
    source = re.sub(r"\{#.*?#\}", lambda found: "\n" * found[0].count("\n"), source, flags=re.DOTALL)
    source = re.sub(r"\{%.*?%\}", lambda found: " " + "\n" * found[0].count("\n"), source, flags=re.DOTALL)
    return re.sub(r"\{\{(.*?)\}\}", lambda found: "«" + re.sub(r"[\"'<>\s]+", "_", found[1].strip()) + "»", source, flags=re.DOTALL)


def path_of(address: str) -> str:
    return address.split("?")[0].split("#")[0]


def htmx_faults(markup: Markup, is_whole: bool = True) -> Iterator[str]:
    """What is wrong with the hx-* attributes of a page: sentences that say what to do. In a macro's source a button's form may stand around the call."""
    for element in markup.elements:
        for name in element.attributes:
            if FORBIDDEN.match(name):
                yield f"{element}: take {name} away"
        for verb in ("hx-put", "hx-patch", "hx-delete"):
            if verb in element:
                yield f"{element}: a form knows GET and POST only"
        asks = element["hx-get"] or element["hx-post"]
        if not asks:
            if ("hx-target" in element or "hx-swap" in element or "hx-sync" in element) and "hx-swap-oob" not in element:
                yield f"{element}: these say nothing without hx-get or hx-post on the same element (nothing is inherited)"
            continue
        for name in ("hx-target", "hx-swap"):
            if name not in element:
                yield f"{element}: write {name} out"
        target = element["hx-target"]
        if not re.fullmatch(r"#[\w«».\-|~ ()]+", target) and target not in RELATIVE_TARGETS:
            yield f"{element}: hx-target is an id or one of {sorted(RELATIVE_TARGETS)}"
        if element["hx-get"]:
            if element.tag != "a" or not element["href"]:
                yield f"{element}: hx-get sits on a link"
            elif path_of(element["href"]) != path_of(element["hx-get"]):
                yield f"{element}: href and hx-get lead to different addresses"
            continue
        around = element.form["action"] if element.form and "form" not in element else ""
        plain = element["action"] if element.tag == "form" else element["formaction"] or around
        if element.tag == "form" and element["method"] != "post":
            yield f"{element}: hx-post sits on a form with method=post"
        elif element.tag == "button" and element["type"] not in ("", "submit"):
            yield f"{element}: only a submit button does something without script"
        elif element.tag not in ("form", "button"):
            yield f"{element}: hx-post sits on a form or a submit button"
        elif element.tag == "button" and element.form is None and element["form"] == "" and is_whole:
            yield f"{element}: this button belongs to no form (form=acts)"
        if path_of(plain) != path_of(element["hx-post"]):
            yield f"{element}: without script it goes to {plain!r}"
        if element["hx-sync"] != "this:drop":
            yield f'{element}: say hx-sync="this:drop", so that a second press sends nothing'


def inline_faults(markup: Markup) -> Iterator[str]:
    """Style and script that do not come from a file of ours."""
    for element in markup.elements:
        if element.tag == "style":
            yield f"{element}: put it into static/css/parley.css"
        if element.tag == "script" and not element["src"]:
            yield f"{element}: put it into static/js/parley.js"
        if element.tag in ("iframe", "object", "embed", "base", "frame"):
            yield f"{element}: not on this board"
        for name in ("href", "src", "action", "formaction", "hx-get", "hx-post", "data", "poster", "srcset", "xlink:href"):
            is_icon = element.tag == "link" and element["rel"] == "icon" and element[name].startswith("data:image/svg+xml,")
            if re.match(r"\s*(javascript|vbscript|data|file):", element[name], re.IGNORECASE) and not is_icon:
                yield f"{element}: no such address"
        if element.tag in ("script", "img", "link", "source", "video", "audio") and element["rel"] not in ("canonical", "alternate"):  # noqa: SIM102
            if re.match(r"\s*(https?:)?//", element["src"] or element["href"]):
                yield f"{element}: nothing is loaded from another host"


def fail(found: list[str]) -> None:
    assert not found, "\n".join(found)


# -- the source


@pytest.mark.parametrize("name", MARKUP)
def test_htmx_sits_on_what_works_without_it(name: str) -> None:
    fail([f"templates/{name}, {fault}" for fault in htmx_faults(Markup(without_jinja(MARKUP[name])), is_whole="{% macro" not in MARKUP[name])])


@pytest.mark.parametrize("name", MARKUP)
def test_nothing_is_inline(name: str) -> None:
    fail([f"templates/{name}, {fault}" for fault in inline_faults(Markup(without_jinja(MARKUP[name])))])


@pytest.mark.parametrize("name", SOURCES)
def test_no_import_is_unused(name: str) -> None:
    tree = Environment().parse(SOURCES[name])
    used = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
    imported: set[str] = set()
    for node in tree.find_all((nodes.FromImport, nodes.Import)):
        if isinstance(node, nodes.FromImport):
            imported |= {word[1] if isinstance(word, tuple) else word for word in node.names}
        else:
            imported.add(node.target)
    assert imported <= used, f"templates/{name}: {sorted(imported - used)} is imported for nothing"


PIECES = [name for name in MARKUP if "/_" in name and "{% macro" not in MARKUP[name]]


@pytest.mark.parametrize("name", PIECES)
def test_a_piece_begins_with_what_it_needs(name: str) -> None:
    opening = re.match(r"\{#(.*?)#\}", MARKUP[name], re.DOTALL)
    assert opening, f"templates/{name}: begin with a comment that names what the piece needs"
    assert re.search(r"\bneeds\b", opening[1], re.IGNORECASE), f"templates/{name}: say in the first comment what the piece needs"


@pytest.mark.parametrize("name", sorted(set(MARKUP) - set(PIECES)))
def test_a_page_begins_with_what_it_is(name: str) -> None:
    opening = SOURCES[name].splitlines()[:2]
    assert any(line.startswith("{#") for line in opening), f"templates/{name}: begin with a comment that says what this is and what it needs"


def rendered_names() -> set[str]:
    """Names of templates in the code, those put together from parts as patterns."""
    found = set()
    for path in sorted((ROOT / "blog").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            pattern = "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w/]+" for part in parts)
            if isinstance(parts[-1], ast.Constant) and re.fullmatch(r"\w[^ ]*\\\.(html|txt|xml)", pattern):
                found.add(pattern)
    return found


def referred_names() -> set[str]:
    """Names of templates in templates."""
    found = set()
    for source in SOURCES.values():
        for node in Environment().parse(source).find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
            named = [node.template] if isinstance(node.template, nodes.Const) else node.template.find_all(nodes.Const)
            found |= {str(constant.value) for constant in named}
    return found


def test_every_template_is_used_and_every_name_is_a_template() -> None:
    patterns, referred = rendered_names(), referred_names()
    assert len(patterns) >= 20
    dead = [name for name in SOURCES if name not in referred and not any(re.fullmatch(pattern, name) for pattern in patterns)]
    assert not dead, f"Nobody renders or includes these: {dead}"
    asked = {pattern for pattern in patterns if "/" in pattern} | {re.escape(name) for name in referred}
    wrong = sorted(pattern for pattern in asked if not any(re.fullmatch(pattern, name) for name in SOURCES))
    assert not wrong, f"There are no such templates: {wrong}"


# -- the pages


@pytest.fixture
def world(board: Board) -> World:
    return build(board)


def visits(world: World) -> Iterator[tuple[str, Visitor, str]]:
    """Who, and where: every page as everybody who may see it."""
    board = world.board
    extra = [f"/comments/{world.hidden}", f"/comments/{world.deleted}", f"/comments/{world.leaf}", f"/posts/{world.hidden_slug}", f"/posts/{world.draft_slug}",
             f"/posts/{world.slug}?sort=thanked", f"/posts/{world.slug}/comments?parent_id={world.comment}", f"/comments/{world.comment}/reply?quote=1",
             "/nothing/here", "/?after=junk", "/login?next=/rules", f"/comments/{world.others_leaf}/hide"]
    paths = [world.address(route) for route in routes(world.app, "GET") if route.endpoint.split(".")[0] not in {"feeds", "operations"}]
    for name, who in (("a stranger", board.cy), ("nina", board.member("nina")), ("anna", board.anna), ("bo", board.bo), ("mo", board.mo), ("max", board.max)):
        for path in paths + extra:
            yield name, who, path


def refused_forms(world: World) -> Iterator[tuple[str, Visitor, str, dict[str, Any]]]:
    """Forms that come back with a refusal, and deeds that answer with a piece."""
    board = world.board
    post = f"/posts/{world.slug}/comments"
    yield "an empty comment", board.anna, post, {"body": ""}
    yield "an empty reply", board.anna, post, {"body": " ", "parent_id": str(world.comment)}
    yield "a preview", board.anna, post, {"body": WORDS, "action": "preview"}
    yield "a stale edit", board.bo, f"/comments/{world.leaf}/edit", {"body": "Anew", "version": "9"}
    yield "a hide without a rule", board.mo, f"/comments/{world.others_leaf}/hide", {"reason": "too short"}
    yield "an unhide without a reason", board.max, f"/comments/{world.hidden}/unhide", {"reason": ""}
    yield "a post without a title", board.bo, "/posts/new", {"title": "", "body": WORDS, "topics": "a,b,c,d"}
    yield "a post's preview", board.bo, "/posts/new", {"title": "", "body": WORDS, "action": "preview"}
    yield "a stale post", board.bo, f"/posts/{world.slug}/edit", {"title": "T", "body": WORDS, "version": "9"}
    yield "a wrong password", board.cy, "/login", {"username": "bo", "password": "no"}
    yield "a bad registration", board.cy, "/register", {"username": "!", "email": "@", "password": "x"}
    yield "a profile without a name", board.anna, "/settings/profile", {"display_name": ""}
    yield "a wrong present password", board.anna, "/settings/security", {"current_password": "x", "password": "y"}
    yield "leaving by a slip", board.anna, "/settings/data", {"action": "leave", "username": "bo"}
    yield "no address", board.cy, "/forgot", {"email": "nobody"}


def checked(answer: TestResponse, what: str, fragment: bool) -> None:
    page = Markup(answer.text)
    faults = [*htmx_faults(page), *inline_faults(page)]
    ids = page.ids()
    faults += [f"the id {name!r} stands twice" for name in {name for name in ids if ids.count(name) > 1}]
    for element in page.elements:
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls", "form"):
            for wanted in element[name].split():
                if wanted not in ids and not (fragment and wanted == "acts"):
                    faults.append(f"{element}: there is no id {wanted!r}")
        if not fragment and (target := element["hx-target"]).startswith("#") and target[1:] not in ids:
            faults.append(f"{element}: there is no {target} on the page")
    if not fragment:
        faults += [f"{element}: focus goes to one element" for element in [e for e in page.elements if "autofocus" in e][1:]]
        faults += [] if len([e for e in page.elements if e.tag == "h1"]) == 1 else ["a page has one h1"]
        faults += [] if len([e for e in page.elements if e.tag == "main"]) == 1 else ["a page has one main"]
    assert not faults, "\n".join([what, *faults])


@pytest.mark.one_database
def test_every_page_as_everybody_sees_it(world: World) -> None:
    seen = 0
    for name, who, path in visits(world):
        answer = who.get(path)
        assert answer.status_code < 500, f"GET {path} as {name}"
        if answer.mimetype == "text/html" and "<html" in answer.text and answer.status_code not in {301, 303}:
            seen += 1
            checked(answer, f"GET {path} as {name}", fragment=False)
    assert seen > 100


@pytest.mark.one_database
def test_every_piece_as_everybody_sees_it(world: World) -> None:
    seen = 0
    for name, who, path in visits(world):
        answer = who.get(path, htmx=True)
        assert answer.status_code < 500, f"GET {path} as {name}"
        if answer.mimetype == "text/html" and answer.text and "<html" not in answer.text:
            seen += 1
            checked(answer, f"GET {path} (htmx) as {name}", fragment=True)
    assert seen > 20


@pytest.mark.one_database
def test_every_refused_form(world: World) -> None:
    for name, who, path, fields in refused_forms(world):
        for htmx in (False, True):
            answer = who.post(path, fields, htmx=htmx)
            assert answer.status_code in {200, 409, 422}, f"{name}: {answer.status_code}"
            checked(answer, f"{name} (htmx {htmx})", fragment=htmx)


def plain(markup: str) -> str:
    """Markup without what only the moment of answering puts there: where the focus goes, that it is swapped in, tokens, levels of nesting."""
    markup = re.sub(r' (data-focus|autofocus|hx-swap-oob="[^"]*")', "", markup)
    markup = re.sub(r'(name="(?:csrf_token|submission_id)" value=)"[^"]*"', r"\1", markup)
    return re.sub(r"\s+", " ", markup).strip()


def element_with_id(markup: str, name: str) -> str:
    """The element of that id, as it is written."""
    start = re.search(rf'<(\w+)[^>]*\bid="{re.escape(name)}"', markup)
    assert start, f"no element with the id {name}"
    depth = 0
    for tag in re.finditer(rf"<(/?){start[1]}\b[^>]*>", markup[start.start():]):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return markup[start.start():start.start() + tag.end()]
    raise AssertionError(f"the element {name} does not end")


def test_the_piece_answered_after_a_comment_is_literally_part_of_the_page(world: World) -> None:
    bo = world.board.bo
    for fields in ({"body": "A **reply** with <b>marks</b> & signs"}, {"body": "Under it", "parent_id": str(world.comment)}):
        answer = bo.post(f"/posts/{world.slug}/comments", fields, htmx=True)
        assert answer.status_code in {200, 201}
        name = re.search(r'<article id="(comment-\d+)"', answer.text)
        assert name
        piece = plain(element_with_id(answer.text, name[1]))
        for path in (f"/posts/{world.slug}", f"/comments/{name[1].removeprefix('comment-')}"):
            assert piece in plain(bo.get(path).text), f"{path} draws the comment otherwise than the answer to its form did"
        count = plain(element_with_id(answer.text, "talk-count"))
        assert count in plain(bo.get(f"/posts/{world.slug}").text), "the counter differs"


def test_pieces_after_other_deeds_are_literally_part_of_the_page(world: World) -> None:
    board = world.board
    deeds = [
        (board.bo, f"/comments/{world.leaf}/edit", {"body": "Other words", "version": "1"}, world.leaf),
        (board.anna, f"/comments/{world.leaf}/thank", {}, world.leaf),
        (board.mo, f"/comments/{world.others_leaf}/hide", {"rule": "2", "reason": "Names a client of hers."}, world.others_leaf),
        (board.max, f"/comments/{world.hidden}/unhide", {"reason": "Mill Lane is in a novel."}, world.hidden),
        (board.anna, f"/comments/{world.reply}/delete", {}, world.reply),
        (board.anna, f"/comments/{world.reply}/restore", {}, world.reply),
    ]
    for who, path, fields, comment in deeds:
        answer = who.post(path, fields, htmx=True)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        name = f"actions-{comment}" if path.endswith("/thank") else f"comment-{comment}"
        page = who.get(f"/posts/{world.slug}").text
        assert plain(element_with_id(answer.text, name)) in plain(page), f"the thread draws {name} otherwise than the answer to {path} did"


@pytest.mark.one_database
def test_a_form_opened_in_place_is_literally_part_of_its_page(world: World) -> None:
    """One template for page and piece, never two kept equal by hand."""
    tried = 0
    for route in routes(world.app, "GET"):
        who = world.board.max if "unhide" in route.endpoint else world.board.mo if "hide" in route.endpoint else world.board.bo
        path = world.address(route)
        page, piece = who.get(path), who.get(path, htmx=True)
        if page.mimetype != "text/html" or page.status_code != 200 or "<html" in piece.text or "<html" not in page.text or route.endpoint == "comments.replies":
            continue
        tried += 1
        # After opening in place the focus goes to the heading, on a page of its own to the field: plain() leaves both out.
        assert plain(piece.text) in plain(page.text), f"GET {path} under htmx is no part of the page"
    assert tried >= 8


@pytest.mark.one_database
def test_a_comments_markup_holds_no_token_and_is_the_same_for_all(world: World) -> None:
    """What is costly to draw can be shared: only the line of actions differs."""
    bodies = set()
    for who in (world.board.cy, world.board.anna, world.board.bo, world.board.mo):
        page = who.get(f"/posts/{world.slug}").text
        article = element_with_id(page, f"comment-{world.comment}")
        assert "csrf_token" not in article
        bodies.add(article.replace(element_with_id(article, f"actions-{world.comment}"), ""))
    assert len(bodies) == 1


# -- no SQL while a template draws


@contextmanager
def statements_in_templates(app: Flask) -> Iterator[list[tuple[str, str]]]:
    """Template and SQL of every statement that runs while a template draws (the context is gathered before)."""
    found: list[tuple[str, str]] = []
    drawing: list[str] = []

    def begin(sender: Any, template: Any, **rest: Any) -> None:
        drawing.append(str(template.name))

    def end(sender: Any, **rest: Any) -> None:
        drawing.pop()

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if drawing and not statement.startswith(("BEGIN", "PRAGMA")):
            found.append((drawing[-1], statement))

    with app.app_context():
        engine = db.engine
    before_render_template.connect(begin, app)
    template_rendered.connect(end, app)
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        before_render_template.disconnect(begin, app)
        template_rendered.disconnect(end, app)
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.one_database
def test_no_template_asks_the_database(world: World) -> None:
    with statements_in_templates(world.app) as found:
        for route in routes(world.app, "GET"):
            for who in (world.board.cy, world.board.anna, world.board.bo, world.board.mo):
                for htmx in (False, True):
                    who.get(world.address(route), htmx=htmx)
        for _, who, path, fields in refused_forms(world):
            who.post(path, fields, htmx=True)
            who.post(path, fields)
        world.board.cy.get("/nothing/here")
    assert not found, "Load it in the reading and pass it: " + "; ".join(sorted({f"{name}: {statement[:80]}" for name, statement in found}))


@pytest.mark.one_database
def test_the_listener_hears_sql_in_a_template(world: World) -> None:
    """Against the silence of a test whose ear is shut."""
    app = world.app
    with statements_in_templates(app) as found, app.test_request_context():
        app.update_template_context({})
        template = app.jinja_env.from_string("{{ ask() }}")
        before_render_template.send(app, template=template, context={})
        template.render(ask=lambda: db.session.connection().exec_driver_sql("SELECT 1").scalar())
        template_rendered.send(app, template=template, context={})
    assert [statement for _, statement in found] == ["SELECT 1"]


def test_the_reading_of_templates_finds_faults() -> None:
    """Against the silence of a parser that sees nothing."""
    wrong = [
        '<a hx-get="/x" href="/y" hx-target="#a" hx-swap="innerHTML">',
        '<a hx-get="/x" href="/x">',
        '<div hx-get="/x" hx-target="#a" hx-swap="innerHTML">',
        '<form hx-post="/x" action="/x" method="post" hx-target="#a" hx-swap="outerHTML">',
        '<button hx-post="/x" formaction="/x" hx-target="#a" hx-swap="outerHTML" hx-sync="this:drop">',
        '<button type="button" form="acts" hx-post="/x" formaction="/x" hx-target="#a" hx-swap="outerHTML" hx-sync="this:drop">',
        '<p onclick="x">',
        '<p style="a">',
        '<p hx-on:click="x">',
        '<p hx-target="#a">',
        '<a hx-get="/x" href="/x" hx-target="body" hx-swap="innerHTML">',
        '<p hx-vals="js:{}">',
        '<p hx-confirm="Sure?">',
    ]
    for markup in wrong:
        assert list(htmx_faults(Markup(markup))), markup
    inline = ("<style>", "<script>x</script>", '<a href="javascript:x">', '<img src="https://e.example/x.png">', "<iframe>", '<script src="//e.example/x.js">')
    for markup in inline:
        assert list(inline_faults(Markup(markup))), markup
    right = '<form action="/x" method="post" hx-post="/x" hx-target="#a" hx-swap="outerHTML" hx-sync="this:drop"><button></button></form>'
    assert not list(htmx_faults(Markup(right)))


