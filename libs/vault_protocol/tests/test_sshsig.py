import random
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from libs.vault_protocol.tests import fido, made
from libs.vault_protocol.tests.fido import TOUCHED, VERIFIED, string

from vault_protocol import approval, keys, sshsig
from vault_protocol.errors import VaultError
from vault_protocol.sshsig import BadSignature, PublicKey

SPACE = approval.NAMESPACE
MESSAGE = b"countersign approval v1\n{}"
KEY = made.key(11)
PUBLIC = PublicKey.of(KEY)
VECTORS = Path(__file__).parent / "vectors"
"""A throwaway key's public half, and what `ssh-keygen -Y sign` (OpenSSH 9.2) made with it."""


def vector(name: str) -> tuple[bytes, str]:
    return (VECTORS / f"{name}.message").read_bytes(), (VECTORS / f"{name}.sig").read_text()


@pytest.mark.parametrize("name", ["approval", "empty", "bytes", "approval-sha256"])
def test_a_signature_of_the_real_ssh_keygen_verifies(name: str) -> None:
    message, armored = vector(name)

    sshsig.verify(keys.load_public(VECTORS / "key.pub"), message, armored, namespace=SPACE)


def test_a_signature_of_the_real_ssh_keygen_for_another_purpose_does_not() -> None:
    message, armored = vector("other-namespace")

    with pytest.raises(BadSignature, match="made for 'file'"):
        sshsig.verify(keys.load_public(VECTORS / "key.pub"), message, armored, namespace=SPACE)


def test_our_own_signature_verifies() -> None:
    sshsig.verify(PUBLIC, MESSAGE, sshsig.sign(KEY, MESSAGE, namespace=SPACE), namespace=SPACE)


@pytest.mark.prove
def test_the_real_ssh_keygen_verifies_our_signature(tmp_path: Path) -> None:
    (tmp_path / "signers").write_text(f"owner {PUBLIC.line()}\n")
    (tmp_path / "sig").write_text(sshsig.sign(KEY, MESSAGE, namespace=SPACE))
    argv = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "owner", "-n", SPACE, "-s", "sig"]

    good = subprocess.run(argv, cwd=tmp_path, input=MESSAGE, capture_output=True, timeout=30, check=False)
    other = subprocess.run(argv, cwd=tmp_path, input=MESSAGE + b" ", capture_output=True, timeout=30, check=False)

    assert good.returncode == 0, good.stderr
    assert b"Good" in good.stdout
    assert other.returncode != 0


@pytest.mark.prove
def test_the_real_ssh_keygen_signs_with_a_key_we_saved(tmp_path: Path) -> None:
    public = keys.save(KEY, tmp_path / "key", comment="throwaway")
    argv = ["ssh-keygen", "-Y", "sign", "-f", "key", "-n", SPACE]

    signed = subprocess.run(argv, cwd=tmp_path, input=MESSAGE, capture_output=True, timeout=30, check=True)

    sshsig.verify(public, MESSAGE, signed.stdout.decode(), namespace=SPACE)


@pytest.mark.parametrize(
    ("key", "message", "namespace", "reason"),
    [
        (PUBLIC, MESSAGE, "changeset@countersign", "made for 'approval@countersign'"),
        (PUBLIC, MESSAGE + b" ", SPACE, "does not fit these bytes"),
        (PUBLIC, b"", SPACE, "does not fit these bytes"),
        (PublicKey.of(made.key(12)), MESSAGE, SPACE, "made with another key"),
        (PublicKey(PUBLIC.raw, b"ssh:"), MESSAGE, SPACE, "made with another key"),
    ],
)
def test_another_namespace_message_or_key_is_refused(
    key: PublicKey, message: bytes, namespace: str, reason: str
) -> None:
    armored = sshsig.sign(KEY, MESSAGE, namespace=SPACE)

    with pytest.raises(BadSignature, match=reason):
        sshsig.verify(key, message, armored, namespace=namespace)


def blob_of(armored: str) -> bytes:
    return b64decode("".join(armored.splitlines()[1:-1]))


def armor(blob: bytes) -> str:
    return f"-----BEGIN SSH SIGNATURE-----\n{b64encode(blob).decode()}\n-----END SSH SIGNATURE-----\n"


def test_a_flipped_bit_anywhere_makes_a_bad_signature() -> None:
    blob = blob_of(sshsig.sign(KEY, MESSAGE, namespace=SPACE))
    sshsig.verify(PUBLIC, MESSAGE, armor(blob), namespace=SPACE)

    for bit in range(len(blob) * 8):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadSignature):
            sshsig.verify(PUBLIC, MESSAGE, armor(bytes(flipped)), namespace=SPACE)


def test_a_signature_cut_at_any_byte_is_a_bad_signature() -> None:
    armored = sshsig.sign(KEY, MESSAGE, namespace=SPACE)
    blob = blob_of(armored)

    for cut in [*(armor(blob[:n]) for n in range(len(blob))), *(armored[:n] for n in range(len(armored) - 1))]:
        with pytest.raises(BadSignature):
            sshsig.verify(PUBLIC, MESSAGE, cut, namespace=SPACE)


def test_random_bytes_are_a_bad_signature_and_never_another_error() -> None:
    dice = random.Random(7)

    for _ in range(500):
        blob = b"SSHSIG\0\0\0\1" + dice.randbytes(dice.randrange(120))
        with pytest.raises(BadSignature):
            sshsig.verify(PUBLIC, MESSAGE, armor(blob), namespace=SPACE)


@pytest.mark.parametrize("armored", ["", "x", "\ud800", armor(b"").replace("\n\n", "\né\n"), armor(b"SSHSIG" * 2000)])
def test_what_is_no_armor_is_a_bad_signature(armored: str) -> None:
    with pytest.raises(BadSignature, match="not an SSH signature"):
        sshsig.verify(PUBLIC, MESSAGE, armored, namespace=SPACE)


FIDO = fido.public_of(KEY)


def fido_signature(*, flags: int = TOUCHED, application: bytes = fido.APPLICATION, claimed: PublicKey = FIDO) -> str:
    return fido.signature(KEY, MESSAGE, SPACE, flags=flags, application=application, claimed=claimed)


@pytest.mark.parametrize("flags", [TOUCHED, TOUCHED | VERIFIED])
def test_a_touched_fido_key_signs(flags: int) -> None:
    sshsig.verify(FIDO, MESSAGE, fido_signature(flags=flags), namespace=SPACE)


@pytest.mark.parametrize("flags", [0, VERIFIED])
def test_a_fido_signature_without_a_touch_is_refused(flags: int) -> None:
    with pytest.raises(BadSignature, match="was not touched"):
        sshsig.verify(FIDO, MESSAGE, fido_signature(flags=flags), namespace=SPACE)


def test_a_fido_signature_for_another_application_is_refused() -> None:
    with pytest.raises(BadSignature, match="does not fit"):
        sshsig.verify(FIDO, MESSAGE, fido_signature(application=b"ssh:other"), namespace=SPACE)
    other = PublicKey(PUBLIC.raw, b"ssh:other")
    with pytest.raises(BadSignature, match="made with another key"):
        sshsig.verify(FIDO, MESSAGE, fido_signature(application=b"ssh:other", claimed=other), namespace=SPACE)


def test_a_key_file_does_not_stand_in_for_a_fido_key_nor_the_other_way_round() -> None:
    with pytest.raises(BadSignature, match="made with another key"):
        sshsig.verify(FIDO, MESSAGE, sshsig.sign(KEY, MESSAGE, namespace=SPACE), namespace=SPACE)
    plain = string(b"ssh-ed25519") + blob_of(sshsig.sign(KEY, MESSAGE, namespace=SPACE))[-68:]
    with pytest.raises(BadSignature, match="not a FIDO signature"):
        sshsig.verify(FIDO, MESSAGE, sshsig.armor(FIDO, plain, SPACE), namespace=SPACE)
    with pytest.raises(BadSignature, match="not an Ed25519 signature"):
        sshsig.verify(PUBLIC, MESSAGE, fido_signature(claimed=PUBLIC), namespace=SPACE)


def test_a_flipped_bit_in_a_fido_signature_makes_it_bad() -> None:
    blob = blob_of(fido_signature())

    for bit in range(0, len(blob) * 8, 3):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadSignature):
            sshsig.verify(FIDO, MESSAGE, armor(bytes(flipped)), namespace=SPACE)


@pytest.mark.parametrize("key", [PUBLIC, FIDO, PublicKey(PUBLIC.raw, b"ssh:countersign")])
def test_a_public_key_is_read_back_from_its_line(key: PublicKey) -> None:
    assert PublicKey.parse(key.line("a comment")) == key


@pytest.mark.parametrize(
    "line",
    ["", "ssh-ed25519", "ssh-rsa AAAA", "ssh-ed25519 AAAA", "ssh-ed25519 ====", "ssh-ed25519 é",
     f"ssh-ed25519 {b64encode(PUBLIC.blob[:-1]).decode()}", f"ssh-ed25519 {b64encode(PUBLIC.blob + b'x').decode()}",
     f"ssh-ed25519 {b64encode(FIDO.blob).decode()}", f"sk-ssh-ed25519@openssh.com {b64encode(PUBLIC.blob).decode()}"],
)  # fmt: skip
def test_a_line_that_is_no_ed25519_key_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        PublicKey.parse(line)


def test_a_saved_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    path = tmp_path / "private" / "key"
    keys.save(KEY, path, comment="owner", passphrase="right")

    assert PublicKey.of(keys.load(path, "right")) == PUBLIC == keys.load_public(path.with_name("key.pub"))
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(keys.KeyLocked):
        keys.load(path)
    with pytest.raises(keys.WrongPassphrase):
        keys.load(path, "wrong")
    with pytest.raises(VaultError, match="never overwritten"):
        keys.save(made.key(12), path, comment="thief")


def test_a_key_without_a_passphrase_opens_whatever_one_says(tmp_path: Path) -> None:
    keys.save(KEY, tmp_path / "key", comment="agent")

    assert PublicKey.of(keys.load(tmp_path / "key", "not needed")) == PUBLIC


def test_what_is_no_key_is_an_expected_error(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("not a key")

    for path in (tmp_path / "key", tmp_path / "missing"):
        with pytest.raises(VaultError):
            keys.load(path)
        with pytest.raises(VaultError):
            keys.load_public(path)
