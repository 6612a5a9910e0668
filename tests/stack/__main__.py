"""Makes what the stack tests need, so that it is not waited for inside a test: `python -m tests.stack`."""

import sys

from tests.stack.books import seed
from tests.stack.docker import StackFailed, ensure_engine
from tests.stack.images import cloud_init, first_boot, step
from tests.stack.stand_ins import PROFILES, stand_in
from tools.stack import engine
from tools.stack.images import made, wanted

if __name__ == "__main__":
    try:
        ensure_engine()
        with step("everything the stack needs"):
            seed()
            stand_in()
            cloud_init()
            first_boot()
            made(wanted(PROFILES))
    except (StackFailed, engine.StackFailed) as error:
        sys.exit(f"test-stack: {error}")
