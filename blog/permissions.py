"""Who may do what: the only place that rules.

A ruling carries its sentence: the page shows it where the button would be, and a refused request repeats it. Rulings are pure:
no query, no request. Each rule about seeing has a twin as SQL right below it, and a property test compares the two.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import ColumnElement, and_, or_, true

from blog.accounts.models import Role
from blog.acts.models import ActKind
from blog.comments.models import Comment
from blog.errors import NotAllowed
from blog.posts.models import LISTED, Post, PostState
from blog.viewer import Viewer

# How long a writer's deletion can be taken back; after that a job empties the words.
RESTORE_DAYS = 30


# How long the person concerned may appeal.
APPEAL_DAYS = 14
# Acts that take something from a person.
APPEALABLE = frozenset({ActKind.HIDE, ActKind.LOCK, ActKind.CLOSE, ActKind.WARN, ActKind.SUSPEND, ActKind.REJECT, ActKind.REDACT, ActKind.ASIDE,
                        ActKind.BAD_FAITH})


@dataclass(frozen=True, slots=True)
class Ruling:
    """Yes, or no with the sentence that says why and what would help."""

    allowed: bool
    sentence: str = ""

    def __bool__(self) -> bool:
        return self.allowed

    def require(self) -> None:
        """Raises NotAllowed with the sentence, if the ruling is no."""
        if not self.allowed:
            raise NotAllowed(self.sentence)


YES = Ruling(True)


def _no(sentence: str) -> Ruling:
    return Ruling(False, sentence)


class PostFacts(Protocol):
    """What a ruling needs of a post: the row itself, or any value with these names."""

    @property
    def author_id(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def deleted_at(self) -> datetime | None: ...
    @property
    def hidden_by(self) -> int | None: ...
    @property
    def locked_by(self) -> int | None: ...


class CommentFacts(Protocol):
    """What a ruling needs of a comment."""

    @property
    def author_id(self) -> int: ...
    @property
    def deleted_at(self) -> datetime | None: ...
    @property
    def hidden_by(self) -> int | None: ...
    @property
    def listed(self) -> bool: ...
    @property
    def closed(self) -> bool: ...


class ActFacts(Protocol):
    """What a ruling needs of an act."""

    @property
    def kind(self) -> str: ...
    @property
    def actor_id(self) -> int | None: ...
    @property
    def person_id(self) -> int | None: ...
    @property
    def created_at(self) -> datetime: ...


# -- signing in and writing at all


def may_act_at_all(viewer: Viewer) -> Ruling:
    """Whether this member may do what others see: write, edit, thank, report. A suspended one reads, exports, appeals and leaves."""
    if viewer.suspension:
        until = f"until {viewer.suspended_until:%Y-%m-%d %H:%M} UTC" if viewer.suspended_until else "until a moderator lifts it"
        return _no(f"Your account is suspended {until} (act {viewer.suspension}). You can read, export, appeal and leave.")
    return YES


def may_write(viewer: Viewer, needs_verified: bool) -> Ruling:
    """Whether this person may write anything here (board setting `writing_needs_verified`)."""
    if not viewer.is_member:
        return _no("Sign in to write here.")
    if viewer.suspension:
        return may_act_at_all(viewer)
    if viewer.refusal:
        return _no(f"A moderator did not admit you. The rule and the reason stand in act {viewer.refusal}; you can read and appeal.")
    if viewer.is_waiting:
        return _no("A moderator admits new members here and has not come to you yet. You will be told; until then you can read.")
    if needs_verified and not viewer.verified:
        return _no("Confirm your e-mail address first: the link is in the mail that we sent you, and your settings can send it again.")
    return YES


def may_publish(viewer: Viewer, narrowed: bool, needs_verified: bool = True) -> Ruling:
    """Whether this person may write posts; `narrowed` is the board setting that leaves it to the role author."""
    if narrowed and not (viewer.is_member and viewer.role >= Role.AUTHOR):
        return _no("On this board, authors publish posts. Comments are open to every member.")
    return may_write(viewer, needs_verified)


def may_export(viewer: Viewer) -> Ruling:
    """Whether this person gets what the board holds of them: every member, suspended, waiting or not confirmed."""
    return YES if viewer.is_member else _no("Sign in to download your data.")


def may_leave(viewer: Viewer, is_last: bool) -> Ruling:
    """Whether this person may give their account up; `is_last`: no other administrator could sign in."""
    if not viewer.is_member:
        return _no("Sign in to leave.")
    if is_last:
        return _no("You are the only administrator, and a board needs one. Give somebody else that role first; then you can leave.")
    return YES


# -- posts


def may_see_post(viewer: Viewer, post: PostFacts) -> Ruling:
    """Whether the post has a page for this viewer at all (a hidden one has: its tombstone; one that waits, for moderators too)."""
    if post.state == PostState.PUBLISHED or (viewer.is_member and post.author_id == viewer.id):
        return YES
    if post.state == PostState.HELD and viewer.is_moderator:
        return YES
    return _no("There is nothing at this address.")


def seen_posts(viewer: Viewer) -> ColumnElement[bool]:
    """`may_see_post` for many rows."""
    published = Post.state == PostState.PUBLISHED.value
    if viewer.is_moderator:
        published = Post.state.in_([PostState.PUBLISHED.value, PostState.HELD.value])
    return or_(published, Post.author_id == viewer.id) if viewer.is_member else published


def may_read_post(viewer: Viewer, post: PostFacts) -> Ruling:
    """Whether this viewer reads the post's own words (title, text, teaser)."""
    if not may_see_post(viewer, post):
        return _no("There is nothing at this address.")
    if post.deleted_at is not None:
        return _no("Its author took this post down.")
    if post.hidden_by is not None and not (viewer.is_moderator or (viewer.is_member and post.author_id == viewer.id)):
        return _no("A moderator hid this post.")
    return YES


def readable_posts(viewer: Viewer) -> ColumnElement[bool]:
    """`may_read_post` for many rows."""
    unhidden: ColumnElement[bool] = Post.hidden_by.is_(None)
    if viewer.is_moderator:
        unhidden = true()
    elif viewer.is_member:
        unhidden = or_(unhidden, Post.author_id == viewer.id)
    return and_(seen_posts(viewer), Post.deleted_at.is_(None), unhidden)


def is_listed_post(post: PostFacts) -> bool:
    """Whether the post stands in lists and feeds: the same for every viewer."""
    return post.state == PostState.PUBLISHED and post.deleted_at is None and post.hidden_by is None


def listed_posts() -> ColumnElement[bool]:
    """`is_listed_post` for many rows; the very condition of the index `post_newest`."""
    return LISTED


def may_edit_post(viewer: Viewer, post: PostFacts) -> Ruling:
    if not viewer.is_member or post.author_id != viewer.id:
        return _no("Only its author can change a post.")
    if viewer.suspension:
        return may_act_at_all(viewer)
    if post.deleted_at is not None:
        return _no("You took this post down. Restore it first to change it.")
    if post.hidden_by is not None:
        return _no("A moderator hid this post; it can’t be changed while it is hidden.")
    return YES


def may_delete_post(viewer: Viewer, post: PostFacts) -> Ruling:
    if not viewer.is_member or post.author_id != viewer.id:
        return _no("Only its author can take a post down.")
    return YES


def may_restore_post(viewer: Viewer, post: PostFacts, now: datetime) -> Ruling:
    if not viewer.is_member or post.author_id != viewer.id:
        return _no("Only its author can restore a post.")
    if viewer.suspension:
        return may_act_at_all(viewer)
    if post.deleted_at is not None and now - post.deleted_at > timedelta(days=RESTORE_DAYS):
        return _no(f"A post that was taken down can be restored for {RESTORE_DAYS} days; this one’s words are gone.")
    return YES


# -- comments


def may_see_comment(viewer: Viewer, comment: CommentFacts, post: PostFacts) -> Ruling:
    """Whether the comment has a place in the thread for this viewer (perhaps as a tombstone)."""
    if not comment.listed or post.state != PostState.PUBLISHED:
        return _no("There is nothing at this address.")
    return YES


def seen_comments() -> ColumnElement[bool]:
    """`may_see_comment` for many rows joined to their posts."""
    return and_(Comment.listed, Post.state == PostState.PUBLISHED.value)


def may_read_comment(viewer: Viewer, comment: CommentFacts, post: PostFacts) -> Ruling:
    """Whether this viewer reads the comment's words."""
    if not may_see_comment(viewer, comment, post):
        return _no("There is nothing at this address.")
    if comment.deleted_at is not None:
        return _no("Its writer deleted this comment.")
    if comment.hidden_by is not None and not (viewer.is_moderator or (viewer.is_member and comment.author_id == viewer.id)):
        return _no("A moderator hid this comment.")
    return YES


def readable_comments(viewer: Viewer) -> ColumnElement[bool]:
    """`may_read_comment` for many rows joined to their posts."""
    unhidden: ColumnElement[bool] = Comment.hidden_by.is_(None)
    if viewer.is_moderator:
        unhidden = true()
    elif viewer.is_member:
        unhidden = or_(unhidden, Comment.author_id == viewer.id)
    return and_(seen_comments(), Comment.deleted_at.is_(None), unhidden)


def is_open_comment(comment: CommentFacts, post: PostFacts) -> bool:
    """Whether everybody reads the comment's words: what lists, feeds and counts hold."""
    return comment.listed and comment.deleted_at is None and comment.hidden_by is None and post.state == PostState.PUBLISHED


def open_comments() -> ColumnElement[bool]:
    """`is_open_comment` for many rows joined to their posts."""
    return and_(seen_comments(), Comment.deleted_at.is_(None), Comment.hidden_by.is_(None))


def may_comment(viewer: Viewer, post: PostFacts, needs_verified: bool = True) -> Ruling:
    """Whether this person may write a new comment under the post."""
    if post.state == PostState.HELD:
        return _no("This post waits for a moderator’s approval, so it takes no comments yet.")
    if post.state != PostState.PUBLISHED:
        return _no("A draft takes no comments yet.")
    if post.deleted_at is not None:
        return _no("Its author took this post down, so it takes no more comments.")
    if post.hidden_by is not None:
        return _no("A moderator hid this post, so it takes no more comments.")
    if post.locked_by is not None:
        return _no("A moderator closed this discussion. The rule and the reason stand above it.")
    return may_write(viewer, needs_verified)


def may_reply(viewer: Viewer, comment: CommentFacts, post: PostFacts, needs_verified: bool = True) -> Ruling:
    """Whether this person may answer that comment."""
    if comment.deleted_at is not None or not comment.listed:
        return _no("Its writer deleted this comment, so it takes no more replies.")
    if comment.hidden_by is not None:
        return _no("A moderator hid this comment, so it takes no more replies.")
    if comment.closed:
        return _no("This branch is closed, so it takes no more replies.")
    return may_comment(viewer, post, needs_verified)


def may_edit_comment(viewer: Viewer, comment: CommentFacts) -> Ruling:
    if not viewer.is_member or comment.author_id != viewer.id:
        return _no("Only its writer can change a comment.")
    if viewer.suspension:
        return may_act_at_all(viewer)
    if comment.deleted_at is not None:
        return _no("You deleted this comment. Restore it first to change it.")
    if comment.hidden_by is not None:
        return _no("A moderator hid this comment; it can’t be changed while it is hidden.")
    return YES


def may_delete_comment(viewer: Viewer, comment: CommentFacts) -> Ruling:
    if not viewer.is_member or comment.author_id != viewer.id:
        return _no("Only its writer can delete a comment.")
    return YES


def may_restore_comment(viewer: Viewer, comment: CommentFacts, now: datetime) -> Ruling:
    if not viewer.is_member or comment.author_id != viewer.id:
        return _no("Only its writer can restore a comment.")
    if viewer.suspension:
        return may_act_at_all(viewer)
    if comment.deleted_at is not None and now - comment.deleted_at > timedelta(days=RESTORE_DAYS):
        return _no(f"A deleted comment can be restored for {RESTORE_DAYS} days; this one’s words are gone.")
    return YES


# -- texts that wait for approval, and newcomers


def may_read_held(viewer: Viewer, author_id: int) -> Ruling:
    """Whether this person reads a text that waits: its writer, and moderators."""
    if viewer.is_moderator or (viewer.is_member and viewer.id == author_id):
        return YES
    return _no("There is nothing at this address.")


def may_change_held(viewer: Viewer, author_id: int, is_waiting: bool) -> Ruling:
    """Whether this person may change a text that waits."""
    if not viewer.is_member or viewer.id != author_id:
        return _no("Only its writer can change a text that waits.")
    if not is_waiting:
        return _no("This text does not wait any more, so it can’t be changed here.")
    return may_act_at_all(viewer)


def may_take_back_held(viewer: Viewer, author_id: int) -> Ruling:
    """Whether this person may take back a text that waits: a suspended writer too, as it takes something off the board."""
    if not viewer.is_member or viewer.id != author_id:
        return _no("Only its writer can take back a text that waits.")
    return YES


def may_decide_held(viewer: Viewer, author_id: int) -> Ruling:
    """Whether this person may approve or reject what `author_id` wrote. Nobody judges their own words."""
    if not viewer.is_moderator:
        return _no("Only moderators decide about a text that waits.")
    if author_id == viewer.id:
        return _no("These are your own words: another moderator must decide.")
    return may_act_at_all(viewer)


def may_join(viewer: Viewer, is_closed: bool, by_invitation: bool, is_invited: bool) -> Ruling:
    """Whether a new account may be made here (board setting `registration`)."""
    if is_closed:
        return _no("This board takes no new members at present. Members sign in as always.")
    if by_invitation and not is_invited:
        return _no("Joining here needs an invitation. Ask a member for a link; each one lets one person in, for a while.")
    return YES


def may_invite(viewer: Viewer, narrowed: bool, is_newcomer: bool, needs_verified: bool = True) -> Ruling:
    """Whether this person may make invitations; `narrowed` is the board setting that leaves it to moderators."""
    if narrowed and not viewer.is_moderator:
        return _no("On this board, moderators make the invitations. Ask one of them.")
    if is_newcomer:
        return _no("Members who have been here for a while can invite others. Write a little first, and come back in some days.")
    return may_write(viewer, needs_verified)


# -- moderation


def may_moderate(viewer: Viewer) -> Ruling:
    """Whether this person opens the queue, the members' standing and the board's lists, and acts there."""
    if not viewer.is_moderator:
        return _no("Only moderators can do this.")
    return may_act_at_all(viewer)


def may_hide(viewer: Viewer, author_id: int) -> Ruling:
    """Whether this person may hide something that `author_id` wrote. Nobody judges their own words."""
    if not viewer.is_moderator:
        return _no("Only moderators can hide what others wrote.")
    if author_id == viewer.id:
        return _no("These are your own words: delete them instead, or ask another moderator.")
    return may_act_at_all(viewer)


def may_unhide(viewer: Viewer, author_id: int) -> Ruling:
    if not viewer.is_moderator:
        return _no("Only moderators can bring hidden words back.")
    if author_id == viewer.id:
        return _no("These are your own words: another moderator must decide.")
    return may_act_at_all(viewer)


def may_redact(viewer: Viewer, author_id: int) -> Ruling:
    """Whether this person may take words of `author_id` out for good."""
    if not viewer.is_moderator:
        return _no("Only moderators can take words out for good.")
    if author_id == viewer.id:
        return _no("These are your own words: delete them instead; they are emptied for good after some time.")
    return may_act_at_all(viewer)


def may_lock(viewer: Viewer, author_id: int) -> Ruling:
    """Whether this person may lock, close or slow the discussion of a post by `author_id`, and open it again."""
    if not viewer.is_moderator:
        return _no("Only moderators can close a discussion.")
    if author_id == viewer.id:
        return _no("This is your own post: another moderator must decide.")
    return may_act_at_all(viewer)


def may_act_on_member(viewer: Viewer, member_id: int, role: Role) -> Ruling:
    """Whether this person may warn or suspend that member, and lift it. Nobody acts on themselves or on somebody of their own role or above;
    an administrator acts on everybody else."""
    if not viewer.is_moderator:
        return _no("Only moderators can warn or suspend a member.")
    if member_id == viewer.id:
        return _no("This is you: another moderator must decide.")
    if role >= viewer.role and not viewer.is_administrator:
        return _no("Only an administrator can act on another moderator.")
    return may_act_at_all(viewer)


def may_put_aside(viewer: Viewer, post_author_id: int, comment_author_id: int) -> Ruling:
    """Whether this person may fold a comment away under their own post, and bring it back."""
    if not viewer.is_member or viewer.id != post_author_id:
        return _no("Only the post’s author can put a comment aside.")
    if comment_author_id == viewer.id:
        return _no("This is your own comment: delete it instead.")
    return may_act_at_all(viewer)


def may_report(viewer: Viewer, author_id: int, is_open: bool) -> Ruling:
    """Whether this person may report words of `author_id`; `is_open`: everybody reads them."""
    if not viewer.is_member:
        return _no("Sign in to report something.")
    if author_id == viewer.id:
        return _no("These are your own words: edit or delete them instead.")
    if not is_open:
        return _no("These words are gone already, so there is nothing to report.")
    return may_act_at_all(viewer)


def may_appeal(viewer_id: int, act: ActFacts, now: datetime) -> Ruling:
    """Whether the person concerned may appeal. `viewer_id`: a member, or whom a signed link stands for; a suspended one may too."""
    if act.person_id is None or act.person_id != viewer_id:
        return _no("Only the person concerned can appeal.")
    if act.kind not in APPEALABLE:
        return _no("This act takes nothing from anybody, so there is nothing to appeal.")
    if now - act.created_at > timedelta(days=APPEAL_DAYS):
        return _no(f"An appeal is possible for {APPEAL_DAYS} days after the act; they are over.")
    return YES


def may_decide(viewer: Viewer, act: ActFacts, alone: bool, reported_id: int = 0) -> Ruling:
    """Whether this person may decide an appeal against the act. `alone`: there is no other moderator; then the administrator decides, and
    the page says so. `reported_id`: whose words the report was about, for an act about a report."""
    if not viewer.is_moderator:
        return _no("Only moderators decide appeals.")
    if act.person_id == viewer.id:
        return _no("This is your own appeal: another moderator decides.")
    if act.actor_id == viewer.id and not (alone and viewer.is_administrator):
        return _no("This is your own act: another moderator decides.")
    if reported_id and reported_id == viewer.id:
        return _no("The report was about your own words: another moderator decides.")
    return may_act_at_all(viewer)


def may_set_rules(viewer: Viewer) -> Ruling:
    """Whether this person may change the board's rules."""
    if not viewer.is_administrator:
        return _no("Only administrators change the board’s rules.")
    return may_act_at_all(viewer)


def may_read_act_words(viewer: Viewer, person_id: int | None) -> Ruling:
    """Whether an act's page shows this viewer the words it is about: the person concerned, and moderators."""
    if viewer.is_moderator or (viewer.is_member and viewer.id == person_id):
        return YES
    return _no("The words are shown to the person concerned and to moderators only.")


def may_thank(viewer: Viewer, author_id: int, is_open: bool, needs_verified: bool = True) -> Ruling:
    """Whether this person may thank for words of `author_id`; `is_open`: everybody reads them."""
    if viewer.is_member and viewer.id == author_id:
        return _no("These are your own words; thanks come from others.")
    if not is_open:
        return _no("These words are gone, so there is nothing to thank for.")
    return may_write(viewer, needs_verified)
