"""The way of an appeal in a real browser: notice, receipt, appeal, a question, the decision, the log; in place, and without script."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from blog.accounts.models import Role
from blog.acts.letters import receipt_path
from blog.acts.models import Act
from blog.comments import writing
from blog.db import db
from blog.moderation import hiding
from blog.viewer import Viewer
from tests.browser.conftest import Live, violations
from tests.factories import make_post

REASON = "Names a client of hers, with the street."
ANSWER = "The novel is well known, and nobody is harmed by it."


@pytest.fixture
def hidden(live: Live) -> Live:
    """bo's comment, answered by anna and hidden by mo in act 1."""
    anna, bo, mo = (Viewer(id=live.member_id(name, role), verified=True, role=role) for name, role in
                    (("anna", Role.MEMBER), ("bo", Role.MEMBER), ("mo", Role.MODERATOR)))
    live.member_id("max", Role.MODERATOR)

    def begin() -> None:
        post = make_post(anna.id, title="The kitchen table")
        comment = writing.add(post.id, bo, writing.words("Mrs Zebrafinch of Mill Lane."))
        writing.add(post.id, anna, writing.words("Who is that?"), parent_id=comment)
        hiding.hide_comment(comment, mo, rule_id=2, reason=REASON)

    live.do(begin)
    return live


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent"))


def test_an_appeal_from_notice_to_log_in_place(hidden: Live) -> None:
    bo, other = hidden.visitor("bo"), hidden.visitor("max", Role.MODERATOR)
    bo.goto("/notices")
    expect(bo.locator("#notice-count")).to_have_text("2 unread")
    line = bo.locator(".notices li", has_text="replied to you")
    line.get_by_role("button", name="Mark as read").click()
    expect(bo.locator("#notice-count")).to_have_text("1 unread")
    expect(line.get_by_role("button")).to_have_count(0)
    assert "replied to you" in focused(bo)
    bo.get_by_role("link", name="Your comment was hidden").click()
    expect(bo.locator("main")).to_contain_text("Mrs Zebrafinch of Mill Lane.")
    statement = bo.get_by_label("What did M1 miss?")
    statement.fill("short")
    statement.evaluate("field => field.removeAttribute('minlength')")
    hidden.expected.append("status of 422")
    bo.get_by_role("button", name="Send appeal").click()
    expect(bo.get_by_role("alert")).to_contain_text("needs 10 characters")
    expect(statement).to_have_value("short")
    statement.fill("She is a person in a novel, and nobody’s client.")
    bo.get_by_role("button", name="Send appeal").click()
    expect(bo.get_by_role("heading", name="Your appeal")).to_be_focused()
    expect(bo.locator("#flash")).to_contain_text("Your appeal is filed.")
    assert violations(bo) == []
    other.goto("/moderation/appeals")
    other.get_by_role("link", name="Decide on act 1").click()
    other.get_by_label("Message to the appellant").fill("Which novel is it?")
    other.get_by_role("button", name="Send message").click()
    expect(other.locator("#messages li")).to_contain_text("Which novel is it?")
    expect(other.get_by_label("Message to the appellant")).to_have_value("")
    assert violations(other) == []
    other.get_by_label("Overturn.").check()
    other.get_by_label("Reason, as the appellant").fill(ANSWER)
    other.get_by_role("button", name="Decide and tell").click()
    expect(other.locator("#flash")).to_contain_text("Act 1 is overturned, by act 2.")
    bo.goto("/notices")
    bo.get_by_role("link", name="Your appeal was granted: act 1 was overturned").click()
    expect(bo.locator("#appeal")).to_contain_text(ANSWER)
    bo.goto("/notices")
    bo.get_by_role("button", name="Mark all as read").click()
    expect(bo.locator("#notice-count")).to_have_text("")
    assert focused(bo) == "Notices"
    bo.locator("#flash").get_by_role("button", name="Undo").click()
    expect(bo.locator("#notice-count")).not_to_have_text("")
    bo.goto("/posts/the-kitchen-table")
    expect(bo.locator("#comment-1")).to_contain_text("Mrs Zebrafinch of Mill Lane.")
    bo.goto("/log?outcome=overturned")
    expect(bo.locator("#act-1 .state")).to_contain_text("overturned by act 2")


def test_the_link_in_the_mail_appeals_in_a_browser_that_is_not_signed_in(hidden: Live) -> None:
    def address() -> str:
        return receipt_path(db.session.execute(select(Act)).scalar_one(), bo_id)

    bo_id = hidden.member_id("bo")
    path = hidden.do(address)
    for script in (False, True):
        page = hidden.visitor(script=script)
        page.goto(path)
        if not script:
            page.get_by_label("What did M1 miss?").fill("She is a person in a novel, and nobody’s client.")
            page.get_by_role("button", name="Send appeal").click()
        expect(page.locator("#appeal")).to_contain_text("nobody’s client")
        page.get_by_label("Message to whoever decides").fill(f"With script: {script}")
        page.get_by_role("button", name="Send message").click()
        expect(page.locator("#messages")).to_contain_text(f"With script: {script}")


def test_the_same_way_without_script(hidden: Live) -> None:
    bo, other = hidden.visitor("bo", script=False), hidden.visitor("max", Role.MODERATOR, script=False)
    bo.goto("/notices")
    bo.locator(".notices li", has_text="replied to you").get_by_role("button", name="Mark as read").click()
    expect(bo.locator("#notice-count")).to_have_text("1 unread")
    bo.get_by_role("link", name="Your comment was hidden").click()
    bo.get_by_label("What did M1 miss?").fill("She is a person in a novel, and nobody’s client.")
    bo.get_by_role("button", name="Send appeal").click()
    expect(bo.locator("#appeal")).to_contain_text("nobody’s client")
    other.goto("/moderation/appeals")
    other.get_by_role("link", name="Decide on act 1").click()
    other.get_by_label("Message to the appellant").fill("Which novel is it?")
    other.get_by_role("button", name="Send message").click()
    expect(other.locator("#messages")).to_contain_text("Which novel is it?")
    other.get_by_label("Uphold.").check()
    other.get_by_label("Reason, as the appellant").fill(ANSWER)
    other.get_by_role("button", name="Decide and tell").click()
    expect(other.locator("#flash")).to_contain_text("Act 1 is upheld, by act 2.")
    bo.goto("/notices?kind=acts")
    expect(bo.locator(".notices")).to_contain_text("Your appeal was not granted: act 1 stands")
    bo.get_by_role("button", name="Mark all acts as read").click()
    bo.locator("#flash").get_by_role("button", name="Undo").click()
    expect(bo.locator("#notice-count")).not_to_have_text("")
