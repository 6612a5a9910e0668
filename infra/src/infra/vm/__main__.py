"""`python3 vm ready | apply | ship | drill`: what the units on the VM run; `say`: what the first boot reports."""

from __future__ import annotations

import sys

from infra.vm import imds, places, steps
from infra.vm.cloud import Cloud
from infra.vm.orders import Orders
from infra.vm.programs import Failed
from infra.vm.reports import Reports
from infra.vm.stack import Stack


def main(arguments: list[str]) -> int:
    """0; 1 with one line."""
    here = places.here()
    try:
        match arguments:
            case ["ready"]:
                steps.ready(here)
            case ["apply"]:
                return 0 if steps.apply(here) else 1
            case ["ship"]:
                _reports(here).ship()
            case ["say", state, step, message]:
                _reports(here).say(state, step, message)
            case ["drill"]:
                if Orders.parse(imds.orders()).role == "whole":
                    Stack(here).drill()
            case _:
                print("usage: vm ready | apply | ship | drill | say STATE STEP MESSAGE", file=sys.stderr)
                return 2
    except Failed as error:
        print(f"countersign: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def _reports(here: places.Places) -> Reports:
    orders = Orders.parse(imds.orders())
    return Reports(here, orders, Cloud(orders))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
