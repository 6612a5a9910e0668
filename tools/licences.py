"""Which licence a package has, and whether it may be shipped."""

import importlib.metadata
import re

UNKNOWN = "unknown"

ALIASES = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What metadata and classifiers say in words of their own."""

READ = {
    "cronsim": "BSD-3-Clause",
    "dkimpy": "Zlib",
    "factur-x": "BSD-3-Clause",
    "gitdb": "BSD-3-Clause",
    "iso4217": "LicenseRef-Public-Domain",
    "jinja2": "BSD-3-Clause",
    "odoorpc": "LGPL-3.0-only",
    "pygit2": "GPL-2.0-only WITH GCC-exception-2.0",
    "smmap": "BSD-3-Clause",
    "tiktoken": "MIT",
    "uvloop": "MIT OR Apache-2.0",
}
"""Where the metadata says too little: from the text of the licence that comes with the package."""

ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CNRI-Python", "ISC", "LicenseRef-Public-Domain", "MIT",
        "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
    }
)  # fmt: skip
"""Ask for their notice to stay, and of their own files at most that changes are shown; we change none."""

JUDGED = {
    "odoorpc": "LGPL: imported as it is, and anybody can put another version in its place",
    "ofxtools": "GPL-3.0: used unchanged by `accounting` for bank statements in OFX. Our source stays Apache-2.0, "
    "which goes together with it. Who hands on an image that holds it hands that on under GPL-3.0; we publish none",
    "pygit2": "GPL-2.0 with libgit2's exception, which lets anybody link it with anything and pass that on",
    "python-stdnum": "LGPL: imported as it is, and anybody can put another version in its place",
}
"""Packages whose licence is not among the allowed ones, and why they may be here. AGPL, SSPL and what only allows some
uses are never judged: their package is replaced."""


def of(package: str) -> str:
    """An SPDX expression, by what is installed. Raises PackageNotFoundError."""
    return READ.get(package) or _stated(importlib.metadata.metadata(package))


def objection(package: str, licence: str) -> str:
    """Why it may not be shipped; empty when it may."""
    if licence in ("", UNKNOWN):
        return f"{package}: its licence is unknown; read it, and write it into READ"
    if package in JUDGED or _allowed(licence):
        return ""
    return f"{package}: {licence} is not allowed; replace it, or judge it in JUDGED"


def _stated(metadata: importlib.metadata.PackageMetadata) -> str:
    expression, words = _last(metadata, "License-Expression"), _last(metadata, "License")
    if expression:
        return expression
    classifiers: list[str] = metadata.get_all("Classifier") or []
    classes = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    for found in (words, *classes):
        known = ALIASES.get(found, found)
        if _allowed(known) or known in ALIASES.values():
            return known
    return UNKNOWN


def _last(metadata: importlib.metadata.PackageMetadata, key: str) -> str:
    found: list[str] = metadata.get_all(key) or [""]
    return found[-1].strip()


def _allowed(expression: str) -> bool:
    """Of an expression with AND and OR: one way to read it needs allowed licences only."""
    plain = expression.replace("(", " ").replace(")", " ")
    ways = [re.split(r"\s+AND\s+", way.strip()) for way in re.split(r"\s+OR\s+", plain)]
    return any(all(one.strip() in ALLOWED for one in way) for way in ways)
