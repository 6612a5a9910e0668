"""What is read from a secret's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault_protocol.errors import VaultError
from vault_protocol.files import secret_line


@pytest.mark.parametrize("content", ["", "two\nlines\n"])
def test_a_secrets_file_holds_one_line_and_an_error_says_nothing_of_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content, encoding="utf-8")
    with pytest.raises(VaultError, match="one line is wanted") as caught:
        secret_line(tmp_path / "secret")
    assert "two" not in str(caught.value)


def test_a_secrets_line_is_read_without_its_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    assert secret_line(tmp_path / "secret") == "s3cret"


def test_a_secret_that_cannot_be_read_names_its_file_alone(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    with pytest.raises(VaultError, match=r"secret: cannot be read \(UnicodeDecodeError\)$"):
        secret_line(tmp_path / "secret")
