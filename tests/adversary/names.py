"""Bad names: .git as any file system may read it, hidden names, names that mean something, names that are too much."""

from __future__ import annotations

from collections.abc import Iterator

from tests.adversary.ground import Ground
from tests.adversary.kind import Kind, Make
from vault_protocol.hub import CommitId

LIKE_GIT: tuple[str, ...] = (
    ".git", ".GIT", ".Git", ".gIt", "git~1", "GIT~1", "Git~2", "git~9", "gi7eb8~1", "GI7D29~1",
    ".g\u200cit", ".gi\u200dt", "\u200e.git", ".git\u200f", "\ufeff.git", ".g\u00adit", ".git\u2060", ".\u202egit",
    ".git ", ".git  ", " .git", ".git.", ".git..", ".git . ", ".git::$INDEX_ALLOCATION", ".git:x", ".git\\x",
    "%2egit", "%2EGIT", "\u2024git", "\uff0egit", ".git\x01", "\x7f.git", ".git\t",
)  # fmt: skip
HIDDEN: tuple[str, ...] = (
    ".gitattributes", ".gitmodules", ".gitignore", ".GitModules", ".mailmap", ".obsidian", ".OBSIDIAN", ".trash",
    ".hidden", "..", ".", "...", ".env", ".ssh", ".github", ".stfolder", ".DS_Store",
)  # fmt: skip
MEANT: tuple[str, ...] = (
    "a\\b.md", "..\\..\\x.md", "C:x.md", "C:\\x.md", "\\\\host\\x.md", "x.md:stream", "a*.md", "a?.md", "<a>.md",
    "a|b.md",
    'a".md', "a\tb.md", "a\nb.md", "a\rb.md", "a\x00b.md".replace("\x00", "\x01"), "a\x1bb.md", "a\x7fb.md",
    "a\x85b.md",
    "a\u202eb.md", "a\u2066b.md", "a\u200bb.md", "a\u2028b.md", "a\ufeffb.md", "a.md ", "a.md.", " a.md", "a .",
    "-rf.md", "--upload-pack=x.md", "~.md", "$x.md", "`x`.md", "x;y.md", "x&y.md", "(x).md", "x y.md", "#x.md",
    "[[x]].md",
    "Grüße.md", "Grüße.md".replace("ü", "u\u0308"), "Рlan.md", "计划.md", "\U0001f4b6.md", "x\u0301.md",
    "\U000e0041.md",
)  # fmt: skip
DEVICES: tuple[str, ...] = (
    "nul", "NUL", "con", "aux", "PRN", "com1", "Com0", "LPT9", "nul.tar", "com\u00b9", "nul ", "CONIN$", "conout$",
)  # fmt: skip
TYPES: tuple[str, ...] = (
    "x.env", "x.py", "x.sh", "x.js", "x.html", "x.svg", "x.png", "x.pdf", "x.exe", "x.lnk", "x.url", "x.desktop",
    "x.canvas",
    "x.yaml", "x.yml", "x.toml", "x.md.exe", "x.md.gz", "x.MD", "x.Md", "x.json5", "x.jsonlx", "x", "Makefile",
    "md", "x.md~",
)  # fmt: skip
RAW: dict[str, tuple[bytes, str]] = {
    "a name that is not UTF-8": (b"a\xff.md", "tree"),
    "a name in overlong UTF-8": (b"\xc0\xae\xc0\xae.md", "tree"),
    "a name with a lone surrogate": (b"a\xed\xa0\x80.md", "tree"),
    "a name in UTF-16": ("a.md".encode("utf-16-le").replace(b"\0", b"\x01"), "name"),
    "a name with a slash in it": (b"../../x.md", "tree"),
    "a name with a folder in it": (b"email/plan-a.md", "tree"),
    "a name of nothing": (b"", "tree"),
    "a name of 201 bytes": (b"x" * 198 + b".md", "name"),
    "a name of 256 bytes": (b"x" * 253 + b".md", "name"),
    "a name of 5,000 bytes": (b"x" * 4997 + b".md", "name"),
}


def kinds() -> Iterator[Kind]:
    for name in LIKE_GIT:
        yield Kind(f"a folder named {name!r}", "name", folder(name))
        yield Kind(f"a file named {name!r}", "name", file(name.encode("utf-8", "surrogatepass")))
    for name in HIDDEN:
        yield Kind(f"a folder named {name!r}", "name", folder(name))
        yield Kind(f"a hidden file {name!r} at the top", "name", file(name.encode(), below=b""))
    for name in MEANT:
        yield Kind(f"a note named {name!r}", "name", file(name.encode()))
    for name in DEVICES:
        yield Kind(f"a folder named {name!r}", "name", folder(name))
        yield Kind(f"a note named {name + '.md'!r}", "name", file(f"{name}.md".encode()))
    for name in TYPES:
        yield Kind(f"a file of the type of {name!r}", "name", file(name.encode()))
    for what, (raw, rule) in RAW.items():
        yield Kind(what, rule, _raw(raw))
    yield Kind("a note beside one that differs by case", "name", file(b"Plan-A.md", below=b"Plans/email/"))
    yield Kind("a note in a folder that differs by case", "name", file(b"Email/x.md"))
    yield Kind("two logs that differ by case", "name", _twins(b"Logs/cloud-1/a.jsonl", b"Logs/cloud-1/A.jsonl"))
    yield Kind("two notes at once that differ by case", "name", _twins(b"Plans/new/x.md", b"Plans/new/X.md"))
    yield Kind("two folders at once that differ by case", "name", _twins(b"Plans/new/x.md", b"Plans/New/y.md"))
    yield Kind("its own updates beside themselves", "name", file(b"Recent.md", below=b"Updates/cloud-1/"))
    yield Kind("a path of 404 bytes", "name", file(b"/".join([b"y" * 98] * 4) + b".md"))
    yield Kind("a path of 13 parts", "name", file(b"a/" * 11 + b"x.md"))
    yield Kind("a folder named like a note", "name", file(b"x.md/y.md"))
    yield Kind("a folder named like a log", "name", file(b"X.JSONL/y.md"))
    yield Kind("an agent's update in a hidden folder", "name", file(b".x/y.md", below=b"Updates/cloud-1/"))
    yield Kind("settings of a viewer below its own folder", "name", file(b".obsidian/app.json", below=b"Plans/"))
    yield Kind("a claim into a folder like .git", "name", file(b".git/x.md", below=b"In_Progress/"))


def file(name: bytes, below: bytes = b"Plans/") -> Make:
    return lambda at: at.commit(at.graft({below + name: (b"100644", at.blob())}))


def _twins(*paths: bytes) -> Make:
    return lambda at: at.commit(at.graft({path: (b"100644", at.blob()) for path in paths}))


def folder(name: str) -> Make:
    return file(name.encode("utf-8", "surrogatepass") + b"/config.md")


def _raw(name: bytes) -> Make:
    """A folder that holds one entry of this name; nothing splits it at its slashes."""

    def make(at: Ground) -> CommitId:
        return at.commit(at.graft({b"Plans/raw": (b"40000", at.tree((b"100644", name, at.blob())))}))

    return make
