"""Every named kind of bad commit, for any side that has to refuse them."""

from __future__ import annotations

from tests.adversary import contents, names, objects, owners, signatures, trespasses
from tests.adversary.kind import Kind


def of_cloud() -> tuple[Kind, ...]:
    """What a holder of Cloud's key and credential can make, by theme, each name once."""
    themes = (trespasses, names, objects, signatures, contents)
    return tuple(kind for theme in themes for kind in theme.kinds())


def kinds() -> tuple[Kind, ...]:
    """Those, and what nobody may write, made with the owner's machine's own key."""
    return (*of_cloud(), *owners.kinds())
