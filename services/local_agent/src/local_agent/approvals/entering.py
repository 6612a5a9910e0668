"""The way in: a code, once, and from then on a cookie of this device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from local_agent.approvals.answering import COOKIE, Ask, render, status_of
from local_agent.approvals.page import Page
from vault_protocol.errors import VaultError

log = structlog.get_logger()


async def front(_request: Request) -> Response:
    """Nobody's page: with a script it leads a paired device to its own, and says to all others how to come in."""
    return render("front.html")


async def form(_request: Request) -> Response:
    return render("pair.html", says="")


def pair(page: Page) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        typed = await request.form(max_fields=10)
        code, name = str(typed.get("code", ""))[:40], str(typed.get("name", ""))[:200]
        try:
            device, token = await run_in_threadpool(_let_in, page, code, name)
        except VaultError as error:
            log.warning("page.not_paired", kind=type(error).__name__)
            return render("pair.html", status=status_of(error), says=str(error))
        log.info("page.paired", device=device.id)
        answer = RedirectResponse(f"/{device.door}/waiting?welcome=1", 303)
        answer.set_cookie(
            COOKIE, token, path=f"/{device.door}/", max_age=page.settings.page_days * 86400, httponly=True,
            samesite="strict", secure=request.scope["scheme"] == "https",
        )  # fmt: skip
        return answer

    return answer


def _let_in(page: Page, code: str, name: str) -> Any:
    page.pairing.redeem(code)
    return page.devices.pair(name)


def devices(ask: Ask) -> Response:
    return ask.show("devices.html", devices=ask.page.devices.all())


def revoke(ask: Ask) -> Response:
    device = ask.page.devices.revoke(ask.text("device"))
    log.info("page.revoked", device=device.id)
    return ask.go("devices")


def unlock(ask: Ask) -> Response:
    ask.page.unlock(ask.text("passphrase"))
    return ask.go("waiting")


def lock(ask: Ask) -> Response:
    ask.page.sign.lock()
    return ask.go("waiting")
