"""Agent Skills: a folder with a SKILL.md, which is YAML front matter and then Markdown for the model."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

LARGEST = 64 * 1024


class MalformedSkill(Exception):
    """A SKILL.md that cannot be used: which one and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class _Front(BaseModel):
    """The keys of the open format."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
    description: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1024)]
    license: str | None = None
    compatibility: Annotated[str, StringConstraints(max_length=500)] | None = None
    metadata: dict[str, str] | None = None
    allowed_tools: Annotated[str | None, Field(alias="allowed-tools")] = None
    """Tools that need no asking, with spaces between; for other clients. Our drafters have none at all."""


@dataclass(frozen=True, slots=True)
class Skill:
    """`body` is what the model is told."""

    name: str
    description: str
    body: str


def load(skills_dir: Path, name: str) -> Skill:
    """Read `<skills_dir>/<name>/SKILL.md`; raises MalformedSkill."""
    path = skills_dir / name / "SKILL.md"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MalformedSkill(path, f"it cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise MalformedSkill(path, f"it has {len(content)} bytes, more than {LARGEST}")
    try:
        text = content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise MalformedSkill(path, f"not UTF-8 at byte {error.start}") from None
    parts = re.fullmatch(r"---\n(.*?)\n---(?:\n(.*))?", text, re.S)
    if parts is None:
        raise MalformedSkill(path, "it does not start with front matter between two `---` lines")
    try:
        front = _Front.model_validate(yaml.safe_load(parts.group(1)))
    except yaml.YAMLError:
        raise MalformedSkill(path, "its front matter is not YAML") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "front matter"
        raise MalformedSkill(path, f"{where}: {first['msg']}") from None
    if front.name != name:
        raise MalformedSkill(path, f"its name is '{front.name}', its folder is '{name}'")
    body = (parts.group(2) or "").strip()
    if not body:
        raise MalformedSkill(path, "it has front matter and no instructions")
    return Skill(front.name, front.description, body + "\n")
