"""Signers: locked until unlocked, locked again by either clock, and silent about what they know."""

from __future__ import annotations

import os
import subprocess
import traceback
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from services.local_agent.tests.keyrings import MemoryKeyring, keyring_of

from local_agent import signers
from local_agent.home import Home, Settings
from local_agent.os_keyring import KeyringUnavailable
from local_agent.signers import OpenSigner, PassphraseSigner, SshKeygenSigner, signer
from vault_protocol import keys, sshsig
from vault_protocol.approval import NAMESPACE
from vault_protocol.errors import VaultError
from vault_protocol.keys import KeyLocked, WrongPassphrase
from vault_protocol.sshsig import PublicKey
from vault_protocol.testing import TestClock

PASSPHRASE = "correct horse battery"
MESSAGE = b"countersign approval v1\n{}"


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def made(tmp_path: Path, clock: TestClock) -> PassphraseSigner:
    keys.save(keys.new(), tmp_path / "approval", comment="", passphrase=PASSPHRASE)
    return PassphraseSigner(tmp_path / "approval", clock)


def holds(public: PublicKey, signature: str) -> None:
    sshsig.verify(public, MESSAGE, signature, namespace=NAMESPACE)


def test_it_signs_while_it_is_unlocked_and_not_before(made: PassphraseSigner, tmp_path: Path, clock: TestClock) -> None:
    with pytest.raises(KeyLocked):
        made.sign(MESSAGE)
    assert made.until() is None
    assert made.unlock(PASSPHRASE, 10) == clock.now() + timedelta(minutes=10)
    holds(keys.load_public(tmp_path / "approval.pub"), made.sign(MESSAGE))
    made.lock()
    with pytest.raises(KeyLocked):
        made.sign(MESSAGE)


def test_its_time_is_up_by_the_wall_clock(made: PassphraseSigner, clock: TestClock) -> None:
    made.unlock(PASSPHRASE, 10)
    clock.jump(timedelta(minutes=9, seconds=59))
    made.sign(MESSAGE)
    clock.jump(timedelta(seconds=1))
    with pytest.raises(KeyLocked):
        made.sign(MESSAGE)


def test_a_wall_clock_set_back_does_not_keep_it_open(made: PassphraseSigner, clock: TestClock) -> None:
    made.unlock(PASSPHRASE, 10)
    clock.jump(timedelta(days=-1))
    clock.tick(timedelta(minutes=10))
    assert made.until() is None
    clock.jump(timedelta(days=-1))
    with pytest.raises(KeyLocked):
        made.sign(MESSAGE)


def test_a_wrong_passphrase_opens_nothing_and_appears_nowhere(made: PassphraseSigner) -> None:
    made.unlock(PASSPHRASE, 10)
    for wrong in ("wrong horse", None):
        try:
            made.unlock(wrong, 10)
        except (WrongPassphrase, KeyLocked) as error:
            told = "".join(traceback.format_exception(error, chain=True))
            assert "wrong horse" not in told
        else:
            pytest.fail("it opened")
    assert PASSPHRASE not in repr(made) + repr(vars(made))


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    ring = MemoryKeyring()
    with keyring_of(ring):
        yield ring


def home_of(tmp_path: Path, protection: str) -> tuple[Home, Settings]:
    settings = Settings.model_validate(
        {"vault": "v", "hub": "h", "folder": "/f", "owner": "o", "key_protection": protection}
    )
    return Home(tmp_path), settings


def test_the_keyring_opens_the_key_without_asking(tmp_path: Path, ring: MemoryKeyring) -> None:
    home, settings = home_of(tmp_path, "keyring")
    public = keys.save(keys.new(), home.approval_key, comment="", passphrase=PASSPHRASE)
    found = signer(home, settings)
    with pytest.raises(KeyringUnavailable, match="has no passphrase"):
        found.unlock(None, 5)
    signers.remember(public, PASSPHRASE)
    found.unlock(None, 5)
    holds(public, found.sign(MESSAGE))
    assert list(ring.kept) == [("countersign", public.line())]


def test_without_a_keyring_it_is_said_what_to_do(tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, "keyring")
    public = keys.save(keys.new(), home.approval_key, comment="", passphrase=PASSPHRASE)
    with pytest.raises(KeyringUnavailable, match="--key-protection"):
        signer(home, settings).unlock(None, 5)
    with pytest.raises(KeyringUnavailable) as told:
        signers.remember(public, PASSPHRASE)
    assert PASSPHRASE not in "".join(traceback.format_exception(told.value))


def test_an_unencrypted_key_always_signs(tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, "none")
    public = keys.save(keys.new(), home.approval_key, comment="")
    found = signer(home, settings)
    assert isinstance(found, OpenSigner)
    holds(public, found.sign(MESSAGE))
    with pytest.raises(VaultError, match="cannot be locked"):
        found.lock()


def program(folder: Path, script: str) -> None:
    """A stand-in for OpenSSH's program."""
    (folder / "bin").mkdir()
    file = folder / "bin" / "ssh-keygen"
    file.write_text("#!/bin/sh\n" + script, encoding="utf-8")
    file.chmod(0o700)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exec sleep 30\n", "was not touched for"),
        ("echo device not found >&2; exit 1\n", "device not found"),
        ("echo nonsense\n", "did not sign with the approval key"),
    ],
)
def test_a_token_that_does_not_sign_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, says: str
) -> None:
    program(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(VaultError, match=says):
        SshKeygenSigner(tmp_path / "key", PublicKey.of(keys.new()), seconds=0.3).sign(MESSAGE)


def test_the_token_program_gets_the_message_by_stdin_and_little_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, f'env > "{tmp_path}/env"; echo "$@" > "{tmp_path}/argv"; cat > "{tmp_path}/stdin"; exit 1\n')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    with pytest.raises(KeyLocked):
        SshKeygenSigner(tmp_path / "key.pub", PublicKey.of(keys.new())).sign(MESSAGE)
    assert (tmp_path / "stdin").read_bytes() == MESSAGE
    assert (tmp_path / "argv").read_text().split() == ["-Y", "sign", "-f", str(tmp_path / "key.pub"), "-n", NAMESPACE]
    assert "hunter2" not in (tmp_path / "env").read_text()


def test_without_openssh_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VaultError, match="not installed"):
        SshKeygenSigner(tmp_path / "key", PublicKey.of(keys.new())).sign(MESSAGE)


@pytest.mark.prove
def test_a_key_in_ssh_agent_signs_what_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, settings = home_of(tmp_path, "fido")
    public = keys.save(keys.new(), tmp_path / "elsewhere", comment="")
    home.approval_key.parent.mkdir()
    (tmp_path / "keys" / "approval.pub").write_bytes((tmp_path / "elsewhere.pub").read_bytes())
    socket = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL) as agent:
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
            added = ["sh", "-c", f"until test -S {socket}; do :; done; exec ssh-add -q {tmp_path / 'elsewhere'}"]
            subprocess.run(added, check=True, timeout=30)
            holds(public, signer(home, settings).sign(MESSAGE))
        finally:
            agent.terminate()
    with pytest.raises(KeyLocked):
        signer(home, settings).sign(MESSAGE)
