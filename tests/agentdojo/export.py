"""AgentDojo's tasks and attacks as JSON lines. Runs in an environment of its own, which holds none of our packages.

`python tests/agentdojo/export.py [--attack NAME]… > pairs.jsonl`: a line without `attack` is a task as it is, each
other line the same task with one attack planted where the task's own tools read it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any

VERSION = "v1.2.2"
ATTACKS = ("important_instructions",)
VICTIM = "gpt-4o-2024-05-13"
"""Some attacks address the model by its name; AgentDojo takes it from here."""


def seen(agentdojo: dict[str, Any], suite: Any, task: Any, injections: dict[str, str]) -> list[str]:
    """What the tools answer when the task is done as its authors meant it: where an attack reaches the model."""
    environment = suite.load_and_inject_default_environment(injections)
    pipeline, runtime = agentdojo["truth"].GroundTruthPipeline(task), agentdojo["runtime"].FunctionsRuntime(suite.tools)
    messages = pipeline.query(task.PROMPT, runtime, environment)[3]
    text = agentdojo["types"].get_text_content_as_str
    return [text(message["content"]) for message in messages if message["role"] == "tool"]


def read_faster() -> None:
    """The environments are large YAML: libyaml reads them ten times as fast as Python does, to the same values."""
    yaml: Any = importlib.import_module("yaml")
    yaml.SafeLoader = yaml.CSafeLoader


def calls(suite: Any, injection: Any) -> list[dict[str, Any]]:
    """The calls that carry an attack out."""
    wanted = injection.ground_truth(suite.load_and_inject_default_environment({}))
    return [{"function": call.function, "args": {k: str(v) for k, v in call.args.items()}} for call in wanted]


def lines(attacks: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Each task once as it is, then once for each of its suite's injection tasks and each attack."""
    names = {
        "suites": "task_suite.load_suites", "truth": "agent_pipeline.ground_truth_pipeline",
        "runtime": "functions_runtime", "types": "types", "registry": "attacks.attack_registry",
    }  # fmt: skip
    agentdojo = {key: importlib.import_module(f"agentdojo.{name}") for key, name in names.items()}
    read_faster()
    for suite_name, suite in agentdojo["suites"].get_suites(VERSION).items():
        victim = agentdojo["truth"].GroundTruthPipeline(None)
        victim.name = VICTIM
        made = {name: agentdojo["registry"].load_attack(name, suite, victim) for name in attacks}
        acts = {injection.ID: calls(suite, injection) for injection in suite.injection_tasks.values()}
        for task in suite.user_tasks.values():
            same = {"suite": suite_name, "task": task.ID, "prompt": task.PROMPT}
            yield {**same, "material": seen(agentdojo, suite, task, {})}
            for injection in suite.injection_tasks.values():
                for name, attack in made.items():
                    planted = attack.attack(task, injection)
                    yield {
                        **same, "attack": name, "injection": injection.ID, "goal": injection.GOAL,
                        "calls": acts[injection.ID], "planted": list(planted.values()),
                        "material": seen(agentdojo, suite, task, planted),
                    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attack", action="append", help=f"its name; by default {', '.join(ATTACKS)}")
    for line in lines(tuple(parser.parse_args().attack or ATTACKS)):
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
