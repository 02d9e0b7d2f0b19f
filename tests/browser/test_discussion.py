"""Reading, replying, editing, deleting, hiding in a real browser: in place with script, on pages of their own without."""

import re

import pytest
from playwright.sync_api import Page, expect

from blog.accounts.models import Role
from blog.comments import writing
from blog.viewer import Viewer
from tests.browser.conftest import HTMX, RETREAT, Live, both_htmx, each_way, violations
from tests.factories import make_post

POST = "/posts/the-kitchen-table"
REASON = "Names a condition for another member."


@pytest.fixture
def talk(live: Live) -> Live:
    """A post by anna with a first comment by bo."""
    anna, bo = live.member_id("anna"), live.member_id("bo")

    def begin() -> None:
        post = make_post(anna, title="The kitchen table", source="An opening.\n\n## First part\n\nWords.\n\n## Second part\n\nMore words.")
        writing.add(post.id, Viewer(id=bo, verified=True), writing.words("I teach at the table."))

    live.do(begin)
    return live


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.tagName"))


@both_htmx
def test_a_reply_opens_in_place_with_the_focus_and_posts_once(talk: Live) -> None:
    page = talk.visitor("anna")
    page.goto(POST)
    page.get_by_role("link", name="Reply to Bo").click()
    field = page.locator("#body-1")
    expect(field).to_be_focused()
    expect(page.get_by_role("heading", name="Your reply to Bo")).to_be_visible()
    page.get_by_role("link", name="Reply to Bo").click()
    expect(page.locator("#slot-1 form")).to_have_count(1)
    expect(field).to_be_focused()
    field.fill("So do *I*.")
    assert violations(page) == []
    for _ in range(3):
        page.keyboard.press("Control+Enter")
    expect(page.locator("#comment-2")).to_be_focused()
    expect(page.locator("#comment-2 em")).to_have_text("I")
    expect(page.locator("#talk-count")).to_have_text("2 comments")
    expect(page.locator("#said")).to_have_text("Your reply was posted.")
    expect(page.locator("#slot-1")).to_be_empty()
    expect(page.locator("#comment-2 .badge")).to_have_text("Author")
    assert violations(page) == []
    page.reload()
    expect(page.locator("article[id^=comment-]")).to_have_count(2)


@both_htmx
def test_three_deep_in_place_on_what_was_just_posted(talk: Live) -> None:
    page = talk.visitor("anna")
    page.goto(POST)
    for parent in (1, 2, 3):
        page.locator(f"#actions-{parent} a", has_text="Reply").click()
        page.locator(f"#body-{parent}").fill(f"Level {parent + 1}")
        page.locator(f"#slot-{parent}").get_by_role("button", name="Post reply").click()
        expect(page.locator(f"#comment-{parent + 1}")).to_be_focused()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids)), "two elements with one id"
    page.reload()
    expect(page.locator("li.c.d4 > article")).to_have_count(1)


def test_the_same_reply_without_script(talk: Live) -> None:
    page = talk.visitor("anna", script=False)
    page.goto(POST)
    page.get_by_role("link", name="Reply to Bo").click()
    expect(page).to_have_url(re.compile("/comments/1/reply$"))
    page.get_by_label("Reply", exact=True).fill("So do *I*.")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview em")).to_have_text("I")
    expect(page.get_by_label("Reply", exact=True)).to_have_value("So do *I*.")
    page.get_by_role("button", name="Post reply").click()
    expect(page).to_have_url(re.compile(f"{POST}#comment-2$"))
    expect(page.locator("#comment-2 em")).to_have_text("I")


@both_htmx
def test_a_new_comment_in_place_leaves_a_fresh_form(talk: Live) -> None:
    page = talk.visitor("anna")
    page.goto(POST)
    for number in (2, 3):
        page.get_by_label("Comment", exact=True).fill(f"Thread number {number}")
        page.get_by_role("button", name="Post comment").click()
        expect(page.locator(f"#comment-{number}")).to_be_focused()
        expect(page.get_by_label("Comment", exact=True)).to_have_value("")
    expect(page.locator("#talk-count")).to_have_text("3 comments")


@both_htmx
def test_preview_in_place_keeps_the_text(talk: Live) -> None:
    page = talk.visitor("anna")
    page.goto(POST)
    page.get_by_label("Comment", exact=True).fill("**bold** words")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview strong")).to_have_text("bold")
    expect(page.get_by_label("Comment", exact=True)).to_have_value("**bold** words")
    assert violations(page) == []


@both_htmx
def test_a_refused_comment_keeps_every_character(talk: Live) -> None:
    page = talk.visitor("anna")
    talk.expected.append("status of 422")
    page.goto(POST)
    text = "x" * 20_001
    page.get_by_label("Comment", exact=True).fill(text)
    page.get_by_role("button", name="Post comment").click()
    alert = page.get_by_role("alert")
    expect(alert).to_be_focused()
    expect(alert).to_contain_text("20,000 characters")
    assert page.get_by_label("Comment", exact=True).input_value() == text
    assert violations(page) == []


@both_htmx
@pytest.mark.parametrize("status", [502, 0])
def test_a_foreign_answer_or_a_dead_line_leaves_form_text_and_focus_alone(talk: Live, status: int) -> None:
    page = talk.visitor("anna")
    talk.expected += ["502", "ERR_FAILED", "htmx"]
    page.goto(POST)
    field = page.get_by_label("Comment", exact=True)
    field.fill("precious words")
    page.route("**/comments", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>") if status else route.abort())
    page.get_by_role("button", name="Post comment").click()
    expect(page.locator("#flash")).to_contain_text("Your text is still here")
    assert field.input_value() == "precious words"
    assert page.evaluate("document.activeElement.tagName") != "BODY"
    page.unroute("**/comments")
    page.get_by_role("button", name="Post comment").click()
    expect(page.locator("#comment-2")).to_contain_text("precious words")


@each_way
def test_edit_delete_and_undo(talk: Live, script: bool) -> None:
    page = talk.visitor("bo", script=script)
    page.goto(POST)
    page.get_by_role("link", name="Edit your comment").click()
    page.locator("#edit-body-1").fill("I teach *beside* the table.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#comment-1 em")).to_have_text("beside")
    expect(page.locator("#comment-1").get_by_role("link", name="edited")).to_be_visible()
    page.get_by_role("button", name="Delete your comment").click()
    if script:
        expect(page.locator("#comment-1")).to_contain_text("Deleted by its writer")
    expect(page.locator("#comment-1 em")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    if script:
        expect(page.locator("#comment-1 em")).to_have_text("beside")
    page.goto(POST)
    expect(page.locator("#comment-1 em")).to_have_text("beside")


@each_way
@pytest.mark.parametrize("what", ["comment", "post"])
def test_thanks_are_given_and_taken_back(talk: Live, script: bool, what: str) -> None:
    page = talk.visitor("cy", script=script)
    page.goto(POST)
    button = page.locator("#thank-post" if what == "post" else "#thank-1")
    words = "Thank Anna for this post" if what == "post" else "Thank Bo"
    for pressed, shown in (("true", f"{words} · 1"), ("false", words)):
        button.click()
        expect(button).to_have_attribute("aria-pressed", pressed)
        expect(button).to_have_text(shown)
        if script:
            expect(button).to_be_focused()
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "false")


@both_htmx
def test_the_pages_load_the_htmx_that_these_tests_say_they_do(talk: Live, htmx: str) -> None:
    page = talk.visitor("anna")
    page.goto(POST)
    assert page.evaluate("htmx.version") == {HTMX: "4.0.1", RETREAT: "2.0.11"}[htmx]


@each_way
def test_hide_and_unhide(talk: Live, script: bool) -> None:
    reader = talk.visitor(script=False)
    page = talk.visitor("mo", Role.MODERATOR, script=script)
    page.goto(POST)
    page.get_by_role("link", name="Hide the comment by Bo").click()
    page.get_by_label("3. No diagnoses of other members").check()
    page.get_by_label("Reason, as Bo and everyone will read it").fill(REASON)
    if script:
        expect(page.locator("#why-1-all")).to_have_text(REASON)
        assert violations(page) == []
    page.get_by_role("button", name="Hide and tell Bo").click()
    expect(page.locator("#comment-1")).to_contain_text("Comment hidden by a moderator")
    expect(page.locator("#comment-1")).to_contain_text(REASON)
    if script:
        expect(page.locator("#comment-1")).to_be_focused()
        assert violations(page) == []
    reader.goto(POST)
    expect(reader.locator("#comment-1")).to_contain_text(REASON)
    assert "I teach at the table" not in reader.content()
    page.get_by_role("link", name="Unhide this comment").click()
    page.get_by_label("Reason, as Bo and everyone will read it").fill("It was about a table after all.")
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator("#comment-1 .comment-body")).to_have_text("I teach at the table.")
    reader.goto(POST)
    expect(reader.locator("#comment-1 .comment-body")).to_have_text("I teach at the table.")


@both_htmx
def test_undo_of_a_hide_is_one_press(talk: Live) -> None:
    page = talk.visitor("mo", Role.MODERATOR)
    page.goto(POST)
    page.get_by_role("link", name="Hide the comment by Bo").click()
    page.get_by_label("3. No diagnoses of other members").check()
    page.get_by_label("Reason, as Bo and everyone will read it").fill(REASON)
    page.get_by_role("button", name="Hide and tell Bo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#comment-1 .comment-body")).to_have_text("I teach at the table.")


@both_htmx
def test_escape_closes_the_form_and_keeps_what_was_typed(talk: Live) -> None:
    page = talk.visitor("anna")
    page.goto(POST)
    page.get_by_role("link", name="Reply to Bo").click()
    page.locator("#body-1").fill("half a thought")
    page.keyboard.press("Escape")
    expect(page.locator("#slot-1 form")).to_have_count(0)
    expect(page.get_by_role("link", name="Reply to Bo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#body-1")).to_have_value("half a thought")


@pytest.mark.parametrize("script", [True, False])
def test_branches_collapse_by_keyboard(talk: Live, script: bool) -> None:
    anna = Viewer(id=talk.member_id("anna"), verified=True)
    talk.do(lambda: writing.add(1, anna, writing.words("One answer."), parent_id=1))
    page = talk.visitor(script=script)
    page.goto(POST)
    expect(page.locator("#comment-2")).to_be_visible()
    summary = page.locator("summary", has_text="1 reply")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#comment-2")).to_be_hidden()
    page.keyboard.press("Space")
    expect(page.locator("#comment-2")).to_be_visible()


@both_htmx
def test_a_strangers_text_goes_through_sign_in(talk: Live) -> None:
    page = talk.visitor()
    page.goto(POST)
    page.get_by_label("Comment", exact=True).fill("typed before signing in")
    page.get_by_role("button", name="Post comment").click()
    expect(page).to_have_url(re.compile("/login"))
    expect(page.locator("main")).to_contain_text("4 words")


def test_two_viewers_see_the_same_comments_but_for_one_line(talk: Live) -> None:
    seen = []
    for name, role in (("", Role.MEMBER), ("anna", Role.MEMBER), ("bo", Role.MEMBER), ("mo", Role.MODERATOR)):
        page = talk.visitor(name, role)
        page.goto(POST)
        seen.append(page.evaluate(
            "[...document.querySelectorAll('#thread [id^=actions-], #thread [id^=unread-]')].forEach(e => e.remove()) ||"
            " document.querySelector('#thread').innerHTML.replace(/\\s+/g, ' ')"
        ))
        assert "csrf_token" not in seen[-1]
    assert len(set(seen)) == 1


@pytest.mark.parametrize("width", [1280, 320])
def test_two_who_answer_in_turns_do_not_march_to_the_right(talk: Live, width: int) -> None:
    people = [Viewer(id=talk.member_id(name), verified=True) for name in ("anna", "bo")]

    def turns() -> None:
        for number in range(7):
            writing.add(1, people[number % 2], writing.words(f"Turn {number}."), parent_id=number + 1)

    talk.do(turns)
    page = talk.visitor(script=False, width=width)
    page.goto(POST)
    left = [page.locator(f"#comment-{number}").bounding_box()["x"] for number in range(1, 9)]  # type: ignore[index]
    assert left[2] > left[0]
    assert left[3:] == [left[2]] * 5
    expect(page.locator("#comment-5 .ctx")).to_be_visible()
    expect(page.locator("#comment-5 .ctx")).to_have_text(re.compile("In reply to"))


def test_quoting_by_the_link_keeps_what_was_typed(talk: Live) -> None:
    page = talk.visitor("anna")
    page.goto(POST)
    page.locator("[data-keys]").wait_for()
    page.get_by_role("link", name="Reply to Bo").click()
    page.locator("#body-1").fill("My answer.")
    page.get_by_role("link", name="Quote Bo").click()
    expect(page.locator("#body-1")).to_have_value("My answer.\n\n[Bo](/comments/1):\n\n> I teach at the table.\n\n")
    expect(page.locator("#body-1")).to_be_focused()


def test_undoing_what_was_sent_puts_the_words_back_into_the_empty_form(talk: Live) -> None:
    page = talk.visitor("anna")
    page.goto(POST)
    page.locator("[data-keys]").wait_for()
    field = page.get_by_label("Comment", exact=True)
    for typed_since, expected in (("", "sent too soon"), ("typed since", "typed since")):
        field.fill("sent too soon")
        page.get_by_role("button", name="Post comment").click()
        expect(page.locator("#flash")).to_contain_text("Posted.")
        field.fill(typed_since)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#flash")).to_contain_text("Deleted.")
        expect(field).to_have_value(expected)
