"""Threads for tests: written as rows (quick, any shape), and the brute-force tree that readings are compared with."""

import random
from dataclasses import dataclass, field
from datetime import timedelta

from blog.clock import now
from blog.comments.models import Comment, CommentRevision
from blog.db import db
from blog.posts.models import Post


def grow(post_id: int, author_id: int, parents: list[int | None]) -> list[int]:
    """Add comments in order; `parents[i]` is the index of an earlier one, or None for a root. Gives their ids, counters in line."""
    moment = now() - timedelta(hours=1)
    made: list[Comment] = []
    for index, parent in enumerate(parents):
        above = made[parent] if parent is not None else None
        seq = index + 1
        comment = Comment(post_id=post_id, seq=seq, parent_id=above.id if above else None, root_id=(above.root_id or above.id) if above else None,
                          depth=above.depth + 1 if above else 1, active_seq=seq, author_id=author_id, html=f"<p>words {seq}</p>", created_at=moment)
        db.session.add(comment)
        db.session.flush()
        if above:
            above.reply_count += 1
            root = db.session.get(Comment, comment.root_id)
            assert root is not None
            root.active_seq = seq
        made.append(comment)
        db.session.add(CommentRevision(comment_id=comment.id, version=1, source=f"words {seq}", created_at=moment))
    post = db.session.get(Post, post_id)
    assert post is not None
    post.last_seq = post.comment_count = len(parents)
    ids = [comment.id for comment in made]
    db.session.commit()
    return ids


def random_parents(count: int, seed: int, roots: float = 0.2) -> list[int | None]:
    """A realistic shape: some roots, the rest under a random earlier comment, the recent ones likelier."""
    dice = random.Random(seed)
    parents: list[int | None] = [None]
    for index in range(1, count):
        parents.append(None if dice.random() < roots else max(0, index - 1 - int(dice.expovariate(0.05))))
    return parents


@dataclass
class Model:
    """What a thread should be, computed the slow and plain way."""

    parents: list[int | None]
    deleted: set[int] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)

    def children(self, index: int) -> list[int]:
        return [child for child, parent in enumerate(self.parents) if parent == index]

    def listed(self, index: int) -> bool:
        return index not in self.deleted or index in self.hidden or any(self.listed(child) for child in self.children(index))

    def replies(self, index: int) -> int:
        return sum(1 for child in self.children(index) if self.listed(child))

    def live(self) -> int:
        return sum(1 for index in range(len(self.parents)) if index not in self.deleted and index not in self.hidden)

    def preorder(self) -> list[int]:
        order: list[int] = []

        def walk(index: int) -> None:
            if self.listed(index):
                order.append(index)
                for child in self.children(index):
                    walk(child)

        for index, parent in enumerate(self.parents):
            if parent is None:
                walk(index)
        return order
