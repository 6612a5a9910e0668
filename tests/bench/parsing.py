"""Reading every note of a vault: what a cold start costs."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.bench import vaults
from tests.bench.rows import Row, interleaved, milliseconds
from vault_protocol import notes

NOTES = 10_000


def parse(folder: Path, *, quick: bool = False) -> Row:
    """Files into tasks, against PyYAML on their front matter alone; the floor is to read the bytes."""
    size = 200 if quick else NOTES
    for name, content in vaults.contents(size):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    paths = [str(path.relative_to(folder)) for path in folder.rglob("*.md")]
    assert len(paths) == size

    def ours() -> None:
        for path in paths:
            notes.read(path, (folder / path).read_bytes())

    def floor() -> None:
        for path in paths:
            (folder / path).read_bytes()

    def pyyaml(loader: type[yaml.SafeLoader | yaml.CSafeLoader]) -> None:
        for path in paths:
            text = (folder / path).read_text(encoding="utf-8")
            assert yaml.load(text[4 : text.index("\n---\n", 3)], Loader=loader)  # noqa: S506 - both are safe loaders

    found = interleaved(
        {
            "ours": lambda: milliseconds(ours), "floor": lambda: milliseconds(floor),
            "pyyaml_safe_load": lambda: milliseconds(lambda: pyyaml(yaml.SafeLoader)),
            "pyyaml_c_safe_load": lambda: milliseconds(lambda: pyyaml(yaml.CSafeLoader)),
        },
        1 if quick else 5, fewer={"pyyaml_safe_load": 1},
    )  # fmt: skip
    peers = {name: found[name] for name in ("pyyaml_safe_load", "pyyaml_c_safe_load")}
    return Row("parse_10000_notes", "ms", found["ours"], found["floor"], peers)
