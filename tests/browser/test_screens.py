"""What holds on every screen: title, one h1, landmarks, skip link, axe in both schemes and three widths, no sideways scroll, same text without script."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page
from sqlalchemy import select, update

from blog.accounts.models import Member, Role
from blog.acts.models import TargetKind
from blog.clock import now
from blog.comments import writing
from blog.db import db
from blog.filters import admitting, holding, listing
from blog.filters.holding import Cause
from blog.filters.models import FilterKind, HeldKind
from blog.moderation import appeals, folding, hiding, locking, reporting, rulebook, sanctioning, standing
from blog.posts.models import Post, PostState
from blog.viewer import Viewer
from tests.browser.conftest import Live, sideways, violations
from tests.factories import make_member, make_post

LONG = "donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft"

# Address and who looks ("" is a stranger).
SCREENS = [
    ("/", ""), ("/", "anna"), ("/posts/the-kitchen-table", ""), ("/posts/the-kitchen-table", "anna"), ("/posts/the-kitchen-table", "mo"),
    ("/posts/another-evening", "bo"), ("/posts/a-hidden-thing", ""), ("/posts/a-hidden-thing", "anna"),
    ("/topics", ""), ("/topics/coaching", ""), ("/members/anna", ""), ("/members/bo", "anna"),
    ("/posts/new", "anna"), ("/posts/the-kitchen-table/edit", "anna"), ("/posts/the-kitchen-table/history", ""), ("/posts/the-kitchen-table/hide", "mo"),
    ("/comments/14", ""), ("/comments/1/reply", "anna"), ("/comments/1/edit", "bo"), ("/comments/1/history", ""), ("/comments/1/hide", "mo"),
    ("/comments/2", "bo"), ("/comments/2/unhide", "mo"), ("/acts/1", ""), ("/acts/1", "bo"), ("/rules", ""),
    ("/notices", "anna"), ("/notices?kind=acts", "bo"), ("/log", ""), ("/log?kind=warn", "anna"), ("/acts/1/appeal", "bo"), ("/acts/3", "bo"),
    ("/acts/3/decide", "mo"), ("/acts/2", "mo"), ("/moderation/appeals", "mo"),
    ("/posts/another-evening", ""), ("/posts/another-evening", "mo"), ("/posts/another-evening/lock", "mo"), ("/posts/another-evening/slow", "mo"),
    ("/members/bo", "mo"), ("/members/bo/suspend", "mo"), ("/members/bo/warn", "mo"), ("/comments/1/redact", "mo"), ("/acts/1/redact", "mo"),
    ("/comments/1/aside", "anna"), ("/members/cleo", "mo"), ("/members/cleo/lift", "mo"), ("/posts/the-kitchen-table", "cleo"), ("/acts/6", "cleo"),
    ("/login", ""), ("/register", ""), ("/forgot", ""), ("/verify", "anna"), ("/settings/profile", "anna"), ("/settings/security", "anna"),
    ("/held/1", "bo"), ("/held/1/edit", "bo"), ("/posts/a-waiting-thing", "bo"), ("/posts/a-waiting-thing", "mo"), ("/posts/a-waiting-thing/reject", "mo"),
    ("/moderation/held", "mo"), ("/moderation/held/1/reject", "mo"), ("/moderation/filters", "mo"), ("/members/wim/refuse", "mo"),
    ("/settings/invitations", "bo"), ("/posts/the-kitchen-table", "bo"),
    ("/dev/mail", ""), ("/moderation", "mo"), ("/moderation/cases/1", "mo"), ("/moderation/cases/1/hide", "mo"), ("/moderation/cases/1/dismiss", "mo"),
    ("/moderation/cases/1/reports/1/bad-faith", "mo"), ("/moderation/hide?case=1", "mo"), ("/moderation?show=closed", "mo"), ("/moderation?show=yours", "mo"),
    ("/moderation/members", "mo"), ("/moderation/members/bo", "mo"), ("/moderation/rules", "mo"), ("/moderation/rules", "ad"), ("/moderation/rules/3", "ad"),
    ("/comments/4/report", "bo"), ("/posts/the-kitchen-table/report", "bo"), ("/reports", "bo"), ("/settings/standing", "bo"),
    ("/settings/data", "bo"), ("/settings/data", "ad"),
    ("/nothing-here", ""), ("/nothing-here", "anna"), ("/comments/3/hide", "anna"),
]


@pytest.fixture
def full(live: Live) -> Live:
    """A board with a bit of everything: a deep branch, a hidden and a deleted comment, long words, a hidden post."""
    anna, bo, mo, max_ = (Viewer(id=live.member_id(name, role), verified=True, role=role) for name, role in
                          (("anna", Role.MEMBER), ("bo", Role.MEMBER), ("mo", Role.MODERATOR), ("max", Role.MODERATOR)))
    cleo = live.member_id("cleo")

    def begin() -> None:
        post = make_post(anna.id, title="The kitchen table", topics=("Coaching",), source=(
            f"An opening with a {LONG} in it.\n\n## First part\n\n| a | b | c |\n|---|---|---|\n| {LONG} | two | three |\n\n"
            f"## Second part\n\n- one\n- two\n\n> quoted\n\n```\n{LONG * 3}\n```\n\nhttps://example.org/{LONG}/{LONG}"))
        first = writing.add(post.id, bo, writing.words(f"I teach at the table. https://example.org/{LONG}"))
        second = writing.add(post.id, bo, writing.words("About a person."))
        parent = writing.add(post.id, anna, writing.words("Gone soon."), parent_id=first)
        for level in range(12):
            parent = writing.add(post.id, bo if level % 2 else anna, writing.words(f"Level {level} {LONG if level == 11 else ''}"), parent_id=parent)
        writing.delete(3, anna)
        writing.edit(first, bo, writing.words("I teach beside the table."), version=1)
        hiding.hide_comment(second, mo, rule_id=3, reason="Names a condition for another member.")
        make_post(bo.id, title="Another evening", source="Short.")
        hidden = make_post(anna.id, title="A hidden thing", source="Something.")
        hiding.hide_post(hidden.id, mo, rule_id=2, reason="Names a client who did not agree.")
        contested = writing.add(post.id, bo, writing.words(f"Words that were hidden. {LONG}"))
        hiding.hide_comment(contested, max_, rule_id=2, reason=f"Names a client who did not agree. {LONG}")
        appeals.file(2, anna.id, "The client agreed.")
        appeals.file(3, bo.id, f"The client agreed, and so did {LONG}.")
        appeals.say(3, mo, 0, f"Which one? {LONG}")
        other = db.session.execute(select(Post.id).where(Post.slug == "another-evening")).scalar_one()
        aside = writing.add(other, anna, writing.words("Beside the matter."))
        folding.put_aside(aside, bo, rule_id=1, reason="It leads away from this post.")
        locking.slow(other, mo, seconds=300, rule_id=1, reason="Quicker than anybody reads.", until=now() + timedelta(days=1))
        sanctioning.suspend(cleo, mo, rule_id=5, reason="Writes to people who asked to be left alone.", until=now() + timedelta(days=7))
        locking.lock(other, mo, rule_id=1, reason="The same three people, all evening.")
        reporting.report((TargetKind.COMMENT, 4), bo, rule_id=3, note=f"Not about the article. {LONG}")
        reporting.report((TargetKind.COMMENT, first), anna, rule_id=1, note="")
        rulebook.add_template(mo, title="Names a client", reason="Names a client who did not agree to it.")
        rulebook.add_template(mo, title=LONG[:60], reason=LONG * 3)
        standing.note(bo.id, mo, f"Answers politely. {LONG}")
        listing.add(mo, kind=FilterKind.WORD, pattern=LONG[:100], sentence=f"This board is careful about {LONG}.", rule_id=4)
        because = Cause("Word list, line 1", 4, f"This board is careful about {LONG}.")
        whole = writing.words(f"A text that waits, about {LONG}.")
        holding.hold(bo, because, HeldKind.COMMENT, post_id=post.id, source=whole.source, html=whole.html, parent_id=first, parent_version=1)
        waits = make_post(bo.id, title="A waiting thing", source="Something.", state=PostState.HELD)
        holding.hold_post(bo, because, waits.id)
        make_member("wim").is_waiting = True
        admitting.invite(bo)
        db.session.flush()
        assert db.session.get(Post, post.id)

    live.do(begin)
    return live


def check_common(page: Page, path: str) -> None:
    assert page.title().endswith(" · Parley") or page.title() == "Parley", page.title()
    assert page.locator("h1").count() == 1
    for landmark in ("main", "header", "footer"):
        assert page.locator(landmark).count() >= 1, landmark
    assert page.locator("main").count() == 1
    names = page.evaluate("[...document.querySelectorAll('nav')].map(e => e.getAttribute('aria-label') || e.getAttribute('aria-labelledby'))")
    assert all(names), names
    assert len(names) == len(set(names)), names
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids)), sorted(found for found in ids if ids.count(found) > 1)


def roles(name: str) -> Role:
    return {"mo": Role.MODERATOR, "ad": Role.ADMINISTRATOR}.get(name, Role.MEMBER)


def test_every_screen_passes_axe_in_light_and_dark_at_three_widths(full: Live) -> None:
    full.expected += ["status of 404", "status of 403", "status of 410"]
    wrong: list[str] = []
    for width, dark in ((1280, False), (390, True), (320, False)):
        windows: dict[str, Page] = {}
        for path, name in SCREENS:
            if name not in windows:
                windows[name] = full.visitor(name, roles(name), width=width, dark=dark)
            page = windows[name]
            page.goto(path)
            wrong += [f"{path} as {name or 'stranger'} at {width}: {found}" for found in violations(page)]
            if sideways(page) > 0:
                wrong.append(f"{path} as {name or 'stranger'} at {width}: scrolls sideways by {sideways(page)} px")
    assert wrong == []


@pytest.mark.parametrize("script", [True, False])
def test_every_screen_has_its_landmarks_and_fits_at_200_per_cent(full: Live, script: bool) -> None:
    full.expected += ["status of 404", "status of 403", "status of 410"]
    texts: dict[tuple[str, str], str] = {}
    for path, name in SCREENS:
        page = full.visitor(name, roles(name), width=640, script=script)
        page.goto(path)
        check_common(page, path)
        assert sideways(page) <= 0, path
        texts[path, name] = page.locator("main").inner_text()
        page.context.close()
    assert all(text.strip() for text in texts.values())


def test_the_skip_link_comes_first_and_leads_to_the_text(full: Live) -> None:
    page = full.visitor("anna")
    page.goto("/posts/the-kitchen-table")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("width", [1280, 320])
def test_every_focus_stop_is_outlined_and_seen(full: Live, width: int) -> None:
    page = full.visitor("anna", width=width)
    page.goto("/posts/the-kitchen-table")
    bad = []
    for _ in range(120):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const e = document.activeElement; if (!e || e === document.body) return null;
            const s = getComputedStyle(e), r = e.getBoundingClientRect();
            const at = document.elementFromPoint(r.left + Math.min(r.width, 40) / 2, r.top + r.height / 2);
            return {what: e.outerHTML.slice(0, 90), outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,
                    seen: r.top >= 0 && r.bottom <= innerHeight + 1, free: !at || e === at || e.contains(at) || at.contains(e)}; }"""
        )
        if found is None:
            break
        if not (found["outline"] and found["seen"] and found["free"]):
            bad.append(found)
    assert bad == []


def test_controls_are_large_enough_for_a_finger_on_a_phone(full: Live) -> None:
    page = full.visitor("anna", width=390)
    page.goto("/posts/the-kitchen-table")
    small = page.evaluate(
        """[...document.querySelectorAll('.actions a, .actions button, .btn, textarea, input:not([type=hidden]):not([type=radio])')]
        .filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert small == []
    tiny = page.evaluate(
        """[...document.querySelectorAll('a, button, summary')].filter(e => e.offsetParent && !e.closest('.prose'))
        .filter(e => { const r = e.getBoundingClientRect(); return r.height < 23.5 || r.width < 23.5; }).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert tiny == []


def test_dark_by_the_system_and_dark_by_choice_look_the_same(full: Live) -> None:
    def choose() -> None:
        db.session.execute(update(Member).where(Member.username == "anna").values(theme="dark"))

    ask = "['body', 'h1', '.byline', '.btn.main'].map(q => { const s = getComputedStyle(document.querySelector(q)); return s.color + s.backgroundColor; })"
    system = full.visitor("anna", dark=True)
    system.goto("/posts/the-kitchen-table")
    by_system = system.evaluate(ask)
    full.do(choose)
    chosen = full.visitor("anna", dark=False)
    chosen.goto("/posts/the-kitchen-table")
    assert chosen.evaluate(ask) == by_system
    assert chosen.locator("html").get_attribute("data-theme") == "dark"
