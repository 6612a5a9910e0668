"""The hub put together: repository, arbiter, and the application that serves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vault_hub.agents import Agents
from vault_hub.api import Api
from vault_hub.arbiter import Arbiter
from vault_hub.bodies import Bodies
from vault_hub.direct import Direct
from vault_hub.doorkeeper import Denied, Doorkeeper
from vault_hub.events import Events
from vault_hub.holding import Hold, clear_at_start
from vault_hub.invitation import Invitations
from vault_hub.joining import again, doors
from vault_hub.limits import Allowance
from vault_hub.line import Line
from vault_hub.maintenance import Maintenance
from vault_hub.metrics import Metrics
from vault_hub.objects import Objects
from vault_hub.own_secrets import SecretFiles
from vault_hub.reading import Said
from vault_hub.refusals import Refusals
from vault_hub.reservations import Reservations
from vault_hub.rules import Rules
from vault_hub.settings import Settings
from vault_hub.smart_http import SmartHttp
from vault_protocol import keys, remote, wire
from vault_protocol.clock import Clock
from vault_protocol.errors import UntrustedHead, VaultError
from vault_protocol.follow import Follower
from vault_protocol.store import GitStore

log = structlog.get_logger()


@dataclass(frozen=True)
class Hub:
    """Everything of one hub. `app` is served by any ASGI server; its lifespan starts and stops the arbiter."""

    app: Starlette
    arbiter: Arbiter
    agents: Agents
    line: Line
    events: Events
    metrics: Metrics
    hold: Hold
    call: Callable[[Callable[[], None]], None]

    def close(self) -> None:
        """End the streams, from any thread: they would wait for the server, and the server for them."""
        self.call(self.events.close)


def assemble(
    settings: Settings, clock: Clock, *, step: Callable[[str], None] = lambda name: None,
    on_bug: Callable[[], None] = lambda: None, invitations: Invitations | None = None,
) -> Hub:  # fmt: skip
    """Opens the repository, makes it if it is not there, clears what a kill left, and follows it to its head.

    Raises VaultError when the history in it breaks a rule, for bad settings or keys, or when another hub has it.
    """
    path = settings.repository
    if not (path / "HEAD").exists():
        remote.create(path)
    hold = Hold(path)
    try:
        return _assemble(settings, clock, hold, step, on_bug, invitations)
    except BaseException:
        hold.release()
        raise


def _assemble(
    settings: Settings, clock: Clock, hold: Hold, step: Callable[[str], None], on_bug: Callable[[], None],
    invitations: Invitations | None,
) -> Hub:  # fmt: skip
    path = settings.repository
    cleared = clear_at_start(path)
    if cleared:
        log.info("hub.cleared", files=len(cleared))
    step("cleared")
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    agents = Agents(settings.agents_dir, settings.vault, now=clock.now, monotonic=clock.monotonic)
    agents.check()
    store, objects, metrics = GitStore(path), Objects(path, step), Metrics()
    checkpoint = settings.state_dir / "followed.json"
    owner_key = keys.load_public(settings.owner_key_file)
    follower = Follower(store, settings.vault, agents.trust(), checkpoint, owner=owner_key)
    try:
        follower.advance(objects.head())
    except UntrustedHead as error:
        raise VaultError(
            f"{path}: {error}. If it was restored from an older copy on purpose, remove {checkpoint}"
        ) from None
    step("followed")
    line, refusals = Line(path, follower.view.head), Refusals(settings.state_dir, clock.now)
    reservations = Reservations(path, lambda: line.head, monotonic=clock.monotonic)
    events = Events(heartbeat=settings.heartbeat_seconds)
    held = SecretFiles(settings.secret_files, settings.secrets_dir, monotonic=clock.monotonic)
    if not held.count:
        log.warning("secrets.none", folder=str(settings.secrets_dir))
    rules = Rules(settings.vault, owner_key, held.now)
    loop: list[asyncio.AbstractEventLoop] = []
    moved = [clock.monotonic()]

    def told(commits: Sequence[Said]) -> None:
        moved[0] = clock.monotonic()
        metrics.groups.inc()
        metrics.commits.inc(len(commits))
        call(lambda: events.tell(commits))

    def call(what: Callable[[], None]) -> None:
        for one in list(loop):
            one.call_soon_threadsafe(what)

    def anew() -> None:
        reservations.forget()
        call(events.cut_all)

    arbiter = Arbiter(
        objects,
        follower,
        line,
        rules,
        clock=clock,
        trust=agents.trust,
        told=told,
        anew=anew,
        landed=reservations.take,
        step=step,
        on_bug=on_bug,
    )
    calls = Allowance(
        burst=settings.requests_per_second * 10, per_second=settings.requests_per_second, monotonic=clock.monotonic
    )
    door = Doorkeeper(
        agents, metrics, calls=calls, failures=Allowance(burst=20, per_second=0.5, monotonic=clock.monotonic),
        connections=settings.connections,
    )  # fmt: skip
    bodies = Bodies(settings.body_bytes)
    introduction: wire.Object = {"vault": settings.vault, "owner_key": owner_key.line("owner")}
    api = Api(arbiter, line, events, door, metrics, refusals, bodies, reservations, introduction)
    git = SmartHttp(path, api, door, line, bodies, content_bytes=settings.body_bytes)
    admit = again(agents, settings.vault, owner_key)
    joining = doors(invitations, admit, clock.monotonic).routes if invitations is not None else ()
    maintenance = Maintenance(path, metrics, every=settings.maintenance_seconds)
    metrics.watch("head_age_seconds", "Since the head last moved, or the start", lambda: clock.monotonic() - moved[0])
    metrics.watch("stream_clients", "Agents that listen", lambda: events.listeners)
    metrics.watch("streams_cut", "Listeners cut off since the start, for being slow", lambda: events.cut)
    metrics.watch("request_bytes", "Bytes of requests held just now", lambda: bodies.held)
    metrics.watch("answer_bytes", "Bytes of large answers on their way just now", lambda: api.answers.held)
    metrics.watch("secrets", "Secrets of Cloud that no commit may hold", lambda: held.count)
    metrics.watch("reserved_tasks", "Waiting tasks set aside for an agent just now", lambda: reservations.count)
    metrics.watch("queue_length", "Publishes that wait", lambda: arbiter.length)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        loop.append(asyncio.get_running_loop())
        arbiter.start()
        tending = asyncio.create_task(maintenance.run())
        try:
            yield
        finally:
            tending.cancel()
            await asyncio.gather(tending, return_exceptions=True)
            await asyncio.to_thread(arbiter.stop)
            loop.clear()
            hold.release()

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"ok": arbiter.bug is None}, 200 if arbiter.bug is None else 503)

    async def readyz(_request: Request) -> Response:
        ready = arbiter.is_alive() and arbiter.bug is None
        return JSONResponse({"ok": ready, "head": line.head}, 200 if ready else 503)

    async def measured(request: Request) -> Response:
        try:
            if not settings.open_metrics:
                door.let_in(request)
        except Denied as denied:
            return denied.response
        return Response(metrics.text(), media_type=Metrics.MEDIA_TYPE)

    routes = [
        *api.routes,
        *git.routes,
        *joining,
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", measured),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.direct = Direct(api, door)
    return Hub(app, arbiter, agents, line, events, metrics, hold, call)
