"""What waits for approval in a real browser: sent, changed, approved and rejected, in place with script, on pages of their own without."""

import pytest
from playwright.sync_api import expect

from blog.accounts.models import Role
from blog.comments import writing
from blog.filters import listing
from blog.filters.models import FilterKind
from blog.viewer import Viewer
from tests.browser.conftest import Live, violations
from tests.factories import make_post

POST = "/posts/the-kitchen-table"
SENTENCE = "This board is careful about offers of lottery tickets."
REASON = "Sells tickets to the people who write here."


@pytest.fixture
def talk(live: Live) -> Live:
    """A post by anna with a first comment by her, and a word on the list."""
    anna, mo = live.member_id("anna"), live.member_id("mo", Role.MODERATOR)

    def begin() -> None:
        post = make_post(anna, title="The kitchen table", source="An opening.")
        writing.add(post.id, Viewer(id=anna, verified=True), writing.words("I teach at the table."))
        listing.add(Viewer(id=mo, role=Role.MODERATOR, verified=True), kind=FilterKind.WORD, pattern="lottery", sentence=SENTENCE, rule_id=4)

    live.do(begin)
    return live


def test_a_held_reply_stands_where_it_was_written_and_is_approved_in_place(talk: Live) -> None:
    page = talk.visitor("bo")
    page.goto(POST)
    page.locator("#reply-1").click()
    page.locator("#body-1").fill("Win the *lottery*.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#held-1")).to_be_focused()
    expect(page.locator("#held-1")).to_contain_text(SENTENCE)
    expect(page.locator("#held-1 em")).to_have_text("lottery")
    expect(page.locator("#slot-1")).to_be_empty()
    assert violations(page) == []
    page.locator("#write textarea").fill("Another lottery.")
    page.get_by_role("button", name="Post comment").click()
    expect(page.locator("#held-2")).to_be_focused()
    expect(page.locator("#write textarea")).to_have_value("")
    page.reload()
    expect(page.locator("#held article")).to_have_count(2)
    page.locator("#held-2").get_by_role("button", name="Take back").click()
    expect(page.locator("#held-2")).to_contain_text("Taken back.")
    expect(page.locator("#held-2")).to_be_focused()

    mo = talk.visitor("mo", Role.MODERATOR)
    mo.goto("/moderation/held")
    expect(mo.locator("#case-count")).to_contain_text("1")
    assert violations(mo) == []
    mo.get_by_role("button", name="Approve the reply by Bo").click()
    expect(mo.locator("#held-1")).to_contain_text("Approved. Act")
    expect(mo.locator("#case-count")).to_be_empty()
    assert mo.evaluate("document.activeElement.closest('#held-1') !== null")
    assert violations(mo) == []
    page.goto(POST)
    expect(page.locator("#comment-2 em")).to_have_text("lottery")


def test_rejecting_keeps_the_typed_reason_and_tells_what_became_of_it(talk: Live) -> None:
    bo = talk.visitor("bo")
    bo.goto(POST)
    bo.locator("#write textarea").fill("Win the lottery.")
    bo.get_by_role("button", name="Post comment").click()
    expect(bo.locator("#held-1")).to_be_focused()
    mo = talk.visitor("mo", Role.MODERATOR)
    mo.goto("/moderation/held")
    mo.get_by_role("link", name="Reject the comment by Bo").click()
    form = mo.locator("#slot-held-1 form")
    expect(form.get_by_role("heading", name="Reject this comment")).to_be_focused()
    form.get_by_label("4. No selling").check()
    form.locator("textarea").fill(REASON)
    expect(form.locator("#why-held-1-them")).to_have_text(REASON)
    assert violations(mo) == []
    form.get_by_role("button", name="Reject and tell").click()
    expect(mo.locator("#held-1")).to_contain_text("Rejected. Act")
    bo.goto("/held/1")
    expect(bo.get_by_role("heading", level=1)).to_have_text("Your comment was not approved")


def test_the_whole_path_works_without_script(talk: Live) -> None:
    bo = talk.visitor("bo", script=False)
    bo.goto(POST)
    bo.locator("#write textarea").fill("Win the lottery.")
    bo.get_by_role("button", name="Post comment").click()
    expect(bo.get_by_role("heading", level=1)).to_have_text("Your comment waits for a moderator")
    bo.get_by_role("link", name="Edit").click()
    bo.get_by_label("Text").fill("Lose the lottery.")
    bo.get_by_role("button", name="Save").click()
    expect(bo.locator(".comment-body")).to_have_text("Lose the lottery.")
    mo = talk.visitor("mo", Role.MODERATOR, script=False)
    mo.goto("/moderation/held")
    mo.get_by_role("link", name="Reject the comment by Bo").click()
    mo.get_by_role("link", name="Cancel").click()
    mo.get_by_role("button", name="Approve the comment by Bo").click()
    expect(mo.locator("#flash")).to_contain_text("Approved. Act")
    expect(mo.get_by_role("heading", name="Nothing waits")).to_be_visible()
    bo.goto(POST)
    expect(bo.locator("#comment-2 .comment-body")).to_have_text("Lose the lottery.")


def test_what_waits_is_decided_by_keys(talk: Live) -> None:
    bo = talk.visitor("bo")
    bo.goto(POST)
    for number in range(1, 4):
        bo.locator("#write textarea").fill(f"A lottery, number {number}.")
        bo.get_by_role("button", name="Post comment").click()
        expect(bo.locator(f"#held-{number}")).to_be_focused()
    mo = talk.visitor("mo", Role.MODERATOR)
    mo.goto("/moderation/held")
    expect(mo.get_by_role("button", name="Keyboard: on")).to_be_visible()
    expect(mo.locator("#keys")).to_contain_text("a approve, x reject")
    mo.keyboard.press("j")
    expect(mo.locator("#held-1-a")).to_be_focused()
    mo.keyboard.press("a")
    expect(mo.locator("#held-1")).to_contain_text("Approved. Act")
    mo.keyboard.press("j")
    expect(mo.locator("#held-2-a")).to_be_focused()
    mo.keyboard.press("x")
    expect(mo.locator("#slot-held-2").get_by_role("heading", name="Reject this comment")).to_be_focused()
    mo.locator("#slot-held-2").get_by_label("4. No selling").check()
    mo.locator("#slot-held-2 textarea").fill("ajkx")
    expect(mo.locator("#slot-held-2 textarea")).to_have_value("ajkx")
    mo.locator("#slot-held-2 textarea").fill(REASON)
    mo.keyboard.press("Control+Enter")
    expect(mo.locator("#held-2")).to_contain_text("Rejected. Act")
    mo.keyboard.press("j")
    expect(mo.locator("#held-3-a")).to_be_focused()
    expect(mo.locator("#case-count")).to_contain_text("1")
    assert violations(mo) == []
