"""What Grafana itself says of the dashboard that ships: its types, in the version of the image, and its units."""

import copy
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.dashboard import SOURCE, dashboard
from tools.workspace import ROOT

pytestmark = pytest.mark.stack

TYPESCRIPT = "5.9.3"
OPTIONS = {"timeseries": "TimeSeries", "state-timeline": "StateTimeline", "stat": "Stat"}
"""The panels that ship, and what Grafana calls their options."""
SCHEMA = "@grafana/schema/dist/esm/raw/composable/{}/panelcfg/x/{}PanelCfg_types.gen"

Made = dict[str, Any]


def shipped() -> str:
    """The version of Grafana in the image."""
    recipe = (ROOT / "services/monitor/grafana.Dockerfile").read_text(encoding="utf-8")
    [version] = re.findall(r"^FROM grafana/grafana:(\S+)$", recipe, re.MULTILINE)
    return str(version)


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False, timeout=600
    )


@pytest.fixture(scope="module")
def grafana(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Grafana's published types, its table of units (`data/`) and a compiler that checks against them."""
    folder = tmp_path_factory.mktemp("grafana")
    wanted = {"@grafana/schema": shipped(), "typescript": TYPESCRIPT}
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": wanted}), encoding="utf-8")
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--silent")
    made = run("npm", "install", *quiet, folder=folder)
    assert made.returncode == 0, made.stdout + made.stderr
    packed = run("npm", "pack", "--silent", f"@grafana/data@{shipped()}", folder=folder)
    assert packed.returncode == 0, packed.stdout + packed.stderr
    unpacked = run("tar", "xzf", packed.stdout.strip(), folder=folder)
    assert unpacked.returncode == 0, unpacked.stderr
    return folder


def typed(whole: Made) -> str:
    """A dashboard as TypeScript that holds each part of it against the type that Grafana has for it."""
    source = f"{{ refId: string; expr: string; legendFormat: string; datasource: {json.dumps(SOURCE)} }}"
    lines = ["import type { Dashboard, Panel, RowPanel } from '@grafana/schema';"]
    for kind, name in OPTIONS.items():
        where = SCHEMA.format(kind.replace("-", ""), name)
        lines.append(f"import type {{ Options as {name} }} from '{where}';")
    lines += [
        f"type Query = {source};",
        "type Has<K, O> = { type: K; options: Partial<O>; targets: [Query, ...Query[]] };",
        "type Of<K, O> = Omit<Panel, 'type' | 'options' | 'targets'> & Has<K, O>;",
        "type Row = Omit<RowPanel, 'panels'> & { panels: [] };",
    ]
    rest = {key: value for key, value in whole.items() if key != "panels"}
    lines.append(f"export const dashboard: Omit<Dashboard, 'panels'> = {json.dumps(rest)};")
    for panel in whole["panels"]:
        options = OPTIONS.get(panel["type"])
        kind = f"Of<{json.dumps(panel['type'])}, {options}>" if options else "Row"
        lines.append(f"export const panel{panel['id']}: {kind} = {json.dumps(panel)};")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def said(grafana: Path) -> dict[str, list[str]]:
    """What the compiler holds against the dashboard that ships, and against it with each planted fault."""
    made = {"shipped": json.loads(dashboard())}
    for plant in PLANTED:
        made[plant.__name__] = copy.deepcopy(made["shipped"])
        plant(made[plant.__name__])
    for name, whole in made.items():
        (grafana / f"{name}.ts").write_text(typed(whole), encoding="utf-8")
    strict = ("--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext")
    done = run("node_modules/.bin/tsc", *strict, *(f"{name}.ts" for name in made), folder=grafana)
    assert done.returncode in (1, 2), done.stdout + done.stderr
    errors = [line for line in done.stdout.splitlines() if "error TS" in line]
    return {name: [line for line in errors if line.startswith(f"{name}.ts(")] for name in made}


def test_grafana_s_own_types_take_every_key_of_the_dashboard(said: dict[str, list[str]]) -> None:
    assert said["shipped"] == []


def a_row_without_its_list(made: Made) -> None:
    del made["panels"][0]["panels"]


def a_key_grafana_has_not(made: Made) -> None:
    made["panels"][1]["datasources"] = made["panels"][1]["datasource"]


def a_panel_of_another_kind(made: Made) -> None:
    made["panels"][1]["type"] = "graph"


def a_place_in_words(made: Made) -> None:
    made["panels"][1]["gridPos"]["w"] = "12"


def another_source(made: Made) -> None:
    made["panels"][1]["targets"][0]["datasource"] = {"type": "prometheus", "uid": "another"}


def a_panel_that_asks_nothing(made: Made) -> None:
    made["panels"][1]["targets"] = []


def a_setting_of_the_whole_that_is_a_word(made: Made) -> None:
    made["editable"] = "false"


PLANTED: tuple[Callable[[Made], None], ...] = (
    a_row_without_its_list, a_key_grafana_has_not, a_panel_of_another_kind, a_place_in_words, another_source,
    a_panel_that_asks_nothing, a_setting_of_the_whole_that_is_a_word,
)  # fmt: skip


@pytest.mark.parametrize("name", [one.__name__ for one in PLANTED])
def test_a_planted_fault_is_refused_by_grafana_s_own_types(said: dict[str, list[str]], name: str) -> None:
    assert said[name]


def test_every_unit_is_one_that_grafana_has(grafana: Path) -> None:
    table = (grafana / "package/dist/esm/valueFormats/categories.mjs").read_text(encoding="utf-8")
    known = set(re.findall(r'\bid: "([^"]+)"', table))
    assert {"s", "none"} <= known
    panels = [one for one in json.loads(dashboard())["panels"] if one["type"] != "row"]
    assert {panel["fieldConfig"]["defaults"]["unit"] for panel in panels} <= known
