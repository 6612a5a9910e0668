"""What every test in this repository stands on: no test sees this machine's home, git settings or keys."""

import os
from tempfile import TemporaryDirectory

import pytest

import demo  # noqa: F401 # before pytest takes the folder demo/ for the package of that name

pytest_plugins = ["demo.testing"]


def pytest_configure(config: pytest.Config) -> None:
    home = TemporaryDirectory(prefix="countersign-home-")
    config.add_cleanup(home.cleanup)
    for name in [n for n in os.environ if n.startswith(("GIT_", "SSH_", "XDG_"))]:
        del os.environ[name]
    os.environ.update(
        HOME=home.name,
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    )
