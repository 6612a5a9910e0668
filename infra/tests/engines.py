"""A stack of the real engine, with a state on disk under a passphrase, and a program that runs in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pulumi import automation

from infra import conventions


def stack(program: Callable[[], None], *, cli: automation.PulumiCommand, folder: Path, port: int) -> automation.Stack:
    """Called prod; its file is `Pulumi.prod.yaml` in the folder, its state in `state`. Oracle answers at the port."""
    (folder / "state").mkdir()
    workspace = automation.LocalWorkspace(
        project_settings=automation.ProjectSettings(
            name=conventions.PROJECT,
            runtime="python",
            backend=automation.ProjectBackend(url=f"file://{folder}/state"),
        ),
        program=program,
        pulumi_home=str(folder / "home"),
        env_vars={
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase of the test",
            "PULUMI_DEBUG_PROVIDERS": f"oci:{port}",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
        pulumi_command=cli,
        work_dir=str(folder),
    )
    return automation.Stack.create("prod", workspace)
