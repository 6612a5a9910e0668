"""The books in the hands of Local: the methods of the addon that post, pay and print, and what is read beside them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date

from books.errors import BooksRefused, BooksUnreachable
from books.odoo import OdooBooks
from books.past import Past, past
from books.reading import move_state
from books.rows import rows, text
from books.rpc import Rpc
from books.values import Kind, MoveState
from vault_protocol.action import Journal

LARGEST_PDF = 10 * 1024 * 1024


@dataclass(frozen=True)
class Pdf:
    """An invoice as Odoo prints it."""

    number: str
    content: bytes


class Posting:
    """Over one `Rpc`, whose user may post. Raises what `Rpc.call` raises."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self.books = OdooBooks(rpc)

    def state(self, record: int) -> MoveState:
        return self.books.state(record)

    def past(self, *, partner: int, kind: Kind, but: int) -> Past:
        return past(self._rpc, partner=partner, kind=kind, but=but)

    def post(self, record: int, *, state_sha256: str, approval: str) -> MoveState:
        """Post the draft if it is still in this state; asking again under the same approval changes nothing."""
        return move_state(
            self._rpc.call(
                "account.move", "countersign_post", [record], state_sha256=state_sha256, approval_digest=approval
            )
        )

    def register_payment(
        self, record: int, *, state_sha256: str, approval: str, journal: int, amount: str, on: date
    ) -> MoveState:
        return move_state(
            self._rpc.call(
                "account.move", "countersign_register_payment", [record], state_sha256=state_sha256,
                approval_digest=approval, journal=journal, amount=amount, date=on.isoformat(),
            )
        )  # fmt: skip

    def journals(self) -> tuple[Journal, ...]:
        """The bank and cash journals."""
        found = rows(
            self._rpc.call(
                "account.journal", "search_read", domain=[["type", "in", ["bank", "cash"]]], fields=["name"], order="id"
            )
        )
        return tuple(Journal(id=row["id"], name=text(row, "name")) for row in found)

    def pdf(self, record: int) -> Pdf:
        """Printed now from the record. Raises BooksRefused (`no-pdf`) for what is no PDF."""
        answer = self._rpc.call("account.move", "countersign_pdf", [record])
        if not isinstance(answer, dict) or answer.get("id") != record or not isinstance(answer.get("pdf"), str):
            raise BooksUnreachable("the addon answered something else than a PDF")
        try:
            content = base64.b64decode(answer["pdf"], validate=True)
        except (ValueError, binascii.Error):
            raise BooksUnreachable("the addon's PDF is not base64") from None
        if not content.startswith(b"%PDF-") or len(content) > LARGEST_PDF:
            raise BooksRefused("no-pdf", f"what Odoo printed of record {record} is no PDF, or too large")
        return Pdf(text(answer, "number"), content)
