"""Acts of moderation in a real browser: the form shows what will be read, the act is done in place, and everything works without script."""

import re

import pytest
from playwright.sync_api import expect

from blog.accounts.models import Role
from blog.comments import writing
from blog.viewer import Viewer
from tests.browser.conftest import Live, violations
from tests.factories import make_post

POST = "/posts/the-kitchen-table"
REASON = "The same three people, all evening."


@pytest.fixture
def talk(live: Live) -> Live:
    """A post by anna with a comment by bo and a reply to it."""
    anna, bo = live.member_id("anna"), live.member_id("bo")
    live.member_id("mo", Role.MODERATOR)

    def begin() -> None:
        post = make_post(anna, title="The kitchen table", source="An opening.")
        first = writing.add(post.id, Viewer(id=bo, verified=True), writing.words("I teach at the table."))
        writing.add(post.id, Viewer(id=anna, verified=True), writing.words("So do I."), parent_id=first)

    live.do(begin)
    return live


@pytest.mark.parametrize("script", [True, False])
def test_a_discussion_is_locked_and_unlocked(talk: Live, script: bool) -> None:
    page = talk.visitor("mo", Role.MODERATOR, script=script)
    page.goto(POST)
    page.get_by_role("link", name="Lock this discussion").click()
    page.get_by_label("1. Speak to the text, not about the person").check()
    page.get_by_label("Reason, as Anna and everyone will read it").fill(REASON)
    if script:
        expect(page.get_by_role("heading", name="Lock this discussion")).to_be_visible()
        expect(page.locator("#why-post-them")).to_have_text(REASON)
        expect(page.locator("#rule-post-them")).to_have_text("1. Speak to the text, not about the person")
        assert violations(page) == []
    page.get_by_role("button", name="Lock and tell Anna").click()
    expect(page.get_by_text("Locked. Act 1.")).to_be_visible()
    reader = talk.visitor("bo", script=script)
    reader.goto(POST)
    expect(reader.locator("#bound-1")).to_contain_text("M1 locked this discussion")
    expect(reader.locator("#bound-1")).to_contain_text(REASON)
    expect(reader.locator("textarea")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Unlocked. Act 2.")).to_be_visible()
    reader.goto(POST)
    expect(reader.locator("#bound-1")).to_have_count(0)
    expect(reader.locator("textarea")).to_have_count(1)


@pytest.mark.parametrize("script", [True, False])
def test_the_author_puts_a_comment_aside_and_anybody_opens_it(talk: Live, script: bool) -> None:
    page = talk.visitor("anna", script=script)
    page.goto(POST)
    page.get_by_role("link", name="Put aside the comment by Bo").click()
    page.get_by_label("1. Speak to the text, not about the person").check()
    page.get_by_label("Reason, as Bo and everyone will read it").fill("It leads away from this post.")
    page.get_by_role("button", name="Put aside and tell Bo").click()
    expect(page.locator("#comment-1 .folded summary")).to_contain_text("It leads away from this post.")
    if script:
        expect(page.locator("#comment-1")).to_be_focused()
        assert violations(page) == []
    reader = talk.visitor("", script=script)
    reader.goto(POST)
    words = reader.locator("#comment-1 .comment-body")
    expect(words).to_be_hidden()
    reader.locator("#comment-1 .folded summary").focus()
    reader.keyboard.press("Enter")
    expect(words).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#comment-1 .folded")).to_have_count(0)


@pytest.mark.parametrize("script", [True, False])
def test_a_branch_is_hidden_and_leaves_its_tombstone_alone(talk: Live, script: bool) -> None:
    page = talk.visitor("mo", Role.MODERATOR, script=script)
    page.goto(POST)
    page.get_by_role("link", name="Hide the comment by Bo").click()
    page.get_by_label("1. Speak to the text, not about the person").check()
    page.get_by_label(re.compile("This comment and everything below it")).check()
    page.get_by_label("Reason, as Bo and everyone will read it").fill(REASON)
    page.get_by_role("button", name="Hide and tell Bo").click()
    expect(page.locator("#comment-1")).to_contain_text("Comment hidden by a moderator")
    expect(page.locator("article[id^=comment-]")).to_have_count(1)
    reader = talk.visitor("", script=script)
    reader.goto(POST)
    expect(reader.locator("#comment-1")).to_contain_text(REASON)
    expect(reader.locator("article[id^=comment-]")).to_have_count(1)


@pytest.mark.parametrize("script", [True, False])
def test_a_member_is_suspended_and_reads_why(talk: Live, script: bool) -> None:
    page = talk.visitor("mo", Role.MODERATOR, script=script)
    page.goto("/members/bo")
    page.get_by_role("link", name="Suspend Bo").click()
    page.get_by_label("5. Accept a no the first time").check()
    page.get_by_label("Reason, as Bo and everyone will read it").fill("Writes to people who had asked to be left alone.")
    if script:
        assert violations(page) == []
    page.get_by_role("button", name="Suspend and tell Bo").click()
    expect(page.get_by_text("Suspended. Act 1.")).to_be_visible()
    person = talk.visitor("bo", script=script)
    person.goto(POST)
    expect(person.get_by_text(re.compile("Your account is suspended until")).first).to_be_visible()
    person.goto("/acts/1")
    expect(person.get_by_text("Your account was suspended, by M1.")).to_be_visible()
    expect(person.get_by_text(re.compile("You can appeal once, until"))).to_be_visible()
