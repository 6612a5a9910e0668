"""What the tests of the drafters have at hand: a model server, and letters to show them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from libs.drafting.tests.model_server import ModelServer, Reply, served

from drafting import Drafter, Letter
from drafting.settings import DrafterSettings, build

SKILLS = Path(__file__).parents[3] / "skills"


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    with served() as said:
        yield said


@pytest.fixture
def says() -> type[Reply]:
    """How a test tells the server what to do; importlib mode has no `from conftest import`."""
    return Reply


class Builder(Protocol):
    def __call__(self, provider: str, **changes: Any) -> Drafter: ...


@pytest.fixture
def drafter(model_server: ModelServer, tmp_path: Path) -> Builder:
    key = tmp_path / "key"
    key.write_text("sk-loopback\n", encoding="utf-8")

    def made(provider: str, **changes: Any) -> Drafter:
        model, path = ("claude-sonnet-5-5", "") if provider == "anthropic" else ("qwen3:8b", "/v1")
        chosen = {
            "provider": provider, "model": model, "base_url": model_server.url + path, "api_key_file": key,
            "timeout_seconds": 20, **changes,
        }  # fmt: skip
        ledger = chosen.pop("ledger", None)
        return build(DrafterSettings.model_validate(chosen), SKILLS, ledger=ledger)

    return made


class Writer(Protocol):
    def __call__(self, text: str = ..., **changes: Any) -> Letter: ...


@pytest.fixture
def letter() -> Writer:
    def written(text: str = "Could you send the plan?", **changes: Any) -> Letter:
        fields = {
            "sender_name": "Petra Lang", "sender_address": "petra@lang.example", "to_account": "business",
            "account_name": "Sam Rivers", "subject": "The plan", "text": text, **changes,
        }  # fmt: skip
        return Letter(**fields)

    return written
