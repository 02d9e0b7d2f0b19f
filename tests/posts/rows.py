"""Many rows at once, where only their number matters."""

from sqlalchemy import insert, select

from blog.clock import now
from blog.db import db, writing
from blog.posts.models import Post, PostSlug, PostState, PostTopic


def many_posts(author_id: int, count: int, topic_id: int, state: PostState = PostState.PUBLISHED) -> None:
    """Write `count` short posts in one topic. Call inside an application context."""
    moment = now() if state is PostState.PUBLISHED else None
    with writing():
        db.session.execute(insert(Post), [
            {"author_id": author_id, "slug": f"{state.value}-{number}",
             "title": f"Number {number}", "html": "<p>Words.</p>", "headings": [], "teaser": "Words.",
             "words": 1, "renderer": 1, "revision": 1, "state": state.value, "created_at": now(), "published_at": moment, "active_at": moment}
            for number in range(count)
        ])
        made = db.session.execute(select(Post.id, Post.slug).where(Post.slug.like(f"{state.value}-%"))).all()
        db.session.execute(insert(PostSlug), [{"slug": row.slug, "post_id": row.id} for row in made])
        db.session.execute(insert(PostTopic), [{"topic_id": topic_id, "post_id": row.id, "place": 0, "published_at": moment} for row in made])
