"""Filling an empty board with the demo content, and the password of the four accounts that a visitor may sign in with.

The content is played in the order of its moments, each deed with the clock stopped at its own: so ids, counters, revisions, acts and
their numbers come out as on a board that lived through them.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import delete, insert, select, update

from blog.accounts import passwords, registering, sessions
from blog.accounts.models import Member, Role
from blog.acts import recording
from blog.acts.models import ActNumber, TargetKind
from blog.clock import now, stopped_at
from blog.comments import writing as comments
from blog.comments.models import Comment, Thank
from blog.config import kept_secret, settings
from blog.db import db, writing
from blog.demo.reading import DemoAppeal, DemoComment, DemoContent, DemoHiding, DemoMember, DemoPost, DemoReport, content
from blog.filters import listing
from blog.filters.models import FilterKind
from blog.jobs.models import Job
from blog.mail.models import Mail
from blog.mail.sending import DELIVER
from blog.moderation import appeals, hiding, reporting
from blog.moderation.models import Outcome
from blog.notices.models import UNSEEN, Notice
from blog.posts import publishing
from blog.topics.models import Topic
from blog.viewer import Viewer

# The accounts that a visitor signs in with, and what each of them may do.
ACCOUNTS = {"reader": Role.MEMBER, "author": Role.AUTHOR, "moderator": Role.MODERATOR, "admin": Role.ADMINISTRATOR}

# A writer sees the slip soon after sending; no reply in the content comes sooner.
EDITED_AFTER = timedelta(minutes=4)
# A comment that is deleted or hidden takes no more replies, so those that it has come first.
REMOVED_AFTER = timedelta(minutes=1)
# Readers come by one after the other.
REPORTED_AFTER = timedelta(minutes=19)

# Notices that are older have been read.
READ_AFTER = timedelta(days=2)

# A line of the board's lists, and one text that waits because of it: by whom, under which post, in which words.
LISTED = ("bargain-lessons.example", "Offers of lessons for sale wait here for a moderator, whoever makes them.")
LISTED_SINCE, WAITS_SINCE = timedelta(days=20), timedelta(hours=5)
WAITS = ("halvard76", "Thirty minutes, of which eleven were violin",
         "I timed my own half hours after reading this and got to nine. A friend of mine sells them by the ten at https://bargain-lessons.example, with a "
         "clock on the wall; I would not, but he says the clock does more than he does.")

CONSONANTS, VOWELS = "bdglmnrstv", "aeiou"


def fill() -> bool:
    """Fill a board that has no members; leave any other alone. Says whether it filled.

    One transaction of its own: whatever breaks it off leaves nothing behind. Of two that start at once, one fills.
    """
    with writing():
        # Every act takes this row; here it makes a second filling wait, and then find members (SQLite: the transaction does).
        db.session.execute(select(ActNumber.last).with_for_update())
        if db.session.execute(select(Member.id).limit(1)).first() is not None:
            return False
        _Filling(content(), now()).play()
    return True


def password() -> str:
    """The password of the demo accounts: DEMO_PASSWORD, else one made once and kept in the instance folder (mode 600)."""
    return settings().demo_password or kept_secret(settings().instance_path / "demo_password", _pronounceable)


def accounts() -> list[str]:
    """Usernames of the demo accounts that are here, by role. One statement."""
    here = select(Member.username).where(Member.is_demo, Member.username.in_(ACCOUNTS)).order_by(Member.role, Member.id)
    return list(db.session.execute(here).scalars())


def keep_password() -> None:
    """Give the demo accounts that are here the password that `password` tells, if they have another one; their sessions end then.

    One argon2 computation for each account, one more for each that changes. Other members are never touched.
    """
    told = password()
    for member in db.session.execute(select(Member).where(Member.is_demo, Member.username.in_(ACCOUNTS))).scalars().all():
        if not passwords.verify(member.password_hash, told):
            member.password_hash = passwords.hash_password(told)
            sessions.end_all(member.id)
    db.session.flush()


def _pronounceable() -> str:
    """Four made-up words: 45 bits, plenty for accounts that production does not let in."""
    return "-".join("".join(secrets.choice(CONSONANTS) + secrets.choice(VOWELS) for _ in range(2)) for _ in range(4))


@dataclass
class _Filling:
    """One filling: what is to be written, and who and what is there so far."""

    plan: DemoContent
    moment: datetime  # the board's present; everything lies before it
    people: dict[str, Viewer] = field(default_factory=dict)
    post_ids: dict[str, int] = field(default_factory=dict)  # by title
    comment_ids: dict[tuple[str, str], int] = field(default_factory=dict)  # by the post's title and the comment's key
    act_numbers: dict[tuple[str, str], int] = field(default_factory=dict)  # of hidings, by the same

    def play(self) -> None:
        for at, deed in sorted(self._deeds(), key=lambda timed: timed[0]):
            with stopped_at(min(at, self.moment)):
                deed()
        self._thank()
        self._read_notices()
        self._recall_mail()

    def _deeds(self) -> Iterator[tuple[datetime, Callable[[], None]]]:
        beginning = self.moment - max(member.joined for member in self.plan.members)
        yield beginning, self._name_topics
        for member in self.plan.members:
            yield self.moment - member.joined, partial(self._join, member)
        for post in self.plan.posts:
            published = self.moment - post.age
            yield published, partial(self._publish, post)
            answered = {comment.parent: published + comment.after for comment in post.thread}  # the last reply wins
            for comment in post.thread:
                written = published + comment.after
                removed = answered.get(comment.key, written) + REMOVED_AFTER
                yield written, partial(self._comment, post, comment)
                if comment.earlier:
                    yield written + EDITED_AFTER, partial(self._edit, post, comment)
                if comment.is_deleted:
                    yield removed, partial(self._delete, post, comment)
                for turn, report in enumerate(comment.reports, 1):
                    yield written + turn * REPORTED_AFTER, partial(self._report, post, comment, report)
                if comment.hiding:
                    yield removed, partial(self._hide, post, comment, comment.hiding)
                    if comment.hiding.appeal:
                        yield removed + comment.hiding.appeal.after, partial(self._appeal, post, comment, comment.hiding.appeal)
                        yield removed + comment.hiding.appeal.answered, partial(self._answer, post, comment, comment.hiding.appeal)

        if any(post.title == WAITS[1] for post in self.plan.posts):
            yield self.moment - LISTED_SINCE, self._list
            yield self.moment - WAITS_SINCE, self._hold

    def _list(self) -> None:
        pattern, sentence = LISTED
        listing.add(self.people["moderator"], kind=FilterKind.DOMAIN, pattern=pattern, sentence=sentence, rule_id=_rule(4))

    def _hold(self) -> None:
        by, title, source = WAITS
        comments.send(self.post_ids[title], self.people[by], comments.words(source))

    def _name_topics(self) -> None:
        db.session.add_all([Topic(slug=topic.slug, name=topic.name, about=topic.about, created_at=now()) for topic in self.plan.topics])
        db.session.flush()

    def _join(self, member: DemoMember) -> None:
        signs_in = member.username in ACCOUNTS
        made = registering.create_verified(member.username, f"{member.username.lower()}@example.org", member.role, password() if signs_in else None,
                                           display_name=member.display_name, is_demo=True, joined_at=now(), about=member.about)
        self.people[member.username] = Viewer(id=made.id, username=made.username, display_name=made.display_name, role=made.role, verified=True,
                                              joined_at=made.created_at)

    def _publish(self, post: DemoPost) -> None:
        names = {topic.slug: topic.name for topic in self.plan.topics}
        made = publishing.publish_new(self.people[post.author], title=post.title, source=post.source, topics=[names[slug] for slug in post.topics],
                                      past_filters=True)
        self.post_ids[post.title] = made.id

    def _comment(self, post: DemoPost, comment: DemoComment) -> None:
        parent_id = self.comment_ids[post.title, comment.parent] if comment.parent else None
        self.comment_ids[post.title, comment.key] = comments.add(
            self.post_ids[post.title], self.people[comment.by], comments.words(comment.earlier or comment.body), parent_id=parent_id
        )

    def _edit(self, post: DemoPost, comment: DemoComment) -> None:
        comments.edit(self.comment_ids[post.title, comment.key], self.people[comment.by], comments.words(comment.body), version=1, past_filters=True)

    def _delete(self, post: DemoPost, comment: DemoComment) -> None:
        comments.delete(self.comment_ids[post.title, comment.key], self.people[comment.by])

    def _hide(self, post: DemoPost, comment: DemoComment, plan: DemoHiding) -> None:
        act = hiding.hide_comment(self.comment_ids[post.title, comment.key], self.people[plan.by], rule_id=_rule(plan.rule), reason=plan.reason)
        self.act_numbers[post.title, comment.key] = act.number

    def _appeal(self, post: DemoPost, comment: DemoComment, appeal: DemoAppeal) -> None:
        appeals.file(self.act_numbers[post.title, comment.key], self.people[comment.by].id, appeal.statement)

    def _answer(self, post: DemoPost, comment: DemoComment, appeal: DemoAppeal) -> None:
        appeals.decide(self.act_numbers[post.title, comment.key], self.people[appeal.by], outcome=Outcome(appeal.outcome), reason=appeal.reason)

    def _read_notices(self) -> None:
        """Who lives here has read what is older than a few days."""
        old = (UNSEEN, Notice.told_at < self.moment - READ_AFTER)
        db.session.execute(update(Notice).where(*old).values(seen_at=self.moment - READ_AFTER), execution_options={"synchronize_session": False})

    @staticmethod
    def _recall_mail() -> None:
        """Nobody here waits for mail about what happened before the board was filled."""
        db.session.execute(delete(Job).where(Job.kind == DELIVER))
        db.session.execute(delete(Mail))

    def _report(self, post: DemoPost, comment: DemoComment, plan: DemoReport) -> None:
        target = TargetKind.COMMENT, self.comment_ids[post.title, comment.key]
        reporting.report(target, self.people[plan.by], rule_id=_rule(plan.rule), note=plan.note)

    def _thank(self) -> None:
        """All thanks at once: they carry no time."""
        thanked = {self.comment_ids[post.title, comment.key]: comment.thanks for post in self.plan.posts for comment in post.thread if comment.thanks}
        rows = [{"comment_id": comment_id, "member_id": self.people[name].id} for comment_id, names in thanked.items() for name in names]
        db.session.execute(insert(Thank), rows)
        for comment_id, names in thanked.items():
            db.session.execute(update(Comment).where(Comment.id == comment_id).values(thanks=len(names)), execution_options={"synchronize_session": False})


def _rule(number: int) -> int:
    """Id of the rule in force with that number."""
    return next(rule.id for rule in recording.rules() if rule.number == number)
