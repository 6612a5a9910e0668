"""Where a link leads, against what it shows."""

from __future__ import annotations

import re

LONGEST_URL = 200
HOST = re.compile(r"https?:/{1,9}(?:[^/?#@\s]{0,300}@)?([^/?#:@\s]{1,253})", re.IGNORECASE)
SHOWN = re.compile(r"(https?://)?(www\.)?((?:[a-z0-9-]{1,63}\.){1,8}([a-z]{2,24}))(?:[/?#:]\S*)?", re.IGNORECASE)
COMMON = frozenset(["com", "org", "net", "gov", "edu", "info", "biz", "io", "de", "fr", "es", "it", "uk", "eu", "ch"])


def address_to_show(url: str, shown: str) -> str:
    """The address that must stand beside a link's text, empty when the text says it already."""
    url = "".join(url.split()).replace("\\", "/")
    scheme = url.partition(":")[0].lower()
    if scheme == "mailto":
        address = url.partition(":")[2].partition("?")[0]
        return "" if address.lower() in shown.lower() else address[:LONGEST_URL]
    if scheme not in ("http", "https") or _bare(url) == _bare(shown):
        return ""
    return url if len(url) <= LONGEST_URL else f"{url[:LONGEST_URL]}..."


def shows_another_site(url: str, shown: str) -> bool:
    """Whether the text of a link names a site, and the link leads to another."""
    named = SHOWN.fullmatch(shown.strip()[:LONGEST_URL])
    leads = HOST.match("".join(url.split()).replace("\\", "/"))
    if not named or not leads or not (named[1] or named[2] or named[4].lower() in COMMON):
        return False
    site, target = named[3].lower(), leads[1].lower().removeprefix("www.").rstrip(".")
    return not (target == site or target.endswith(f".{site}") or site.endswith(f".{target}"))


def is_remote(url: str) -> bool:
    """Whether showing this would load something from the network."""
    return url.strip().lower().replace("\\", "/").startswith(("http:", "https:", "//", "ftp:"))


def _bare(url: str) -> str:
    bare = url.strip().lower()
    return bare.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")
