"""What of the handbook holds for one mail: a section may be for business, for personal mail, or for one mailbox."""

import re
from functools import lru_cache

from drafting.letter import Account

_HEADING = re.compile(
    r"#{1,2} +(?P<name>.*?)(?: +\((?P<scope>business|personal|mailbox +(?P<box>[\w-]{1,40}))\))? *", re.I
)
CONTEXT = frozenset({"contacts", "what may be told", "who we are"})
"""Sections that say what is known. The others say what is to be done, and are never shared."""
KNOWN = CONTEXT | {"rules", "mail", "tone"}
NOBODY = "?"
"""The scope of a section whose heading names one that is not understood: it holds for no mail, and is reported."""
MAILBOX = re.compile(r"(?:the )?mailbox +([\w-]{1,40})", re.I)


def heading(line: str) -> tuple[str, str] | None:
    """The heading in small letters without its scope, and the scope: empty, an account, `mailbox NAME` or NOBODY."""
    found = _HEADING.fullmatch(line.rstrip())
    if found is None:
        return None
    name = found["name"].strip().lower()
    scope = f"mailbox {found['box']}" if found["box"] else found["scope"] or ""
    if not scope and name.partition("(")[0].strip() in KNOWN and "(" in name:
        return name, NOBODY
    return name, scope.lower()


@lru_cache(maxsize=32)
def in_scope(text: str, account: Account | None, mailbox: str = "", shared: frozenset[Account] = frozenset()) -> str:
    """The handbook with every line of a section that is not for this mail left empty: line numbers stay.

    `account` None: what holds for all. `shared`: the accounts whose mail may use what the other account knows.
    """
    kept, holds = [], True
    for line in text.replace("\r\n", "\n").split("\n"):
        if found := heading(line):
            name, scope = found
            lent = account in shared and scope in ("business", "personal") and name in CONTEXT
            holds = not scope or scope == account or lent or (bool(mailbox) and scope == f"mailbox {mailbox.lower()}")
        kept.append(line if holds else "")
    return "\n".join(kept)
