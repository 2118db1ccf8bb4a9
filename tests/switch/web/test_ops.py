from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switch.web import ops
from switch.web.live_feed import Beat
from tests.switch.web.browser import Browser
from tests.switch.web.scene import PASSWORD, Site, call, open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = await open_site(tmp_path)
    yield made
    await made.store.close()


async def signed_in(site: Site, name: str) -> Browser:
    browser = site.browser()
    assert (await browser.sign_in(name, PASSWORD)).status == 303
    return browser


async def test_the_page_shows_what_lives_without_any_script(site: Site) -> None:
    page = await (await signed_in(site, "watch")).get("/ops")
    for shown in ("N-12", "talking", "$5.40", "9:00", "third party", "warning", "east", "60"):
        assert shown in page.text
    assert "1.25 ms" in page.text


async def test_a_register_that_is_not_whole_is_said_on_the_page(site: Site) -> None:
    browser = await signed_in(site, "watch")
    assert "not whole" not in (await browser.get("/ops")).text
    site.view.fault = "entry 2 is missing"
    assert "The privileged register is not whole" in (await browser.get("/ops")).text


async def test_an_officer_sees_and_cuts_at_the_own_facility_only(site: Site) -> None:
    page = await (await signed_in(site, "lee")).get("/ops")
    assert "N-11" in page.text
    assert "S-2" not in page.text
    assert 'id="trunks-title"' not in page.text
    assert "/ops/calls/11/cut" in page.text
    assert "/ops/calls/14/cut" not in page.text


async def test_operations_only_look(site: Site) -> None:
    browser = await signed_in(site, "watch")
    page = await browser.get("/ops")
    assert "S-2" in page.text
    assert "/cut" not in page.text
    assert (await browser.get("/ops/calls/11/cut")).status == 403


async def test_who_has_no_business_here_sees_nothing(site: Site) -> None:
    browser = await signed_in(site, "page")
    assert (await browser.get("/ops")).status == 403
    assert (await browser.get("/ops/live")).status == 204
    assert (await site.browser().get("/ops/live")).status == 204


async def test_a_privileged_call_cannot_be_cut_from_here_by_anybody(site: Site) -> None:
    browser = await signed_in(site, "lee")
    page = await browser.get("/ops")
    assert "N-13" in page.text
    assert "/ops/calls/13/cut" not in page.text
    assert (await browser.get("/ops/calls/13/cut")).status == 403
    form = {"csrf": page.csrf, "why": "a whim", "off": "0"}
    assert (await browser.post("/ops/calls/13/cut", form)).status == 403
    assert site.view.cuts == []


async def test_a_hotline_is_hidden_from_all_but_internal_affairs(site: Site) -> None:
    site.view.rows = [*site.view.rows, call(16, terminal="N-16", **{"class": "hotline"})]
    for name, sees in (("lee", False), ("watch", False), ("affairs", True)):
        browser = await signed_in(site, name)
        assert ("N-16" in (await browser.get("/ops")).text) is sees, name
        status = (await browser.get("/ops/calls/16/cut")).status
        assert status == (200 if sees else 403), name


@pytest.mark.parametrize("how", ops.HEARING)
async def test_whoever_wants_to_hear_a_privileged_call_is_refused_and_written_down(
    site: Site, how: str
) -> None:
    browser = await signed_in(site, "affairs")
    page = await browser.get("/ops")
    assert how not in page.text.lower()
    assert (await browser.get(f"/ops/calls/13/{how}")).status == 403
    entry = site.trail.entries[-1]
    assert (entry.who, entry.what, entry.target) == ("web:affairs", how, "call 13 at north")
    assert entry.after == "refused: it is privileged"
    assert (await browser.get(f"/ops/calls/11/{how}")).status == 404
    assert site.trail.entries[-1] is entry


async def test_a_cut_needs_a_reason_and_is_written_down(site: Site) -> None:
    browser = await signed_in(site, "lee")
    asked = await browser.get("/ops/calls/11/cut")
    form = {"csrf": asked.csrf, "why": "  ", "off": "15"}
    refused = await browser.post("/ops/calls/11/cut", form)
    assert refused.status == 422
    assert "Say why" in refused.text
    done = await browser.post("/ops/calls/11/cut", form | {"why": "a threat\nwas heard"})
    assert done.status == 200
    assert "N-11 is being ended" in done.text
    assert site.view.cuts == [(11, "web:lee", "a threat was heard", 900, False)]
    entry = site.trail.entries[-1]
    assert (entry.who, entry.role, entry.what) == ("web:lee", "officer@north", "cut")
    assert (entry.target, entry.why) == ("call 11 at north", "a threat was heard")
    assert entry.address == "127.0.0.1"


async def test_a_call_of_another_facility_cannot_be_cut(site: Site) -> None:
    browser = await signed_in(site, "south")
    assert (await browser.get("/ops/calls/11/cut")).status == 403
    assert (await browser.get("/ops/calls/14/cut")).status == 200


async def test_a_forged_cut_is_refused(site: Site) -> None:
    browser = await signed_in(site, "lee")
    form = {"csrf": "0" * 64, "why": "a threat", "off": "0"}
    assert (await browser.post("/ops/calls/11/cut", form)).status == 403
    good = form | {"csrf": (await browser.get("/ops")).csrf}
    answer = await browser.post("/ops/calls/11/cut", good, origin="https://evil.example")
    assert answer.status == 403
    assert site.view.cuts == []


async def test_a_call_that_is_over_is_said_to_be_over(site: Site) -> None:
    browser = await signed_in(site, "lee")
    csrf = (await browser.get("/ops")).csrf
    form = {"csrf": csrf, "why": "a threat", "off": "0"}
    assert "over already" in (await browser.post("/ops/calls/99/cut", form)).text
    assert "over already" in (await browser.get("/ops/calls/99/cut")).text


async def test_htmx_gets_a_part_and_others_get_a_page(site: Site) -> None:
    browser = await signed_in(site, "lee")
    part = await browser.get("/ops/calls/11/cut", hx_request="true")
    assert "<html" not in part.text
    assert " autofocus" not in part.text
    whole = await browser.get("/ops/calls/11/cut")
    assert "<html" in whole.text
    assert " autofocus" in whole.text


async def test_what_a_terminal_is_called_cannot_break_the_page(site: Site) -> None:
    site.view.rows = [call(1, terminal='<script>alert("x")</script>')]
    page = await (await signed_in(site, "lee")).get("/ops")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


async def test_only_so_many_rows_are_drawn_and_the_rest_is_counted(site: Site) -> None:
    site.view.rows = [call(n) for n in range(250)]
    page = await (await signed_in(site, "lee")).get("/ops")
    assert page.text.count('scope="row"') == 200
    assert "50 more are not shown." in page.text


def test_beats_are_written_as_server_sent_events() -> None:
    text = ops.as_events(Beat(7, {"calls": "<p>\n\nnone</p>\n", "trunks": ""}))
    assert text == (
        "event: calls\ndata: <p>\ndata: none</p>\n\n"
        "event: trunks\ndata:\n\n"
        "id: 7\nevent: beat\ndata: 7\n\n"
    )
