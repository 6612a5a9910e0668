"""Commits as libgit2 writes them: what our own trees and commits are held against."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType

from vault_protocol.errors import Refused
from vault_protocol.hub import CommitId, Edits
from vault_protocol.store import nested
from vault_protocol.task import AgentId


class Libgit2:
    """A bare repository that libgit2 alone writes to."""

    def __init__(self, path: Path) -> None:
        self._repo = pygit2.init_repository(str(path), bare=True)

    def commit(self, parent: CommitId | None, edits: Edits, *, message: str, author: AgentId, at: datetime) -> CommitId:
        top = self._repo[parent].peel(pygit2.Commit).tree_id if parent else None
        tree = self._edit(top, nested(edits)) or self._repo.TreeBuilder().write()
        who = pygit2.Signature(author, f"{author}@countersign.invalid", int(at.timestamp()), 0)
        parents = [pygit2.Oid(hex=parent)] if parent else []
        return CommitId(str(self._repo.create_commit(None, who, who, message, tree, parents)))

    def _edit(self, tree: pygit2.Oid | None, edits: dict[str, object]) -> pygit2.Oid | None:
        builder = self._repo.TreeBuilder(str(tree)) if tree is not None else self._repo.TreeBuilder()
        for name, edit in edits.items():
            there: pygit2.Object | None = builder.get(name)
            is_folder = there is not None and there.type == ObjectType.TREE
            if there is not None and edit is not None and is_folder != isinstance(edit, dict):
                raise Refused("path", name, "a folder and a file cannot have the same name")
            if isinstance(edit, dict):
                changed = self._edit(there.id if there is not None else None, edit)
                if changed is not None:
                    builder.insert(name, changed, FileMode.TREE)
                elif there is not None:
                    builder.remove(name)
            elif edit is None:
                if there is not None and not is_folder:
                    builder.remove(name)
            else:
                assert isinstance(edit, bytes)
                builder.insert(name, self._repo.create_blob(edit), FileMode.BLOB)
        return builder.write() if len(builder) else None
