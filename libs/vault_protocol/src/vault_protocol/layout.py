"""Which path means what. The folder is the stage; the file name carries the id and, once submitted, the revision."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from .plain import hidden_or_control
from .task import AgentId, Domain, Stage, Task, TaskId

DASHBOARD = "Dashboard.md"
HANDBOOK = "Company_Handbook.md"
GOALS = "Business_Goals.md"
CALENDAR = "Calendar"
"""The folder of the posts that the owner plans."""
VAULT_CARD = "Vault.json"
"""The vault's id and the public keys, for people; agents trust only the keys they pinned."""

INBOX = "Inbox"
"""The owner's drop folder. It exists in the folder only, never in a commit."""

SUFFIXES = (".md", ".json", ".jsonl")

_NAME = re.compile(r"([a-z2-7]{16})(?:-([a-z0-9]+(?:-[a-z0-9]+)*))?(?:\.r([1-9][0-9]{0,5}))?\.md")
_STAGES = {stage.value: stage for stage in Stage}
_DOMAINS = frozenset(domain.value for domain in Domain)

_MONTH = re.compile(r"[0-9]{4}/(?:0[1-9]|1[0-2])")
_AGENT_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|con(?:in|out)\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)", re.IGNORECASE)
"""https://learn.microsoft.com/windows/win32/fileio/naming-a-file: with any ending, in any folder."""
_PLAIN = r"(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:[/.]|$))[A-Za-z0-9_][A-Za-z0-9_-]*"
_SURE = re.compile(rf"(?:{_PLAIN}/){{0,8}}{_PLAIN}(?:\.r[0-9]{{1,6}})?\.md", re.ASCII)
"""Names in which nothing is that a rule could be about; nearly all are."""
_GIT_LIKE = re.compile(r"(?:\.|%2e|\u2024|\uff0e)git|gi[t0-9a-f][0-9a-f]*~[0-9]", re.IGNORECASE)

PATH_LIMIT = 400
PART_LIMIT = 200
"""Bytes of a path and of one part of it; file systems end at 255, and the mirror adds to a name."""


@dataclass(frozen=True)
class Place:
    """Where a path puts a task. `folder` is what stands between the stage and the file name."""

    stage: Stage
    folder: str
    id: TaskId
    slug: str
    revision: int

    @property
    def owner(self) -> AgentId | None:
        """Who holds it, for In_Progress."""
        return AgentId(self.folder) if self.stage is Stage.IN_PROGRESS else None


def in_calendar(path: str) -> bool:
    """Whether a note here may plan posts."""
    return path.startswith(f"{CALENDAR}/") and path.endswith(".md")


@lru_cache(maxsize=16384)
def place_of(path: str) -> Place | None:
    """The task a path stands for; None when it is no task's place."""
    stage_name, _, rest = path.partition("/")
    folder, _, name = rest.rpartition("/")
    found = _NAME.fullmatch(name)
    stage = _STAGES.get(stage_name)
    if not found or stage is None:
        return None
    if not _folder_fits(stage, folder):
        return None
    return Place(stage, folder, TaskId(found[1]), found[2] or "", int(found[3] or 0))


def task_named(path: str) -> TaskId | None:
    """The id a file name carries, wherever the file lies."""
    found = _NAME.fullmatch(path.rpartition("/")[2])
    return TaskId(found[1]) if found else None


def path_of(task: Task) -> str:
    """The one path of a task."""
    name = str(task.id) + (f"-{task.slug}" if task.slug else "")
    if task.revision and task.stage in REVISED:
        name += f".r{task.revision}"
    folder = _folder_of(task)
    return "/".join(part for part in (task.stage.value, folder, name + ".md") if part)


REVISED = frozenset({Stage.PENDING_APPROVAL, Stage.APPROVED, Stage.REJECTED, Stage.DONE})
"""Stages whose file name carries the revision of the draft that stands in the note."""

BY_MONTH = frozenset({Stage.DONE, Stage.REJECTED})
"""Stages that only grow: one folder a month keeps every write small."""


def month(moment: datetime) -> str:
    """`YYYY/MM`, in UTC like every time in a note."""
    return moment.astimezone(UTC).strftime("%Y/%m")


def name_fault(path: str, *, by_agent: bool) -> str | None:
    """Why no commit may hold this path, or None. Agents are held to plain ASCII names."""
    if len(path) <= PART_LIMIT and _SURE.fullmatch(path):
        return None
    return _fault(path, by_agent=by_agent)


def _fault(path: str, *, by_agent: bool) -> str | None:
    parts = path.split("/")
    sizes = [len(part.encode("utf-8", "surrogatepass")) for part in parts]
    if sum(sizes) + len(parts) - 1 > PATH_LIMIT or max(sizes) > PART_LIMIT or len(parts) > 12:
        return "the path is too long"
    for part in parts:
        if part in ("", ".", "..") or part != part.strip() or part.endswith("."):
            return "a part of the path is empty, dots, or ends in a space or dot"
        if any(c in '\\:*?"<>|\t\n' for c in part) or hidden_or_control(part):
            return "a character in it means something to a file system, or shows as another name"
        if part.startswith("."):
            return "hidden names never sync"
        if _GIT_LIKE.match(part):
            return "a part of it looks like .git to some file system"
        if _DEVICE.match(part):
            return "a part of it is a device to Windows, whatever its ending"
    if any(part.lower().endswith(SUFFIXES) for part in parts[:-1]):
        return "a folder in it is named like a note"
    if not path.endswith(SUFFIXES):
        return f"only {', '.join(SUFFIXES)} sync"
    if by_agent and not _AGENT_PATH.fullmatch(path):
        return "agents write plain ASCII names only"
    return None


def _folder_fits(stage: Stage, folder: str) -> bool:
    if stage in (Stage.NEEDS_ACTION, Stage.PENDING_APPROVAL):
        return folder in _DOMAINS
    if stage is Stage.IN_PROGRESS:
        return re.fullmatch("[a-z][a-z0-9-]{0,30}", folder) is not None
    if stage in BY_MONTH:
        return _MONTH.fullmatch(folder) is not None
    return folder == ""


def _folder_of(task: Task) -> str:
    if task.stage in (Stage.NEEDS_ACTION, Stage.PENDING_APPROVAL):
        return task.domain.value
    if task.stage is Stage.IN_PROGRESS:
        if task.lease is None:
            raise ValueError(f"task {task.id} is in progress without a lease")
        return task.lease.owner
    if task.stage in BY_MONTH:
        if task.finished is None:
            raise ValueError(f"task {task.id} has ended without a time")
        return month(task.finished)
    return ""
