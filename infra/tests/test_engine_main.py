"""The program's own beginning under the real engine: settings from the stack's file, a secret that Pulumi encrypted."""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import threading
from pathlib import Path

import engines
import provider
import pytest
import yaml
from pulumi import automation
from stacks import INFRA, example

from infra import configure
from infra.__main__ import main

pytestmark = pytest.mark.engine


def test_a_stacks_file_with_an_encrypted_secret_is_previewed_and_made(
    cli: automation.PulumiCommand, tmp_path: Path
) -> None:
    file, world = tmp_path / "Pulumi.prod.yaml", provider.World()
    configure.write(file, example("prod"))
    with provider.serving(world) as port:
        stack = engines.stack(main, cli=cli, folder=tmp_path, port=port)
        with pytest.raises(automation.CommandError, match="--secret countersign:secret-cloud-business"):
            stack.preview(color="never")
        stack.set_config("countersign:secret-cloud-business", automation.ConfigValue("opens-the-box", secret=True))
        planned = stack.preview(color="never").change_summary
        stack.up(color="never")

    text = file.read_text(encoding="utf-8")
    assert "secure:" in text
    assert yaml.safe_load(text)["config"][configure.KEY] == example("prod"), "Pulumi left the settings as they were"
    assert {str(op): n for op, n in planned.items()} == {"create": len(world.names("created")) + _components(stack)}
    assert stack.outputs()["hub"].value == "https://hub.office.office.test"
    kept = "".join(one.read_text() for one in (tmp_path / "state").rglob("*.json"))
    assert "countersign-prod" in kept
    assert "opens-the-box" not in text + kept


def _components(stack: automation.Stack) -> int:
    """What the engine counts and no provider makes: the stack, components."""
    found = (stack.export_stack().deployment or {})["resources"]
    return len([one for one in found if not one.get("custom")])


def test_the_address_of_a_state_in_a_bucket_that_the_page_names_is_taken_as_path_and_region(
    cli: automation.PulumiCommand, tmp_path: Path
) -> None:
    """Asked of a server that has nothing: what matters is the question."""
    asked: list[tuple[str, str]] = []

    class Bucket(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization", "")))
            self.send_error(403)

        do_HEAD = do_PUT = do_GET  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    page = (INFRA.parent / "docs" / "infra.md").read_text(encoding="utf-8")
    (url,) = re.findall(r"pulumi login '(s3://[^']+)'", page)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}"
        url = url.replace("https://NAMESPACE.compat.objectstorage.REGION.oraclecloud.com", here)
        url = url.replace("REGION", "eu-frankfurt-1").replace("BUCKET", "states")
        done = subprocess.run(
            [cli.command, "login", url],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "AWS_ACCESS_KEY_ID": "half-one",
                "AWS_SECRET_ACCESS_KEY": "half-two",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        server.shutdown()
    assert asked, done.stderr
    assert {path.split("?")[0].split("/")[1] for path, _ in asked} == {"states"}
    for _, signed in asked:
        assert re.search(r"Credential=half-one/\d+/eu-frankfurt-1/s3/", signed), signed
