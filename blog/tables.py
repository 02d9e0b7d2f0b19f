"""Every feature's tables in one metadata: whoever needs all of them (the factory, migrations) imports this."""

from blog.accounts import models as accounts
from blog.acts import models as acts
from blog.board import models as board
from blog.comments import models as comments
from blog.db import Base
from blog.drafts import models as drafts
from blog.filters import models as filters
from blog.jobs import models as jobs
from blog.mail import models as mail
from blog.moderation import models as moderation
from blog.notices import models as notices
from blog.posts import models as posts
from blog.topics import models as topics

FEATURES = (accounts, acts, board, comments, drafts, filters, jobs, mail, moderation, notices, posts, topics)

metadata = Base.metadata
