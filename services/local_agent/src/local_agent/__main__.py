"""`python -m local_agent` is `countersign`."""

import sys

from local_agent.cli import main

if __name__ == "__main__":
    sys.exit(main())
