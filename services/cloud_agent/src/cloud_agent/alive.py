"""`python -m cloud_agent.alive STATE INTRODUCTION`: exit 0 while the agent works or waits for its owner.

What it watches may be down without it being ill: that is in health.json, and for the monitor. Light on purpose.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

STALE = timedelta(seconds=120)
"""Its worker looks at least every poll_seconds, and writes every ten."""


def alive(state: Path, introduction: Path, now: datetime) -> str:
    """What is wrong; empty when nothing is."""
    if not (introduction / "vault").exists():
        return ""
    try:
        last = json.loads((state / "health.json").read_bytes())["last_step"]
        age = now - datetime.fromisoformat(last)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"no health.json of this agent: {type(error).__name__}"
    return f"its last step was {age.total_seconds():.0f} s ago" if age > STALE else ""


if __name__ == "__main__":
    wrong = alive(Path(sys.argv[1]), Path(sys.argv[2]), datetime.now(UTC))
    sys.exit(wrong or 0)
