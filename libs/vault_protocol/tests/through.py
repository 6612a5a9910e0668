"""A store for tests that look at, or write into, its repository by other means than our own."""

from datetime import datetime

from vault_protocol.hub import CommitId, Edits
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId


class Through(GitStore):
    """Whatever it writes is on disk at once."""

    def commit(self, parent: CommitId | None, edits: Edits, *, message: str, author: AgentId, at: datetime) -> CommitId:
        made = super().commit(parent, edits, message=message, author=author, at=at)
        self.keep()
        return made

    def root(self, like: CommitId, *, message: str, author: AgentId, at: datetime) -> CommitId:
        made = super().root(like, message=message, author=author, at=at)
        self.keep()
        return made
