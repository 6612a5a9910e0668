"""Skills and settings: what is wrong with one is said, and nothing is guessed."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from drafting.offline import OfflineDrafter
from drafting.ruled import Ruled
from drafting.settings import DrafterSettings, build
from drafting.skill import MalformedSkill, load

SKILLS = Path(__file__).parents[3] / "skills"


@pytest.mark.parametrize("name", ["triage-mail", "draft-reply"])
def test_the_shipped_skills_load(name: str) -> None:
    skill = load(SKILLS, name)
    assert skill.name == name
    assert "never" in skill.description.lower()
    assert skill.body.startswith("# ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"---\nname: other\ndescription: d\n---\nbody\n", "its name is 'other', its folder is 'mine'"),
        (b"# no front matter\n", "it does not start with front matter"),
        (b"---\nname: mine\ndescription: d\n", "it does not start with front matter"),
        (b"---\nname: mine\n---\nbody\n", "description: Field required"),
        (b"---\nname: mine\ndescription: ''\n---\nbody\n", "description: String should have at least 1 character"),
        (b"---\nname: mine\ndescription: d\ntools: [mail]\n---\nbody\n", "tools: Extra inputs are not permitted"),
        (b"---\nname: [mine\n---\nbody\n", "its front matter is not YAML"),
        (b"---\n- mine\n---\nbody\n", "front matter: Input should be a valid dictionary"),
        (b"---\nname: mine\ndescription: d\n---\n\n", "it has front matter and no instructions"),
        (b"---\nname: mine\ndescription: \xff\n---\nbody\n", "not UTF-8 at byte 28"),
        (b"x" * 70_000, "it has 70000 bytes"),
    ],
)
def test_a_malformed_skill_says_which_and_why(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "mine" / "SKILL.md"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(MalformedSkill) as caught:
        load(tmp_path, "mine")
    assert caught.value.path == path
    assert caught.value.reason.startswith(reason)


def test_a_missing_skill_says_which(tmp_path: Path) -> None:
    with pytest.raises(MalformedSkill, match="cannot be read"):
        load(tmp_path, "mine")


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "anthropic", "model": "m"},
        {"provider": "anthropic", "api_key_file": "k"},
        {"provider": "openai", "model": "m"},
        {"provider": "offline", "model": "m"},
        {"provider": "openai", "model": "m", "base_url": "ollama:11434"},
        {"provider": "openai", "model": "m", "base_url": "http://user:secret@host/v1"},
        {"provider": "other"},
        {"provider": "openai", "model": "m", "api_key_file": "k", "api_key": "sk-1"},
        {"timeout_seconds": 0},
    ],
)
def test_settings_that_do_not_fit_together_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DrafterSettings.model_validate(wrong)


def test_the_default_is_offline_and_needs_no_skill() -> None:
    built = build(DrafterSettings(), Path("nowhere"))
    assert isinstance(built, Ruled)
    assert isinstance(built._drafter, OfflineDrafter)


def test_a_missing_key_file_stops_the_start(tmp_path: Path) -> None:
    settings = DrafterSettings(provider="anthropic", model="m", api_key_file=tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        build(settings, SKILLS)


def test_the_offline_drafter_imports_no_model_library_and_no_http_client() -> None:
    code = (
        "import sys; from pathlib import Path; from drafting.settings import DrafterSettings, build;"
        "build(DrafterSettings(), Path('x'));"
        "print([m for m in ('pydantic_ai','anthropic','openai','httpx','httpx2','asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
