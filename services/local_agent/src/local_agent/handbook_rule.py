"""One more rule in Company_Handbook.md, as the owner would write it: nothing else of the note changes."""

from __future__ import annotations

import re

HEADING = "## Rules"
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{1,63}")


def address_in(mailbox: str) -> str:
    """The one address of `Jane <jane@customer.example>`; empty when it is not sure which."""
    found = set(_ADDRESS.findall(mailbox.translate({0x2039: "<", 0x203A: ">"})))
    return found.pop().lower() if len(found) == 1 else ""


def never_draft(text: str, address: str) -> str:
    """The note with `- Never draft for: ADDRESS` as the last rule of its section, which is made if there is none."""
    rule = f"- Never draft for: {address}"
    lines = text.split("\n")
    if any(line.strip().casefold() == rule.casefold() for line in lines):
        return text
    start = next((i for i, line in enumerate(lines) if line.strip().casefold() == HEADING.casefold()), None)
    if start is None:
        end = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{end}\n{HEADING}\n\n{rule}\n"
    stop = next((i for i in range(start + 1, len(lines)) if re.match(r"#{1,2} ", lines[i])), len(lines))
    rules = [i for i in range(start + 1, stop) if re.match(r"[-*] ", lines[i])]
    if rules:
        return "\n".join([*lines[: rules[-1] + 1], rule, *lines[rules[-1] + 1 :]])
    return "\n".join([*lines[: start + 1], "", rule, *lines[start + 1 :]])
