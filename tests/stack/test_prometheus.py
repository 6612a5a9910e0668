"""What Prometheus itself says of the files that ship: its checker reads them, and its engine evaluates the rules."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from services.monitor.tests.wishing import WANTED

from demo.processes import eventually
from monitor.dashboard import queries
from monitor.failures import read
from monitor.wanted import Keyword
from tests.stack.books import free_port
from tools.workspace import ROOT

pytestmark = pytest.mark.stack

SHIPPED = ROOT / "services" / "monitor" / "prometheus"


def promtool(*words: str, folder: Path = SHIPPED, code: int = 0) -> str:
    done = subprocess.run(
        ["promtool", *words], cwd=folder,
        stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def installed(folder: Path) -> Path:
    """The files as a container has them, with the password where a test can put one."""
    for name in ("prometheus.yaml", "rules.yaml", "rules_test.yaml"):
        shutil.copy(SHIPPED / name, folder)
    (folder / "password").write_text("a password\n", encoding="utf-8")
    config = folder / "prometheus.yaml"
    text = config.read_text(encoding="utf-8")
    assert "/run/secrets/kuma_password" in text
    config.write_text(text.replace("/run/secrets/kuma_password", str(folder / "password")), encoding="utf-8")
    return folder


def test_each_rule_is_raised_by_its_samples_in_prometheus_itself() -> None:
    assert "SUCCESS" in promtool("test", "rules", "rules_test.yaml")


def test_a_rule_with_another_bound_is_noticed_by_its_samples(tmp_path: Path) -> None:
    folder = installed(tmp_path)
    rules = (folder / "rules.yaml").read_text(encoding="utf-8")
    assert "countersign_monitor_certificate_life_left < 0.1667" in rules
    (folder / "rules.yaml").write_text(rules.replace("life_left < 0.1667", "life_left < 0.1"), encoding="utf-8")
    assert "CertificateOld" in promtool("test", "rules", "rules_test.yaml", folder=folder, code=1)


def test_prometheus_reads_its_settings_and_rules(tmp_path: Path) -> None:
    folder = installed(tmp_path)
    assert "SUCCESS" in promtool("check", "rules", "rules.yaml")
    assert "is valid prometheus config" in promtool("check", "config", "prometheus.yaml", folder=folder)
    (folder / "rules.yaml").write_text("groups: [{name: x, rules: [{alert: A, expr: 'up <'}]}]", encoding="utf-8")
    assert "FAILED" in promtool("check", "config", "prometheus.yaml", folder=folder, code=1)


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """The real one with the shipped settings; its address. None of its targets is there."""
    port = free_port()
    argv = [
        "prometheus", "--config.file=prometheus.yaml", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip
    with subprocess.Popen(argv, cwd=installed(folder), stdin=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: _is_ready(address), "Prometheus is ready", seconds=120)
            yield address
        finally:
            process.terminate()


def asked(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def _is_ready(address: str) -> bool:
    try:
        return asked(f"{address}/-/ready") != ""
    except OSError:
        return False


def test_prometheus_has_every_rule_answers_the_dashboard_and_says_what_kuma_looks_for(tmp_path: Path) -> None:
    [rules] = [one for one in WANTED.monitors if isinstance(one, Keyword) and one.name == "rules"]
    with prometheus(tmp_path) as address:
        groups = json.loads(asked(f"{address}/api/v1/rules"))["data"]["groups"]
        assert {rule["name"] for group in groups for rule in group["rules"]} == {one.alert for one in read()}
        for query in queries():
            assert json.loads(asked(f"{address}/api/v1/query?query={quote(query)}"))["status"] == "success"
        path = rules.url.partition("/api/v1/")[2]
        assert rules.keyword in asked(f"{address}/api/v1/{path}")
        assert rules.keyword not in asked(f"{address}/api/v1/query?query=vector(1)"), (
            "what it looks for is always there"
        )
