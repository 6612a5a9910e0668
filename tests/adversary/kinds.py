"""Every named kind of bad commit that a holder of Cloud's key can make, for any side that has to refuse them."""

from __future__ import annotations

from tests.adversary import contents, names, objects, signatures, trespasses
from tests.adversary.kind import Kind


def kinds() -> tuple[Kind, ...]:
    """By theme, each name once."""
    themes = (trespasses, names, objects, signatures, contents)
    return tuple(kind for theme in themes for kind in theme.kinds())
