"""Nothing typed is lost, in a real browser: drafts across two windows, a lost line, leaving; and what is new while one reads."""

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select

from blog.comments import writing
from blog.db import db
from blog.drafts.models import Draft
from blog.viewer import Viewer
from tests.browser.conftest import Live, both_htmx, violations
from tests.factories import make_post

POST = "/posts/the-kitchen-table"
KEPT_AT = "/posts/1"  # what is kept goes by the number, which outlives the title
KEPT = re.compile(r"Draft kept, \d\d:\d\d")
NOT_KEPT = "Not kept yet; it stays in this page"
PAUSE, THROTTLE, POLL = 1_600, 5_100, 61_000  # milliseconds on the page's clock


@pytest.fixture
def talk(live: Live) -> Live:
    """A post by anna with a first comment by bo."""
    anna = live.member_id("anna")
    live.member_id("bo")
    live.do(lambda: make_post(anna, title="The kitchen table", source="An opening."))
    write(live, "I teach at the table.")
    return live


def write(live: Live, body: str, name: str = "bo") -> None:
    author = Viewer(id=live.member_id(name), verified=True)
    live.do(lambda: writing.add(1, author, writing.words(body)))


def window(live: Live, name: str = "anna", path: str = POST) -> Page:
    """A window whose clock the test moves."""
    page = live.visitor(name)
    page.clock.install()
    page.goto(path)
    if page.locator("#thread").count():
        page.locator("[data-keys]").wait_for()  # the part for threads has come
    return page


def drafts(live: Live) -> dict[str, str]:
    """Address and text of what the server keeps."""
    return dict(live.do(lambda: [(row.target, str(row.fields.get("body", ""))) for row in db.session.execute(select(Draft)).scalars()]))


class Sent:
    """What the page sends to an address, while it goes through."""

    def __init__(self, page: Page, part: str) -> None:
        self.bodies: list[str] = []
        page.on("request", lambda request: self.bodies.append(request.post_data or "") if part in request.url else None)

    def __len__(self) -> int:
        return len(self.bodies)


def kept(page: Page, form: str = "#write") -> None:
    """Let the pause pass, until the line says that the text is kept."""
    with page.expect_response("**/drafts"):
        page.clock.fast_forward(THROTTLE)
    expect(page.locator(f"{form} [data-draft-line]")).to_have_text(KEPT)


def hide(page: Page, hidden: bool) -> None:
    """The window goes behind another one, or comes back."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " Object.defineProperty(document, 'visibilityState', {value: hidden ? 'hidden' : 'visible', configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange', {bubbles: true})); }", hidden)


# -- drafts


def test_what_is_typed_is_there_in_another_window(talk: Live) -> None:
    page = window(talk)
    sent = Sent(page, "/drafts")
    page.get_by_role("link", name="Reply to Bo").click()
    page.locator("#body-1").press_sequentially("half a thought")
    with page.expect_response("**/drafts"):
        page.clock.fast_forward(PAUSE)
    expect(page.locator("#slot-1 [data-draft-line]")).to_have_text(KEPT)
    assert violations(page) == []
    page.locator("#write textarea").fill("and another")
    kept(page)
    assert len(sent) == 2
    other = talk.visitor("anna")
    other.goto(POST)
    expect(other.locator("#write textarea")).to_have_value("and another")
    other.get_by_role("link", name="Reply to Bo").click()
    expect(other.locator("#body-1")).to_have_value("half a thought")
    other.get_by_role("button", name="Post reply").click()
    expect(other.locator("#comment-2")).to_contain_text("half a thought")
    assert drafts(talk) == {f"{KEPT_AT}/comments": "and another"}


def test_while_typing_it_is_sent_every_five_seconds(talk: Live) -> None:
    page = window(talk)
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    sent = Sent(page, "/drafts")
    field = page.locator("#write textarea")
    for _ in range(40):  # ten seconds without a pause
        field.press_sequentially("ab")
        page.clock.run_for(250)
    assert 2 <= len(sent) <= 3
    for _ in range(20):
        page.clock.run_for(THROTTLE)
        if drafts(talk) == {f"{KEPT_AT}/comments": "ab" * 40}:
            break
        page.wait_for_timeout(100)
    expect(page.locator("#write [data-draft-line]")).to_have_text(KEPT)
    assert drafts(talk) == {f"{KEPT_AT}/comments": "ab" * 40}
    assert len(sent) <= 4


def test_text_that_is_not_changed_is_not_sent(talk: Live) -> None:
    page = window(talk)
    page.locator("#write textarea").fill("typed before")
    kept(page)
    page.reload()
    sent = Sent(page, "/drafts")
    field = page.locator("#write textarea")
    expect(field).to_have_value("typed before")
    field.focus()
    page.clock.fast_forward(THROTTLE)
    field.press_sequentially("!")
    page.keyboard.press("Backspace")
    page.clock.fast_forward(THROTTLE)
    hide(page, True)
    page.goto("/")
    assert len(sent) == 0
    assert drafts(talk) == {f"{KEPT_AT}/comments": "typed before"}


def test_an_emptied_form_takes_its_draft_with_it(talk: Live) -> None:
    page = window(talk)
    page.locator("#write textarea").fill("never mind")
    kept(page)
    page.locator("#write textarea").fill("")
    with page.expect_response("**/drafts"):
        page.clock.fast_forward(THROTTLE)
    assert drafts(talk) == {}


def test_escape_keeps_it_on_the_server_too_and_at_once(talk: Live) -> None:
    page = window(talk)
    page.get_by_role("link", name="Reply to Bo").click()
    page.locator("#body-1").fill("half a thought")
    with page.expect_response("**/drafts"):
        page.keyboard.press("Escape")
    expect(page.locator("#slot-1 form")).to_have_count(0)
    assert drafts(talk) == {f"{KEPT_AT}/comments?parent_id=1": "half a thought"}


@pytest.mark.parametrize("how", ["hidden", "left", "closed"])
def test_leaving_within_the_pause_loses_nothing(talk: Live, how: str) -> None:
    page = window(talk)
    page.get_by_role("link", name="Reply to Bo").click()
    page.locator("#body-1").fill("typed in haste")
    if how == "hidden":
        with page.expect_response("**/drafts"):
            hide(page, True)
    elif how == "left":
        page.get_by_role("link", name="Topics").first.click()
        expect(page).to_have_url(re.compile("/topics$"))
        page.go_back()
        page.get_by_role("link", name="Reply to Bo").click()
        expect(page.locator("#body-1")).to_have_value("typed in haste")
    else:
        page.close(run_before_unload=True)
    other = talk.visitor("anna")
    other.goto(f"{POST}/comments?parent_id=1")
    expect(other.locator("#body-1")).to_have_value("typed in haste")


def test_back_brings_what_was_typed_even_where_no_draft_is_kept(talk: Live) -> None:
    talk.expected += ["ERR_FAILED", "Failed to load"]
    page = talk.visitor("anna")
    page.route("**/drafts", lambda route: route.abort())
    page.goto(POST)
    page.locator("#write textarea").fill("typed in haste")
    page.get_by_role("link", name="Topics").first.click()
    expect(page).to_have_url(re.compile("/topics$"))
    page.go_back()
    expect(page.locator("#write textarea")).to_have_value("typed in haste")
    page.get_by_role("link", name="Reply to Bo").click()  # and nothing of ours takes it away
    expect(page.locator("#body-1")).to_be_focused()
    expect(page.locator("#write textarea")).to_have_value("typed in haste")


def test_a_lost_line_keeps_it_in_the_page_until_it_is_back(talk: Live) -> None:
    talk.expected += ["ERR_INTERNET_DISCONNECTED", "htmx"]
    page = window(talk)
    context: BrowserContext = page.context
    page.get_by_role("link", name="Reply to Bo").click()
    page.locator("#body-1").fill("typed in a tunnel")
    context.set_offline(True)
    page.clock.fast_forward(PAUSE)
    expect(page.locator("#slot-1 [data-draft-line]")).to_have_text(NOT_KEPT)
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator("#flash")).to_contain_text("Your text is still here")
    expect(page.locator("#body-1")).to_have_value("typed in a tunnel")
    page.keyboard.press("Escape")
    assert drafts(talk) == {}
    with page.expect_response("**/drafts"):
        context.set_offline(False)
    assert drafts(talk) == {f"{KEPT_AT}/comments?parent_id=1": "typed in a tunnel"}
    page.get_by_role("link", name="Reply to Bo").click()
    expect(page.locator("#body-1")).to_have_value("typed in a tunnel")
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator("#comment-2")).to_contain_text("typed in a tunnel")
    page.clock.fast_forward(THROTTLE)
    assert drafts(talk) == {}


@pytest.mark.parametrize("status", [200, 302, 403, 429, 503])
def test_an_answer_that_keeps_nothing_says_so_and_the_next_pause_tries_again(talk: Live, status: int) -> None:
    talk.expected += [f"status of {status}", "Failed to load"]
    page = window(talk)
    headers = {"X-Parley": "1", "Location": "/login"} if status != 200 else {}  # 200 without our marker: somebody else's page

    def refuse(route: Route) -> None:
        route.fulfill(status=status, headers=headers, body="<h1>Not ours</h1>", content_type="text/html")

    page.route("**/drafts", refuse)
    page.locator("#write textarea").fill("precious")
    page.clock.fast_forward(PAUSE)
    expect(page.locator("#write [data-draft-line]")).to_have_text(NOT_KEPT)
    page.unroute("**/drafts")
    page.locator("#write textarea").press_sequentially(" words")
    kept(page)
    assert drafts(talk) == {f"{KEPT_AT}/comments": "precious words"}


def test_markup_in_an_answer_stays_text(talk: Live) -> None:
    page = window(talk)
    page.route("**/drafts", lambda route: route.fulfill(status=200, headers={"X-Parley": "1"}, body="<b>kept</b>", content_type="text/html"))
    page.locator("#write textarea").fill("words")
    page.clock.fast_forward(PAUSE)
    expect(page.locator("#write [data-draft-line]")).to_have_text("<b>kept</b>")


@both_htmx
def test_what_was_posted_does_not_come_back_as_a_draft(talk: Live) -> None:
    page = window(talk)
    sent = Sent(page, "/drafts")
    for number, typed in ((2, "quick"), (3, "slower, with a draft")):
        page.locator("#write textarea").fill(typed)
        if number == 3:
            kept(page)
            page.locator("#write textarea").press_sequentially("!")
        page.get_by_role("button", name="Post comment").click()
        expect(page.locator(f"#comment-{number}")).to_be_focused()
        page.clock.fast_forward(THROTTLE)
        page.clock.fast_forward(THROTTLE)
        hide(page, True)
        hide(page, False)
    assert len(sent) == 1
    assert drafts(talk) == {}
    expect(page.locator("#write textarea")).to_have_value("")


@both_htmx
def test_a_draft_on_its_way_is_called_back_when_the_form_is_sent(talk: Live) -> None:
    talk.expected += ["ERR_FAILED"]
    page = window(talk)
    held: list[Route] = []
    page.route("**/drafts", lambda route: held.append(route))
    failed: list[Any] = []
    page.on("requestfailed", lambda request: failed.append(request))
    page.locator("#write textarea").fill("quick")
    page.clock.fast_forward(PAUSE)
    page.wait_for_timeout(100)
    assert len(held) == 1
    page.get_by_role("button", name="Post comment").click()
    expect(page.locator("#comment-2")).to_be_focused()
    assert [request.url.rsplit("/", 1)[1] for request in failed] == ["drafts"]


def test_a_preview_before_the_pause_is_kept_as_well(talk: Live) -> None:
    page = window(talk)
    page.locator("#write textarea").fill("*first* look")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview em")).to_have_text("first")
    kept(page)
    assert drafts(talk) == {f"{KEPT_AT}/comments": "*first* look"}


def test_a_post_that_failed_goes_on_being_kept(talk: Live) -> None:
    talk.expected += ["502", "htmx", "Failed to load"]
    page = window(talk)
    page.route("**/comments", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    page.locator("#write textarea").fill("precious words")
    page.get_by_role("button", name="Post comment").click()
    expect(page.locator("#flash")).to_contain_text("Your text is still here")
    kept(page)
    assert drafts(talk) == {f"{KEPT_AT}/comments": "precious words"}


def test_a_stranger_sends_no_drafts(talk: Live) -> None:
    page = window(talk, "")
    sent = Sent(page, "/drafts")
    page.locator("#write textarea").fill("typed before signing in")
    page.clock.fast_forward(THROTTLE)
    hide(page, True)
    page.goto("/")
    assert len(sent) == 0
    assert page.context.cookies() == []


def test_a_post_in_the_making_is_kept_with_title_and_topics(talk: Live) -> None:
    page = window(talk, path="/posts/new")
    page.get_by_label("Title").fill("An evening")
    page.get_by_label("Topics").fill("Coaching")
    page.locator("#body").fill("It *began* late.")
    with page.expect_response("**/drafts"):
        page.clock.fast_forward(THROTTLE)
    expect(page.locator("[data-draft-line]")).to_have_text(KEPT)
    other = talk.visitor("anna")
    other.goto("/posts/new")
    expect(other.get_by_label("Title")).to_have_value("An evening")
    expect(other.get_by_label("Topics")).to_have_value("Coaching")
    expect(other.locator("#body")).to_have_value("It *began* late.")
    page.locator("#body").press_sequentially(" Very late.")
    page.get_by_role("button", name="Publish").click()
    expect(page).to_have_url(re.compile("/posts/an-evening$"))
    assert drafts(talk) == {}


@both_htmx
def test_a_changed_comment_is_kept_and_waits_in_its_form(talk: Live) -> None:
    page = window(talk, "bo")
    page.get_by_role("link", name="Edit your comment").click()
    page.locator("#edit-body-1").fill("I teach beside the table.")
    kept(page, "#slot-1")
    other = talk.visitor("bo")
    other.goto("/comments/1/edit")
    expect(other.locator("#edit-body-1")).to_have_value("I teach beside the table.")


# -- new while I read


def tick(page: Page) -> None:
    """A minute passes, and what was asked is answered."""
    with page.expect_response("**/new?*"):
        page.clock.fast_forward(POLL)


@pytest.mark.parametrize("name", ["", "anna"])
def test_new_replies_are_told_once_and_shown_on_request(talk: Live, name: str) -> None:
    page = window(talk, name)
    line = page.locator("#new-replies")
    tick(page)
    expect(line).to_be_empty()
    page.evaluate("window.told = 0; new MutationObserver(() => told++).observe(document.querySelector('#new-replies'), {childList: true, subtree: true})")
    write(talk, "While you read.")
    tick(page)
    expect(line.get_by_role("link", name="1 new reply, show")).to_be_visible()
    tick(page)
    tick(page)
    assert page.evaluate("told") == 1
    write(talk, "And one more.")
    tick(page)
    expect(line).to_have_text("2 new replies, show")
    expect(page.locator("article[id^=comment-]")).to_have_count(1)  # nothing moves
    assert violations(page) == []
    line.get_by_role("link").click()
    expect(page.locator("#comment-2")).to_be_in_viewport()
    expect(page.locator("article[id^=comment-]")).to_have_count(3)


def test_what_is_not_new_is_not_sent_twice(talk: Live) -> None:
    page = window(talk)
    write(talk, "While you read.")
    statuses: list[int] = []
    page.on("response", lambda response: statuses.append(response.status) if "/new?" in response.url else None)
    for _ in range(3):
        tick(page)
    assert statuses == [200, 304, 304]


def test_ones_own_comment_is_no_news(talk: Live) -> None:
    page = window(talk)
    page.locator("#write textarea").fill("Mine.")
    page.get_by_role("button", name="Post comment").click()
    expect(page.locator("#comment-2")).to_be_focused()
    tick(page)
    expect(page.locator("#new-replies")).to_be_empty()
    write(talk, "Another's.")
    tick(page)
    expect(page.locator("#new-replies")).to_have_text("1 new reply, show")


def test_nothing_is_asked_while_the_page_is_hidden(talk: Live) -> None:
    page = window(talk)
    asked = Sent(page, "/new?")
    hide(page, True)
    for _ in range(3):
        page.clock.fast_forward(POLL)
    page.wait_for_timeout(100)
    assert len(asked) == 0
    hide(page, False)
    tick(page)
    assert len(asked) == 1


def test_after_six_failures_it_rests_until_the_page_is_seen_again(talk: Live) -> None:
    talk.expected += ["status of 503"]
    page = window(talk)
    asked = Sent(page, "/new?")
    page.route("**/new?*", lambda route: route.fulfill(status=503, headers={"X-Parley": "1"}, body="busy"))
    for _ in range(6):
        tick(page)
    for _ in range(3):
        page.clock.fast_forward(POLL)
    page.wait_for_timeout(100)
    assert len(asked) == 6
    page.unroute("**/new?*")
    hide(page, True)
    hide(page, False)
    write(talk, "While it was down.")
    tick(page)
    expect(page.locator("#new-replies")).to_have_text("1 new reply, show")


@pytest.mark.parametrize("answer", [
    '<a href="https://elsewhere.example/">1 new reply, show</a>', '<a href="//elsewhere.example/">1 new reply, show</a>',
    '<a href="javascript:alert(1)">1 new reply, show</a>', "<p>no link</p>", "",
])
def test_only_a_link_to_this_board_goes_into_the_page(talk: Live, answer: str) -> None:
    page = window(talk)
    page.route("**/new?*", lambda route: route.fulfill(status=200, headers={"X-Parley": "1"}, body=answer, content_type="text/html"))
    tick(page)
    page.wait_for_timeout(100)
    expect(page.locator("#new-replies")).to_be_empty()


def test_only_the_words_and_the_address_of_the_link_are_taken(talk: Live) -> None:
    talk.expected.append("inline event handler")  # the policy says no too
    page = window(talk)
    body = '<a href="/rules" onclick="alert(1)" class="x"><img src=x onerror="alert(1)">1 new <b>reply</b></a><script>alert(1)</script>'
    page.route("**/new?*", lambda route: route.fulfill(status=200, headers={"X-Parley": "1"}, body=body, content_type="text/html"))
    tick(page)
    link = page.locator("#new-replies a")
    expect(link).to_have_text("1 new reply")
    assert page.locator("#new-replies").inner_html() == f'<a href="{talk.address}/rules">1 new reply</a>'


def test_an_answer_that_is_not_ours_is_left_alone(talk: Live) -> None:
    page = window(talk)
    page.route("**/new?*", lambda route: route.fulfill(status=200, body='<a href="/rules">Sign in to this network</a>', content_type="text/html"))
    tick(page)
    page.wait_for_timeout(100)
    expect(page.locator("#new-replies")).to_be_empty()
