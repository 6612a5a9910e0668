"""Every hostile or broken mail that the tests know, made here and nowhere stored."""

from __future__ import annotations

from .cases import Case
from .corpus_addresses import addresses
from .corpus_headers import headers
from .corpus_machines import machines
from .corpus_quotes import quotes
from .corpus_structure import files, structures
from .corpus_text import charsets, markup

CORPUS: tuple[Case, ...] = (
    *headers(),
    *addresses(),
    *structures(),
    *files(),
    *charsets(),
    *markup(),
    *machines(),
    *quotes(),
)
