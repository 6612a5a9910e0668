"""What every test in this repository stands on: no test sees this machine's home, git settings or keys."""

import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

import demo  # noqa: F401 # before pytest takes the folder demo/ for the package of that name

pytest_plugins = ["demo.testing"]

MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own below it
"""Where fsync costs nothing; a killed process leaves there what it would leave on a disk."""

ENOUGH = 8 << 30
"""Bytes free in it from which the tests' folders are made there."""


settings.register_profile("untimed", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a job in the background has it, and its children
        signal.signal(signal.SIGINT, signal.default_int_handler)
    home = TemporaryDirectory(prefix="countersign-home-")
    config.add_cleanup(home.cleanup)
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ and _is_roomy(MEMORY):
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)
    for name in [n for n in os.environ if n.startswith(("GIT_", "SSH_", "XDG_"))]:
        del os.environ[name]
    os.environ.update(
        HOME=home.name,
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    )


def _is_roomy(folder: Path) -> bool:
    """Whether so much can be written there, and programs be started from there."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return not found.f_flag & os.ST_NOEXEC and found.f_bavail * found.f_frsize >= ENOUGH
