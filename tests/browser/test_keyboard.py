"""Keys, folding and quotes in a real browser: keys press what is there or move the focus, and nothing else."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from blog.clock import now, stopped_at
from blog.comments import visits, writing
from blog.viewer import Viewer
from tests.browser.conftest import Live, violations
from tests.factories import make_post

POST = "/posts/the-kitchen-table"
NEW = "That was the last new comment."

# What the thread below is: 1 (2 (4), 3), 5 (6), 7. New to anna: 4 to 7.
WORDS = {1: "The table is\nfor work.", 2: "Two.", 3: "Three.", 4: "Four.", 5: "Five.", 6: "Six.", 7: "Seven."}


@pytest.fixture
def talk(live: Live) -> Live:
    """A post by anna with seven comments by bo; anna was here two hours ago, when there were three."""
    anna, bo = live.member_id("anna"), Viewer(id=live.member_id("bo"), verified=True)

    def begin() -> None:
        post = make_post(anna, title="The kitchen table", source="An opening about tables.")
        for number, parent in ((1, None), (2, 1), (3, 1), (4, 2), (5, None), (6, 5), (7, None)):
            writing.add(post.id, bo, writing.words(WORDS[number].replace("\n", "\n\n")), parent_id=parent)
            if number == 3:
                with stopped_at(now() - timedelta(hours=2)):
                    visits.note(anna, post.id, 3)

    live.do(begin)
    return live


def arrive(page: Page, path: str = POST) -> Page:
    """Open the page; keys work from the moment when their switch is seen."""
    page.goto(path)
    expect(page.get_by_role("button", name="Keyboard: on")).to_be_visible()
    return page


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.tagName"))


def press(page: Page, keys: str) -> str:
    """Press one key after the other; what has the focus then."""
    for key in keys:
        page.keyboard.press(key)
    return focused(page)


def select(page: Page, selector: str) -> None:
    """Select the element's words as a reader does, with the mouse: the focus goes where the mouse was."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 1, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] - 3, steps=4)
    page.mouse.up()


def test_n_and_p_go_through_what_is_new_and_say_where_it_ends(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    assert [press(page, "n") for _ in range(4)] == ["comment-4", "comment-5", "comment-6", "comment-7"]
    expect(page.locator("#said")).to_be_empty()
    assert press(page, "n") == "comment-7"
    expect(page.locator("#said")).to_have_text(NEW)
    assert [press(page, "p") for _ in range(3)] == ["comment-6", "comment-5", "comment-4"]
    assert press(page, "p") == "comment-4"
    expect(page.locator("#said")).to_have_text("That was the first new comment.")


def test_a_new_comment_in_a_folded_branch_is_unfolded_and_seen(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    page.locator("#comment-1 ~ details > summary").click()
    expect(page.locator("#comment-4")).to_be_hidden()
    page.keyboard.press("n")
    expect(page.locator("#comment-4")).to_be_focused()
    expect(page.locator("#comment-4")).to_be_in_viewport(ratio=1)


def test_what_has_the_focus_is_not_under_the_sticky_line(talk: Live) -> None:
    page = arrive(talk.visitor("anna", width=390))
    page.set_viewport_size({"width": 390, "height": 420})
    press(page, "nnnn")
    for _ in range(3):
        press(page, "p")
        top = page.evaluate("document.activeElement.getBoundingClientRect().top - document.querySelector('.jump').getBoundingClientRect().bottom")
        assert top >= 0, focused(page)


def test_n_follows_the_link_where_the_next_new_one_is_on_another_page(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    page.evaluate("document.querySelectorAll('.mine > .new').forEach(e => e.remove())")
    page.evaluate("document.querySelector('a[aria-keyshortcuts=n]').href = '/comments/6'")
    page.keyboard.press("n")
    page.wait_for_url("**/comments/6")


def test_j_and_k_go_by_threads_and_u_to_what_is_answered(talk: Live) -> None:
    page = arrive(talk.visitor())
    assert [press(page, "j") for _ in range(3)] == ["comment-1", "comment-5", "comment-7"]
    assert press(page, "j") == "comment-7"
    expect(page.locator("#said")).to_contain_text("the last thread")
    assert press(page, "kk") == "comment-1"
    page.locator("#comment-4").focus()
    assert [press(page, "u") for _ in range(3)] == ["comment-2", "comment-1", "comment-1"]
    page.locator("#comment-4").focus()
    assert press(page, "k") == "comment-1"  # to the beginning of its own thread
    page.locator("#comment-4").focus()
    assert press(page, "j") == "comment-5"


def test_c_folds_the_branch_of_the_comment_or_the_one_around_it(talk: Live) -> None:
    page = arrive(talk.visitor())
    branch = page.locator("#comment-1 ~ details")
    page.locator("#comment-1").focus()
    page.keyboard.press("c")
    expect(branch).not_to_have_attribute("open", "")
    expect(page.locator("#said")).to_have_text("Replies hidden.")
    assert press(page, "c") == "comment-1"
    expect(branch).to_have_attribute("open", "")
    page.locator("#comment-4").focus()
    assert press(page, "c") == "comment-1"  # never in what can't be seen
    expect(branch).not_to_have_attribute("open", "")


def test_r_replies_to_the_comment_that_has_the_focus_or_to_the_post(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    page.keyboard.press("r")
    expect(page.locator("#body-root")).to_be_focused()
    expect(page.locator("#body-root")).to_have_value("")
    page.locator("#comment-5").focus()
    page.keyboard.press("r")
    expect(page.locator("#body-5")).to_be_focused()
    expect(page.locator("#body-5")).to_have_value("")
    page.keyboard.type("njkucrt?")  # in a field they are letters
    expect(page.locator("#body-5")).to_have_value("njkucrt?")
    expect(page.locator("#body-5")).to_be_focused()


def test_t_thanks_and_takes_it_back(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    page.locator("#comment-5").focus()
    page.keyboard.press("t")
    expect(page.locator("#thank-5")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#comment-5")).to_be_focused()
    page.keyboard.press("t")
    expect(page.locator("#thank-5")).to_have_attribute("aria-pressed", "false")


def test_keys_with_another_one_held_are_the_browsers_own(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    page.locator("#comment-1").focus()
    page.evaluate("window.taken = 0; document.addEventListener('keydown', e => { taken += e.defaultPrevented; e.preventDefault(); })")
    for held in ("Control", "Alt", "Meta"):
        page.keyboard.press(f"{held}+j")
        assert focused(page) == "comment-1"
        assert page.evaluate("taken") == 0
    page.keyboard.press("j")
    assert page.evaluate("taken") == 1


def test_the_switch_in_the_footer_turns_keys_off_for_good(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    page.get_by_role("button", name="Keyboard: on").click()
    expect(page.get_by_role("button", name="Keyboard: off")).to_be_visible()
    page.reload()
    switch = page.get_by_role("button", name="Keyboard: off")
    expect(switch).to_be_visible()
    page.locator("#comment-1").focus()
    assert press(page, "njcr?") == "comment-1"
    expect(page.locator("dialog")).to_have_count(0)
    switch.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keyboard: on")).to_be_visible()
    assert press(page, "k") == "comment-7"


def test_the_switch_is_not_there_without_script(talk: Live) -> None:
    page = talk.visitor(script=False)
    page.goto(POST)
    expect(page.locator("[data-keys]")).to_be_hidden()


def test_the_list_of_keys_opens_and_gives_the_focus_back(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    page.locator("#comment-5").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    assert dialog.locator("kbd").all_text_contents() == list("npjkucrt?")
    assert violations(page) == []
    page.keyboard.press("j")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("#comment-5")).to_be_focused()


# -- quotes


@pytest.mark.parametrize("how", ["click", "r"])
def test_selected_words_begin_the_reply_named_and_linked(talk: Live, how: str) -> None:
    page = arrive(talk.visitor("anna"))
    select(page, "#comment-1 .comment-body")
    if how == "click":
        page.locator("#reply-1").click()
    else:
        page.keyboard.press("r")
    field = page.locator("#body-1")
    expect(field).to_be_focused()
    expect(field).to_have_value("[Bo](/comments/1):\n\n> The table is\n> \n> for work.\n\n")
    page.keyboard.type("So it is.")
    expect(field).to_have_value("[Bo](/comments/1):\n\n> The table is\n> \n> for work.\n\nSo it is.")
    page.get_by_role("button", name="Post reply").click()
    posted = page.locator("#comment-8 .comment-body")
    expect(posted.locator("blockquote p")).to_have_text(["The table is", "for work."])
    expect(posted.get_by_role("link", name="Bo")).to_have_attribute("href", "/comments/1")


def test_a_second_quote_goes_below_what_was_typed(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    page.locator("#reply-5").click()
    page.locator("#body-5").fill("First.")
    select(page, "#comment-5 .comment-body")
    page.locator("#reply-5").click()
    expect(page.locator("#body-5")).to_have_value("First.\n\n[Bo](/comments/5):\n\n> Five.\n\n")


def test_nothing_selected_and_words_of_another_comment_quote_nothing(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    select(page, "#comment-1 .comment-body")
    page.locator("#reply-5").click()
    expect(page.locator("#body-5")).to_be_focused()
    expect(page.locator("#body-5")).to_have_value("")
    page.locator("#reply-7").click()
    expect(page.locator("#body-7")).to_be_focused()
    expect(page.locator("#body-7")).to_have_value("")


def test_words_of_the_post_begin_a_comment_on_it(talk: Live) -> None:
    page = arrive(talk.visitor("anna"))
    select(page, ".post-body p")
    page.keyboard.press("r")
    expect(page.locator("#body-root")).to_be_focused()
    expect(page.locator("#body-root")).to_have_value("> An opening about tables.\n\n")
