"""`/ops`: live calls, trunks and workers each second, and the button that cuts a call."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from switch.call.news import AuditNews, Publisher
from switch.clock import Clock
from switch.errors import UserError
from switch.routing.call_class import CallClass
from switch.store.staff_store import EVERYWHERE
from switch.web.live import ROWS_MAX, CallRow, LiveView, call_row, in_order
from switch.web.live_feed import Beat, LiveFeed, Scope
from switch.web.pages import Paper
from switch.web.rights import Permission, Rights
from switch.web.sign_in import SignedIn
from switch.web.words import Words

SECTIONS: Final = ("summary", "calls", "trunks", "workers")
"""Parts of the page that are sent anew when they change; each has a template `_<name>.html`."""

RECONNECT_MS: Final = 2000
"""A browser that lost the line tries again after this. Chosen."""

RECHECK_BEATS: Final = 15
"""Every so many beats a live page's sign-in is looked at again. Chosen: who is disabled is gone
within a quarter of a minute."""

WHY_CHARS_MIN: Final = 3
WHY_CHARS_MAX: Final = 500

HEARING: Final = ("listen", "barge", "carousel")
"""Ways to hear a call. calls.md section 4.1."""

OFF_MINUTES: Final = ("0", "15", "60")
"""For how long the terminal may be turned off with a cut. Chosen."""


@dataclass(slots=True)
class OpsPages:
    """The handlers of `/ops`.

    Args:
        paper: draws.
        view: what lives.
        clock: for the feed and the audit trail.
        audit: takes each cut.
        feed: the beats.
    """

    paper: Paper
    view: LiveView
    clock: Clock
    audit: Publisher
    feed: LiveFeed

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/ops", self.index),
            Route("/ops/live", self.live),
            Route("/ops/calls/{call:int}/cut", self.cut, methods=["GET", "POST"]),
            *(
                Route(f"/ops/calls/{{call:int}}/{how}", self.hear, methods=["GET", "POST"])
                for how in HEARING
            ),
        ]

    async def index(self, request: Request) -> Response:
        """The page, complete: it can be read without any script."""
        who = await self.paper.who(request)
        if who is None:
            return RedirectResponse("/ops/sign-in", 303)
        if not _may_look(who.rights):
            raise HTTPException(403)
        scope = scope_of(who, self.paper.words(request, who).language)
        return self.paper.page(
            request,
            "ops.html",
            who=who,
            sections=draw(self.paper, self.view, scope),
            sees_node=scope.node,
            may_cut=bool(scope.cut),
        )

    async def live(self, request: Request) -> Response:
        """The stream of what changes."""
        who = await self.paper.who(request)
        if who is None or not _may_look(who.rights):
            return Response(status_code=204)  # tells an EventSource not to come back
        if self.feed.is_full:
            raise HTTPException(503)
        last = request.headers.get("last-event-id", "")
        scope = scope_of(who, self.paper.words(request, who).language)
        return StreamingResponse(
            self._stream(scope, who, int(last) if last.isdigit() and len(last) < 16 else None),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )

    async def _stream(
        self, scope: Scope, who: SignedIn, last_seen: int | None
    ) -> AsyncIterator[str]:
        yield f"retry: {RECONNECT_MS}\n\n"
        beats = 0
        async for beat in self.feed.follow(scope, last_seen=last_seen):
            beats += 1
            if beats % RECHECK_BEATS == 0 and not await self._is_still(who):
                return
            yield as_events(beat)

    async def _is_still(self, who: SignedIn) -> bool:
        """Say whether this sign-in is good and its rights are the same."""
        now = await self.paper.sign_ins.recognise(who.session)
        return now is not None and now.rights == who.rights

    async def cut(self, request: Request) -> Response:
        """Ask for the reason; with it, end the call."""
        who = await self.paper.who(request)
        if who is None:
            return RedirectResponse("/ops/sign-in", 303)
        row = self._row(int(request.path_params["call"]), who.rights)
        if request.method in {"GET", "HEAD"}:
            return self._ask(request, who, row, fault="")
        form = await self.paper.form(request, who.session)
        words = self.paper.words(request, who)
        if row is None:
            return self._tell(request, who, words("cut.gone"))
        why = " ".join(form.get("why", "").split())[:WHY_CHARS_MAX]
        off = form.get("off", "0")
        if len(why) < WHY_CHARS_MIN or off not in OFF_MINUTES:
            return self._ask(request, who, row, fault=words("cut.no_reason"))
        outcome = words("cut.done", terminal=row.terminal)
        try:
            await self.view.cut(
                row.call, by=f"web:{who.name}", why=why, disable_terminal_s=int(off) * 60
            )
        except UserError:
            outcome = words("cut.gone")
        self._note(request, who, row, why=why, off=off, outcome=outcome)
        return self._tell(request, who, outcome)

    async def hear(self, request: Request) -> Response:
        """Refuse to let anybody hear a privileged call, and write down who asked. P5.

        There is nothing here that could hear any other call either.
        """
        who = await self.paper.who(request)
        if who is None:
            return RedirectResponse("/ops/sign-in", 303)
        call, how = int(request.path_params["call"]), request.url.path.rpartition("/")[2]
        raw = next((r for r in self.view.live_calls() if int(r["call"]) == call), None)
        if raw is None or not raw["privileged"]:
            raise HTTPException(404)
        self.audit.publish_nowait(
            AuditNews(
                who=f"web:{who.name}",
                role=who.rights.roles(),
                address=self.paper.address(request),
                what=how,
                target=f"call {call} at {raw['facility']}",
                after="refused: it is privileged",
                at_wall=self.clock.wall(),
            )
        )
        raise HTTPException(403)

    def _row(self, call: int, rights: Rights) -> CallRow | None:
        """Return the call; None if it is over.

        Raises:
            HTTPException: 403, it is privileged, or not this person's to cut.
        """
        if not rights.may_anywhere(Permission.CUT):
            raise HTTPException(403)
        for raw in self.view.live_calls():
            if int(raw["call"]) == call:
                row = call_row(raw, may_cut=rights.may(Permission.CUT, str(raw["facility"])))
                if not row.may_cut or not _sees(
                    raw,
                    rights.places(Permission.SEE_LIVE),
                    rights.places(Permission.SEE_HOTLINES),
                ):
                    raise HTTPException(403)
                return row
        return None

    def _ask(self, request: Request, who: SignedIn, row: CallRow | None, *, fault: str) -> Response:
        if row is None:
            return self._tell(request, who, self.paper.words(request, who)("cut.gone"))
        return self.paper.page(
            request,
            _template(request, "_cut.html", "cut.html"),
            status=422 if fault else 200,
            who=who,
            row=row,
            fault=fault,
            off_minutes=OFF_MINUTES,
        )

    def _tell(self, request: Request, who: SignedIn, told: str) -> Response:
        template = _template(request, "_told.html", "told.html")
        return self.paper.page(request, template, who=who, told=told)

    def _note(
        self, request: Request, who: SignedIn, row: CallRow, *, why: str, off: str, outcome: str
    ) -> None:
        self.audit.publish_nowait(
            AuditNews(
                who=f"web:{who.name}",
                role=who.rights.roles(),
                address=self.paper.address(request),
                what="cut",
                target=f"call {row.call} at {row.facility}",
                before=row.state,
                after=f"{outcome} terminal off: {off} min",
                why=why,
                at_wall=self.clock.wall(),
            )
        )


def scope_of(who: SignedIn, language: str) -> Scope:
    """What somebody sees."""
    return Scope(
        see=who.rights.places(Permission.SEE_LIVE),
        hotlines=who.rights.places(Permission.SEE_HOTLINES),
        cut=who.rights.places(Permission.CUT),
        node=who.rights.may_anywhere(Permission.SEE_NODE),
        language=language,
    )


def draw(paper: Paper, view: LiveView, scope: Scope) -> Mapping[str, str]:
    """Draw every section that this scope sees."""
    words = Words(scope.language)
    rows = in_order(
        call_row(raw, may_cut=_holds(scope.cut, raw["facility"]))
        for raw in view.live_calls()
        if _sees(raw, scope.see, scope.hotlines)
    )
    trunks = view.trunks() if scope.node else []
    workers = view.workers() if scope.node else []
    values: dict[str, Any] = {
        "rows": rows[:ROWS_MAX],
        "hidden": max(0, len(rows) - ROWS_MAX),
        "may_cut": bool(scope.cut),
        "trunks": trunks,
        "workers": workers,
        "sees_node": scope.node,
        "counts": _counts(rows, trunks, workers),
        "is_draining": view.is_draining(),
        "is_register_whole": not view.register_fault(),
    }
    names = SECTIONS if scope.node else SECTIONS[:2]
    return {name: paper.draw(f"_{name}.html", words, **values) for name in names}


def as_events(beat: Beat) -> str:
    """Write a beat as server-sent events. WHATWG HTML, section 9.2 `Server-sent events`."""
    out = []
    for name, html in beat.sections.items():
        lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
        out.append(f"event: {name}\n" + (lines or "data:\n") + "\n")
    out.append(f"id: {beat.number}\nevent: beat\ndata: {beat.number}\n\n")
    return "".join(out)


def _counts(
    rows: list[CallRow], trunks: list[dict[str, Any]], workers: list[dict[str, Any]]
) -> dict[str, int]:
    return {
        "calls": len(rows),
        "talking": sum(row.state == "talking" for row in rows),
        "flagged": sum(row.worst_tier in {"cut_eligible", "warn"} for row in rows),
        "trunks_up": sum(bool(trunk["up"]) for trunk in trunks),
        "trunks": len(trunks),
        "late": sum(int(worker["late_ticks"]) for worker in workers),
    }


def _may_look(rights: Rights) -> bool:
    return rights.may_anywhere(Permission.SEE_LIVE) or rights.may_anywhere(Permission.SEE_NODE)


def _holds(places: frozenset[str], facility: str) -> bool:
    return facility in places or EVERYWHERE in places


def _sees(raw: Mapping[str, Any], see: frozenset[str], hotlines: frozenset[str]) -> bool:
    places = hotlines if raw.get("class") == CallClass.HOTLINE else see
    return _holds(places, str(raw["facility"]))


def _template(request: Request, part: str, whole: str) -> str:
    """A part for htmx, a whole page for everybody else."""
    return part if request.headers.get("hx-request") == "true" else whole
