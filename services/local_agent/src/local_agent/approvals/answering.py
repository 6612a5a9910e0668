"""From a request to an answer: who asks, what they typed, and what the page says when it cannot be."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from local_agent.approvals import wording
from local_agent.approvals.page import Page, Visit
from local_agent.approvals.throttle import TooOften
from local_agent.taking_back import TooLate
from vault_protocol.errors import HubUnreachable, NoSuchTask, StaleRevision, VaultError
from vault_protocol.keys import KeyLocked, WrongPassphrase

log = structlog.get_logger()

COOKIE = "countersign"
FORM = "application/x-www-form-urlencoded"


class Changed(VaultError):
    """What is there is not what the owner was shown."""


@dataclass(frozen=True)
class Ask:
    """One request of a paired device. `form` is empty for a GET."""

    page: Page
    visit: Visit
    request: Request
    form: FormData = field(default_factory=FormData)

    @property
    def id(self) -> str:
        return str(self.request.path_params.get("id", ""))

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    def text(self, name: str, limit: int = 2000) -> str:
        found = self.form.get(name)
        return found[:limit] if isinstance(found, str) else ""

    def all(self, name: str) -> list[str]:
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def ticked(self, name: str) -> bool:
        return self.form.get(name) == "yes"

    def show(self, template: str, *, status: int = 200, **what: Any) -> Response:
        until = self.page.sign.until()
        common = {
            "base": f"/{self.visit.device.door}", "csrf": self.visit.csrf, "device": self.visit.device,
            "locked": until is None, "once": not self.page.settings.unlock_minutes, "unlocked_until": until,
            "protection": self.page.settings.key_protection, "undo": self.page.settings.undo_seconds,
            "now": self.page.clock.now(), "here": template.removesuffix(".html"),
        }  # fmt: skip
        return render(template, status=status, **{**common, **what})

    def go(self, where: str) -> Response:
        """After a POST: the page that shows what came of it. 303, so that a reload decides nothing."""
        return RedirectResponse(f"/{self.visit.device.door}/{where}", 303)


Act = Callable[[Ask], Response]

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("local_agent", "approvals/templates"), autoescape=True,
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_TEMPLATES.filters |= {"exact": wording.exact, "clock": wording.clock, "day": wording.day, "epoch": wording.epoch}


def render(template: str, *, status: int = 200, **what: Any) -> Response:
    return HTMLResponse(_TEMPLATES.get_template(template).render(**what), status)


def endpoint(page: Page, act: Act) -> Callable[[Request], Any]:
    """The route of an act: only for a paired device, and a POST only with the token of its own page."""

    async def answer(request: Request) -> Response:
        visit = page.visit(str(request.path_params["door"]), request.cookies.get(COOKIE, ""))
        if visit is None:
            return render("stranger.html", status=401)
        form = FormData()
        if request.method == "POST":
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
                return render("sorry.html", status=415, base=None, says="A form was expected.")
            form = await request.form(max_fields=500)
            if not hmac.compare_digest(str(form.get("csrf", "")).encode("utf-8"), visit.csrf.encode("ascii")):
                says = "This form is not of a page that this device was shown. Nothing was done."
                return render("sorry.html", status=403, base=f"/{visit.device.door}", says=says)
        return await run_in_threadpool(_answered, act, Ask(page, visit, request, form))

    return answer


def _answered(act: Act, ask: Ask) -> Response:
    try:
        return act(ask)
    except VaultError as error:
        log.info("page.refused", kind=type(error).__name__)
        return ask.show("sorry.html", status=status_of(error), says=str(error))


def status_of(error: VaultError) -> int:
    match error:
        case StaleRevision() | Changed() | TooLate():
            return 409
        case KeyLocked() | WrongPassphrase():
            return 403
        case TooOften():
            return 429
        case HubUnreachable():
            return 503
        case NoSuchTask():
            return 404
        case _:
            return 422
