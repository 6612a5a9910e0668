"""What Prometheus itself says of the files that ship: its checker reads them, and its engine evaluates the rules."""

import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.dashboard import queries
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


def test_prometheus_can_parse_every_question_of_the_dashboard(tmp_path: Path) -> None:
    asked = "".join(f"  - {{record: 'q:{at}', expr: {query!r}}}\n" for at, query in enumerate(queries()))
    (tmp_path / "rules.yaml").write_text(f"groups:\n- name: dashboard\n  rules:\n{asked}", encoding="utf-8")
    assert "SUCCESS" in promtool("check", "rules", "rules.yaml", folder=tmp_path)
