"""A posted invoice as PDF, through the books server: no other process of ours holds the key for it."""

from __future__ import annotations

import base64
import binascii

from local_agent.executor import ActingServers, ServerGone
from local_agent.follow_ups import Cannot, FetchPdf, NotYet
from local_agent.mcp.posting import LARGEST_PDF, Pdf


def printed(servers: ActingServers) -> FetchPdf:
    """Asks the server's tool; what it does not give now is asked for again later."""

    def fetch(account: str, record: int) -> Pdf:
        try:
            answer = servers.call("books", "invoice_pdf", account=account, record=record)
        except ServerGone as error:
            raise NotYet(f"the books do not print record {record} now: {error}") from None
        try:
            pdf = Pdf(str(answer["number"]), base64.b64decode(answer["pdf"], validate=True))
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise Cannot(f"the books print something else than record {record}") from None
        if not pdf.content.startswith(b"%PDF-") or len(pdf.content) > LARGEST_PDF:
            raise Cannot(f"what the books print of record {record} is no PDF")
        return pdf

    return fetch
