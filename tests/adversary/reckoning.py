"""What an accepted commit of Cloud's may be, read with git's own tools and none of our code."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.adversary.contents import SECRETS
from tests.adversary.ground import Ground
from tests.sim import reading
from vault_protocol.hub import CommitId

MINE = re.compile(
    r"(?:Plans|Signals|Briefings)/[A-Za-z0-9_./-]+\.(?:md|json|jsonl)|(?:Updates|Logs)/cloud-1/[A-Za-z0-9_./-]+\.(?:md|json|jsonl)"
)
"""Where Cloud writes what is no task."""
HIDDEN = re.compile(r"(?:^|/)[.-]|//|/$")


@dataclass(frozen=True)
class File:
    mode: str
    kind: str
    oid: str


def faults(at: Ground, commit: CommitId, *, parent: CommitId) -> list[str]:
    """What a commit by Cloud does that the design forbids."""
    before, after = files(at, parent), files(at, commit)
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    found = [
        f"{path}: {file}"
        for path in changed
        if (file := after.get(path)) and (file.mode, file.kind) != ("100644", "blob")
    ]
    was, now = _tasks(before), _tasks(after)
    found += [f"{id_} stands in {paths}" for id_, paths in now.items() if len(paths) != 1]
    found += [f"{id_} is gone" for id_ in was if id_ not in now]
    for path in changed:
        task = reading.place(path)
        if task is None and not (MINE.fullmatch(path) and not HIDDEN.search(path)):
            found.append(f"{path} is not Cloud's to write")
        content = git(at, "cat-file", "blob", after[path].oid) if path in after else b""
        old = git(at, "cat-file", "blob", before[path].oid) if path in before else b""
        if path.startswith("Logs/") and not content.startswith(old):
            found.append(f"{path} was rewritten")
        found += [f"{path} holds {what}" for what, secret in SECRETS.items() if secret.encode() in content and not old]
    for id_, paths in now.items():
        if paths != was.get(id_) or paths[0] in changed:
            found += _move(at, was.get(id_, [""])[0], paths[0], before, after)
    return found


def _move(at: Ground, old: str, new: str, before: dict[str, File], after: dict[str, File]) -> list[str]:
    def standing(path: str, files: dict[str, File]) -> reading.Standing:
        return reading.standing(path, git(at, "cat-file", "blob", files[path].oid))

    was, now = standing(old, before) if old else None, standing(new, after)
    source = was.stage if was else "(new)"
    whose = reading.rights().get(("cloud", source, now.stage), "—")
    held = was.folder if was and was.stage == "In_Progress" else now.folder
    found = []
    if whose == "—" or (whose == "its own" and held != "cloud-1"):
        found.append(f"{new} from {source} is no move of Cloud's")
    if now.stage == "In_Progress" and now.folder != "cloud-1":
        found.append(f"{new} is in the hands of {now.folder}")
    if now.stage != "Quarantine":
        claims = source == "Needs_Action" and now.stage == "In_Progress"
        submits = source == "In_Progress" and now.stage == "Pending_Approval"
        if now.attempt - (was.attempt if was else 0) != claims:
            found.append(f"{new}: attempt {now.attempt} after {was.attempt if was else 0}")
        if now.revision - (was.revision if was else 0) != submits:
            found.append(f"{new}: revision {now.revision} after {was.revision if was else 0}")
    return found


def _tasks(found: dict[str, File]) -> dict[str, list[str]]:
    tasks: dict[str, list[str]] = {}
    for path in found:
        place = reading.place(path)
        if place is not None:
            tasks.setdefault(place[0], []).append(path)
    return tasks


def files(at: Ground, commit: CommitId) -> dict[str, File]:
    listed = git(at, "ls-tree", "-r", "-z", "--full-tree", commit)
    found = {}
    for line in listed.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        head, _, path = line.partition("\t")
        found[path] = File(*head.split(" "))
    return found


def fsck(at: Ground, commits: Iterable[CommitId], empty: Path) -> None:
    """These commits and all they hold, sent to an empty repository as a push would, where git looks at each object."""
    pack = git(at, "pack-objects", "--revs", "--stdout", said="".join(f"{one}\n" for one in set(commits)))
    subprocess.run(["git", "init", "-q", "--bare", str(empty)], check=True, timeout=60)
    argv = ["git", "--git-dir", str(empty), "index-pack", "--strict", "--stdin"]
    subprocess.run(argv, input=pack, capture_output=True, check=True, timeout=60)


def git(at: Ground, *arguments: str, said: str = "") -> bytes:
    argv = ["git", "--git-dir", str(at.store.path), *arguments]
    return subprocess.run(argv, input=said.encode(), capture_output=True, check=True, timeout=60).stdout
