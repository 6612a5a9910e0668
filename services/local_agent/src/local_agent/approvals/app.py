"""Every address of the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from local_agent.approvals import deciding, entering, history, now, passing_on, rules, waiting
from local_agent.approvals.answering import COOKIE, Act, endpoint
from local_agent.approvals.guard import Guard
from local_agent.approvals.page import Page

LOOKS: dict[str, Act] = {
    "waiting": waiting.waiting,
    "task/{id}": waiting.one,
    "task/{id}/original": waiting.original,
    "task/{id}/file/{number:int}": waiting.attached,
    "devices": entering.devices,
    "now": now.now,
    "history": history.history,
    "history/{id}": history.story,
    "rules": rules.rules,
}
DECISIONS: dict[str, Act] = {
    "task/{id}/approve": deciding.approve,
    "task/{id}/edit": deciding.edit,
    "task/{id}/approve-edited": deciding.approve_edited,
    "task/{id}/forward": passing_on.forward,
    "task/{id}/reject": deciding.reject,
    "task/{id}/again": deciding.again,
    "task/{id}/ack": deciding.acknowledge,
    "task/{id}/snooze": deciding.snooze,
    "task/{id}/never": deciding.never,
    "task/{id}/undo": deciding.undo,
    "approve": deciding.approve_many,
    "unlock": entering.unlock,
    "lock": entering.lock,
    "devices/revoke": entering.revoke,
    "rules": rules.save,
    "rules/pause": rules.pause,
    "rules/resume": rules.resume,
    "rules/dry-run": rules.dry_run,
}


def app(page: Page, hosts: Iterable[str]) -> ASGIApp:
    """`hosts`: the names with ports under which it is served."""
    routes: list[Route | Mount] = [
        Route("/", entering.front, methods=["GET"]),
        Route("/pair", entering.form, methods=["GET"]),
        Route("/pair", entering.pair(page), methods=["POST"]),
        Mount("/static", StaticFiles(packages=[("local_agent", "approvals/static")])),
        Route("/{door}/events", _events(page), methods=["GET"]),
        Route("/{door}/app.webmanifest", _manifest, methods=["GET"]),
    ]
    routes += [Route(f"/{{door}}/{path}", endpoint(page, act), methods=["GET"]) for path, act in LOOKS.items()]
    routes += [Route(f"/{{door}}/{path}", endpoint(page, act), methods=["POST"]) for path, act in DECISIONS.items()]
    return Guard(Starlette(routes=routes), hosts)


def _events(page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if page.visit(str(request.path_params["door"]), request.cookies.get(COOKIE, "")) is None:
            return Response(status_code=401)
        return StreamingResponse(page.live.events(), media_type="text/event-stream")

    return answer


async def _manifest(request: Request) -> Response:
    """Says nothing that its address does not; browsers ask for it without a cookie."""
    door = str(request.path_params["door"])
    return JSONResponse(
        {
            "name": "Countersign", "short_name": "Countersign", "start_url": f"/{door}/waiting", "scope": f"/{door}/",
            "display": "standalone", "background_color": "#f6f4ef", "theme_color": "#f6f4ef",
            "icons": [{"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
        },
        media_type="application/manifest+json",
    )  # fmt: skip
