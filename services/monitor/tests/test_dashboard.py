import json
import re

import yaml

from monitor.dashboard import dashboard, queries
from monitor.failures import read
from tools.workspace import ROOT

GRAFANA = ROOT / "services" / "monitor" / "grafana"
CONFIG = yaml.safe_load((ROOT / "services/monitor/prometheus/prometheus.yaml").read_text(encoding="utf-8"))
METRIC = re.compile(r"\b((?:countersign|monitor)_[a-z_]+)\b")


def test_what_grafana_reads_is_made_from_the_table() -> None:
    file = GRAFANA / "dashboards" / "countersign.json"
    again = f"run: python -m monitor.dashboard {file.relative_to(ROOT)}"
    assert file.read_text(encoding="utf-8") == dashboard(), again


def test_every_panel_asks_the_source_that_is_set_up_and_none_lies_over_another() -> None:
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text(encoding="utf-8"))[
        "datasources"
    ]
    panels = json.loads(dashboard())["panels"]
    taken = set[tuple[int, int]]()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
        assert place["x"] + place["w"] <= 24
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == source["uid"]
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_every_job_that_a_rule_speaks_of_is_scraped() -> None:
    jobs = {job["job_name"] for job in CONFIG["scrape_configs"]}
    spoken_of = {job for one in read() for job in re.findall(r'job="([^"]+)"', one.rule)}
    assert spoken_of
    assert spoken_of <= jobs


def test_the_dashboard_asks_for_figures_that_a_service_of_ours_has() -> None:
    sources = [*(ROOT / "services").glob("*/src/**/*.py")]
    written = "\n".join(file.read_text(encoding="utf-8") for file in sources if file.name != "dashboard.py")
    for metric in {name for query in queries() for name in METRIC.findall(query)}:
        if not metric.startswith("countersign_"):
            continue  # Kuma's own
        _, service, rest = metric.split("_", 2)
        assert service in ("hub", "cloud", "backup", "monitor"), metric
        stem = re.sub(r"_(total|bucket|ok)$", "", rest)
        assert re.search(rf"[\"{{}}_ ]{stem}\b", written) or stem in written, metric
