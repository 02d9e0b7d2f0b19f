"""The queue in a real browser: cleared by keyboard, in place and without script, with the focus where the work goes on."""

import pytest
from playwright.sync_api import Page, expect

from blog.accounts.models import Role
from blog.acts.models import TargetKind
from blog.comments import writing
from blog.moderation import reporting, rulebook
from blog.viewer import Viewer
from tests.browser.conftest import Live, sideways, violations
from tests.factories import make_post

REASON = "Names a condition for another member."


def fill(live: Live, count: int) -> None:
    """So many comments by bo, each reported by anna; a reason to begin with."""
    people = {name: Viewer(id=live.member_id(name, role), verified=True, role=role) for name, role in
              (("anna", Role.MEMBER), ("bo", Role.MEMBER), ("mo", Role.MODERATOR), ("max", Role.MODERATOR))}

    def begin() -> None:
        post = make_post(people["anna"].id, title="The kitchen table").id
        for number in range(1, count + 1):
            comment = writing.add(post, people["bo"], writing.words(f"You are one of those, number {number}."))
            reporting.report((TargetKind.COMMENT, comment), people["anna"], rule_id=3, note="Not about the article.")
        rulebook.add_template(people["mo"], title="Names a condition", reason=REASON)

    live.do(begin)


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.closest('[id]')?.id || document.activeElement.tagName"))


@pytest.mark.parametrize("key", ["h", "d"])
def test_a_case_is_decided_by_keys_and_the_next_one_has_the_focus(live: Live, key: str) -> None:
    fill(live, 3)
    page = live.visitor("mo", Role.MODERATOR)
    page.goto("/moderation")
    expect(page.locator("#case-count")).to_have_text("3 waiting")
    expect(page.get_by_role("button", name="Keyboard: on")).to_be_visible()
    page.keyboard.press("j")
    assert focused(page) == "case-1-a"
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert focused(page) == "case-1-a"
    page.keyboard.press(key)
    form = page.locator("#slot-case-1 form")
    expect(form).to_be_visible()
    expect(form.locator("h3").first).to_be_focused()
    expect(form.locator("input[name=rule]:checked")).to_have_value("3")
    page.get_by_role("button", name="Names a condition").click()
    expect(form.locator("textarea")).to_have_value(REASON)
    expect(form.locator(".panel").first).to_contain_text(REASON)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#case-1")).to_have_class("case done")
    expect(page.locator("#case-2-a")).to_be_focused()
    expect(page.locator("#case-count")).to_have_text("2 waiting")
    expect(page.locator("#moderation-tabs a[aria-current]")).to_have_text("Open 2")
    expect(page.locator("#flash")).to_contain_text("Act 1")
    page.keyboard.press("u")
    expect(page.locator("#case-1-a")).to_be_focused()
    expect(page.locator("#case-count")).to_have_text("3 waiting")
    assert violations(page) == []


def test_a_page_of_cases_is_cleared_without_the_mouse(live: Live) -> None:
    fill(live, 23)
    page = live.visitor("mo", Role.MODERATOR)
    page.goto("/moderation")
    expect(page.get_by_role("button", name="Keyboard: on")).to_be_visible()
    page.keyboard.press("j")
    for number in range(1, 21):
        assert focused(page) == f"case-{number}-a"
        page.keyboard.press("d")
        expect(page.locator(f"#slot-case-{number} h3").first).to_be_focused()
        for _ in range(3):
            page.keyboard.press("Tab")  # the rule that was reported is chosen; then the reason's button and field
            if page.evaluate("document.activeElement.matches('textarea')"):
                break
        page.keyboard.type("It is blunt, and it is about the article.")
        page.keyboard.press("Control+Enter")
        expect(page.locator(f"#case-{number}")).to_have_class("case done")
    expect(page.locator("#queue-more")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#queue > .case")).to_have_count(3)
    expect(page.locator("#case-count")).to_have_text("3 waiting")


def test_keys_rest_in_fields_and_when_they_are_off(live: Live) -> None:
    fill(live, 2)
    page = live.visitor("mo", Role.MODERATOR)
    page.goto("/moderation")
    expect(page.get_by_role("button", name="Keyboard: on")).to_be_visible()
    page.keyboard.press("h")  # no case has the focus: the first one's
    page.locator("#slot-case-1 textarea").fill("")
    page.keyboard.type("jkhdwaxu")
    expect(page.locator("#slot-case-1 textarea")).to_have_value("jkhdwaxu")
    page.keyboard.press("Escape")
    expect(page.locator("#slot-case-1 form")).to_have_count(0)
    page.get_by_role("button", name="Keyboard: on").click()
    page.locator("#case-2-a").focus()
    for key in "hdwaxu":
        page.keyboard.press(key)
    expect(page.locator("#slot-case-2 form")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="Keyboard: off")).to_be_visible()


def test_two_moderators_work_side_by_side(live: Live) -> None:
    live.expected += ["status of 409"]
    fill(live, 2)
    mo, max_ = live.visitor("mo", Role.MODERATOR), live.visitor("max", Role.MODERATOR)
    mo.goto("/moderation")
    max_.goto("/moderation")
    mo.get_by_role("button", name="Claim case 1, Bo").click()
    expect(mo.locator("#case-1.here")).to_be_visible()
    expect(mo.locator("#case-1-a")).to_be_focused()
    max_.get_by_role("button", name="Claim case 1, Bo").click()
    expect(max_.locator("#flash")).to_contain_text("has had this case open since")
    mo.get_by_role("link", name="Hide case 2, Bo").click()
    max_.get_by_role("link", name="Hide case 2, Bo").click()
    for page in (mo, max_):
        page.locator("#slot-case-2 textarea").fill(REASON)
    mo.get_by_role("button", name="Hide and tell Bo").click()
    expect(mo.locator("#case-2")).to_have_class("case done")
    max_.get_by_role("button", name="Hide and tell Bo").click()
    expect(max_.locator("#slot-case-2 [role=alert]")).to_contain_text("already hidden, by M")
    expect(max_.locator("#slot-case-2 [role=alert]")).to_be_focused()
    expect(max_.locator("#slot-case-2 textarea")).to_have_value(REASON)


def test_without_script_cases_are_claimed_hidden_together_and_dismissed(live: Live) -> None:
    fill(live, 3)
    page = live.visitor("mo", Role.MODERATOR, script=False)
    page.goto("/moderation")
    page.get_by_role("button", name="Claim case 1, Bo").click()
    expect(page.locator("#case-1.here")).to_be_visible()
    page.get_by_label("Choose case 1").check()
    page.get_by_label("Choose case 3").check()
    page.get_by_role("button", name="Hide the chosen ones together").click()
    expect(page.locator("h1")).to_have_text("Hide 2 together")
    page.get_by_label("3. ").check()
    page.locator("textarea[name=reason]").fill(REASON)
    page.get_by_role("button", name="Hide 2 and tell the writers").click()
    expect(page.locator("#flash")).to_contain_text("Hidden: 2 together, acts 1 to 2.")
    expect(page.locator("#queue > .case")).to_have_count(1)
    page.get_by_role("link", name="Dismiss reports case 2, Bo").click()
    page.locator("textarea[name=reason]").fill("It is blunt, and it is about the article.")
    page.get_by_role("button", name="Dismiss and tell reporters").click()
    expect(page.locator(".empty h2")).to_have_text("Nothing waits")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#queue > .case")).to_have_count(1)


@pytest.mark.parametrize("script", [True, False])
def test_a_member_reports_and_reads_what_came_of_it(live: Live, script: bool) -> None:
    fill(live, 1)
    page = live.visitor("cleo", script=script)
    page.goto("/posts/the-kitchen-table")
    page.get_by_role("link", name="Report the comment by Bo").click()
    page.get_by_label("3. ").check()
    page.locator("textarea[name=note]").fill("The second time; I asked for a stop.")
    page.get_by_role("button", name="Send to moderators").click()
    expect(page.get_by_text("Your report is with the moderators.")).to_be_visible()
    if script:
        expect(page.locator("#slot-1 .flash")).to_be_focused()
        assert violations(page) == []
        page.get_by_role("link", name="Report the comment by Bo").click()
        expect(page.locator("textarea[name=note]")).to_have_value("The second time; I asked for a stop.")
    page.goto("/reports")
    expect(page.locator(".ledger")).to_contain_text("Moderators have not come to it yet.")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True), (320, False)])
def test_an_open_form_in_the_queue_passes_axe_and_fits(live: Live, width: int, dark: bool) -> None:
    fill(live, 2)
    page = live.visitor("mo", Role.MODERATOR, width=width, dark=dark)
    page.goto("/moderation")
    page.get_by_role("button", name="Claim case 1, Bo").click()
    expect(page.locator("#case-1.here")).to_be_visible()
    for name in ("Hide case 1, Bo", "Dismiss reports case 1, Bo", "Warn case 1, Bo", "Bad faith in report 1 of case 1"):
        page.get_by_role("link", name=name).click()
        expect(page.locator("#slot-case-1 form textarea")).to_be_visible()
        page.wait_for_timeout(100)
        assert violations(page) == []
        assert sideways(page) <= 0
