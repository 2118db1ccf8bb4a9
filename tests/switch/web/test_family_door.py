"""The way in for payers: codes, cookies, and everybody who should not come in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switch.web.settings import WebSettings
from tests.switch.web.family_scene import (
    PAT,
    PAT_NUMBER,
    SAM,
    SAM_NUMBER,
    FamilySite,
    family_site,
)

pytestmark = pytest.mark.slow


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[FamilySite]:
    async with family_site(tmp_path) as found:
        yield found


async def test_a_code_by_mail_lets_its_owner_in(site: FamilySite) -> None:
    account = await site.open(PAT, number=PAT_NUMBER)
    await site.fund(account, 20)
    browser = site.browser()
    answer = await browser.enter("Pat@Example.invalid ")
    assert (answer.status, answer.headers["location"]) == (303, "/family")
    assert site.post.sent[0][:2] == ("mail", PAT)
    home = await browser.get("/family")
    assert home.headers["location"] == f"/family/account/{account}"
    page = await browser.get(home.headers["location"])
    assert "$20.00" in page.text
    assert PAT in page.text


@pytest.mark.parametrize("by", ["sms", "voice"])
async def test_a_code_to_a_telephone_lets_its_owner_in(site: FamilySite, by: str) -> None:
    await site.open(PAT_NUMBER, number=PAT_NUMBER)
    answer = await site.browser().enter("(555) 201-0123", by)
    assert answer.status == 303
    assert site.post.sent[0][:2] == (by, PAT_NUMBER)


async def test_a_spanish_reader_is_written_to_in_spanish(site: FamilySite) -> None:
    browser = site.browser()
    page = await browser.get("/family/sign-in?lang=es")
    assert "No hay contraseña" in page.text
    await browser.ask_code(PAT_NUMBER, "voice")
    assert site.post.sent[0][2].startswith("es: ")


async def test_the_cookie_is_for_this_host_only_and_no_script_reads_it(tmp_path: Path) -> None:
    settings = WebSettings(public_origin="https://switch.example")
    async with family_site(tmp_path, settings) as site:
        browser = site.browser()
        browser.headers = {"host": "switch.example", "origin": "https://switch.example"}
        answer = await browser.enter(PAT)
        cookie = answer.headers["set-cookie"]  # the last one: the form's is dropped
        assert cookie.startswith("__Host-kinline-form")
        assert "__Host-kinline-payer" in browser.cookies
        assert len(browser.cookies["__Host-kinline-payer"]) >= 43
        rows = await site.vault.read(
            lambda raw: raw.execute("SELECT * FROM payer_session").fetchall()
        )
        assert browser.cookies["__Host-kinline-payer"] not in repr(rows)
        page = await browser.get("/family")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["strict-transport-security"]


async def test_the_answer_never_says_whom_we_know(site: FamilySite) -> None:
    await site.open(PAT, number=PAT_NUMBER)
    known = await site.browser().ask_code(PAT)
    unknown = await site.browser(address="192.0.2.8").ask_code(SAM)

    def plain(text: str, address: str) -> str:
        csrf = text.split('name="csrf" value="')[1].split('"', maxsplit=1)[0]
        return text.replace(address, "X").replace(csrf, "T")

    assert known.status == unknown.status == 200
    assert plain(known.text, PAT) == plain(unknown.text, SAM)
    assert [way for way, *_ in site.post.sent] == ["mail", "mail"]


async def test_who_has_no_account_sees_nobody_else_s(site: FamilySite) -> None:
    account = await site.open(PAT, number=PAT_NUMBER)
    browser = site.browser()
    await browser.enter(SAM)
    assert "No account yet" in (await browser.get("/family")).text
    assert (await browser.get(f"/family/account/{account}")).status == 404
    assert (await browser.get("/family/account/99999")).status == 404


async def test_a_code_is_good_once(site: FamilySite) -> None:
    browser = site.browser()
    page = await browser.ask_code(PAT)
    form = {"address": PAT, "way": "mail", "code": site.post.code, "csrf": page.csrf}
    assert (await browser.post("/family/code", form)).status == 303
    other = site.browser(address="192.0.2.9")
    again = await other.get("/family/sign-in")
    assert (await other.post("/family/code", form | {"csrf": again.csrf})).status == 403
    assert "kinline-payer" not in other.cookies


async def test_a_code_for_one_address_opens_no_other(site: FamilySite) -> None:
    await site.open(PAT, number=PAT_NUMBER)
    browser = site.browser()
    page = await browser.ask_code(SAM)
    form = {"address": PAT, "way": "mail", "code": site.post.code, "csrf": page.csrf}
    assert (await browser.post("/family/code", form)).status == 403


async def test_wrong_codes_run_out_and_then_the_right_one_is_no_use(site: FamilySite) -> None:
    browser = site.browser()
    page = await browser.ask_code(PAT)
    right = site.post.code
    wrong = "000000" if right != "000000" else "111111"
    form = {"address": PAT, "way": "mail", "csrf": page.csrf}
    for _ in range(5):
        assert (await browser.post("/family/code", form | {"code": wrong})).status == 403
    assert (await browser.post("/family/code", form | {"code": right})).status == 429
    elsewhere = site.browser(address="198.51.100.1")
    page = await elsewhere.get("/family/sign-in")
    answer = await elsewhere.post("/family/code", form | {"code": right, "csrf": page.csrf})
    assert answer.status == 403
    assert "Ask for a new one" in answer.text


async def test_a_code_ends_after_ten_minutes(site: FamilySite) -> None:
    browser = site.browser()
    page = await browser.ask_code(PAT)
    site.clock.today += 600
    form = {"address": PAT, "way": "mail", "csrf": page.csrf, "code": site.post.code}
    assert (await browser.post("/family/code", form)).status == 403


async def test_codes_are_not_sent_in_a_row(site: FamilySite) -> None:
    browser = site.browser()
    assert (await browser.ask_code(PAT)).status == 200
    assert (await browser.ask_code("PAT@example.invalid")).status == 429
    site.clock.today += 30
    assert (await browser.ask_code(PAT)).status == 200
    assert len(site.post.sent) == 2


async def test_one_place_cannot_ask_for_codes_all_day(site: FamilySite) -> None:
    statuses = []
    for n in range(45):
        browser = site.browser(address=f"2001:db8::{n + 1:x}")  # one home, many addresses
        site.clock.now += 1
        statuses.append((await browser.ask_code(f"p{n}@site{n}.invalid")).status)
    assert statuses.count(200) == 40


async def test_a_flood_is_turned_away_before_anything_is_written(site: FamilySite) -> None:
    statuses = []
    for n in range(25):
        browser = site.browser(address=f"198.51.100.{n}")
        statuses.append((await browser.ask_code(f"p{n}@site{n}.invalid")).status)
    assert statuses == [200] * 20 + [429] * 5
    ((kept,),) = await site.vault.read(
        lambda raw: raw.execute("SELECT count(*) FROM code_sent").fetchall()
    )
    assert kept == 20


@pytest.mark.parametrize(
    "typed", ["", "911", "+1 900 555 0123", "+44 20 7946 0123", "a b@c", "@", "a\x00@b.c"]
)
async def test_no_code_goes_where_it_must_not(site: FamilySite, typed: str) -> None:
    answer = await site.browser().ask_code(typed)
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert site.post.sent == []


@pytest.mark.parametrize("cookie", ["", "x", "0" * 43, "x" * 5000, "../../etc", "Ω"])
async def test_a_forged_cookie_is_nobody(site: FamilySite, cookie: str) -> None:
    account = await site.open(PAT, number=PAT_NUMBER)
    browser = site.browser()
    browser.cookies["kinline-payer"] = cookie
    answer = await browser.get(f"/family/account/{account}")
    assert answer.status == 303
    assert answer.headers["location"] == f"/family/sign-in?next=/family/account/{account}"


async def test_what_the_store_holds_of_a_session_does_not_sign_in(site: FamilySite) -> None:
    await site.browser().enter(PAT)
    ((kept,),) = await site.vault.read(
        lambda raw: raw.execute("SELECT hash FROM payer_session").fetchall()
    )
    thief = site.browser()
    thief.cookies["kinline-payer"] = kept
    assert (await thief.get("/family")).headers["location"].startswith("/family/sign-in")


async def test_a_staff_cookie_is_no_payer_s(site: FamilySite) -> None:
    browser = site.browser()
    await browser.enter(PAT)
    browser.cookies["kinline"] = browser.cookies["kinline-payer"]
    assert (await browser.get("/ops")).status == 303


async def test_forms_from_elsewhere_are_refused(site: FamilySite) -> None:
    browser = site.browser()
    page = await browser.ask_code(PAT)
    form = {"address": PAT, "way": "mail", "code": site.post.code, "csrf": page.csrf}
    for bad in ({"csrf": ""}, {"csrf": "0" * 64}):
        assert (await browser.post("/family/code", form | bad)).status == 403
    evil = await browser.post("/family/code", form, origin="https://evil.example")
    assert evil.status == 403
    other = site.browser(address="192.0.2.9")
    assert (await other.post("/family/code", form)).status == 403
    assert (await browser.post("/family/code", form)).status == 303
    assert (await browser.post("/family/sign-out", {})).status == 403
    assert (await browser.get("/family")).status == 200


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/ops", "/family/../ops", "/family\r\nx: y"]
)
async def test_a_sign_in_leads_nowhere_else(site: FamilySite, to: str) -> None:
    browser = site.browser()
    page = await browser.ask_code(PAT)
    form = {"address": PAT, "way": "mail", "code": site.post.code, "csrf": page.csrf}
    answer = await browser.post("/family/code", form | {"next": to})
    assert answer.headers["location"] == "/family"


@pytest.mark.parametrize("later_s", [3600, 12 * 3600])
async def test_a_sign_in_ends_by_itself(site: FamilySite, later_s: int) -> None:
    browser = site.browser()
    await browser.enter(PAT)
    site.clock.today += later_s
    assert (await browser.get("/family")).status == 303


async def test_signing_out_ends_this_one_or_all(site: FamilySite) -> None:
    one, two = site.browser(), site.browser(address="192.0.2.9")
    await one.enter(PAT)
    site.clock.today += 60
    await two.enter(PAT)
    kept = two.cookies["kinline-payer"]
    await two.submit("/family/sign-out", {})
    two.cookies["kinline-payer"] = kept
    assert (await two.get("/family")).status == 303
    assert (await one.get("/family")).status == 200
    site.clock.today += 130
    await two.enter(PAT)
    await two.submit("/family/sign-out", {"everywhere": "yes"})
    assert (await one.get("/family")).status == 303


async def test_each_sign_in_has_a_new_id_and_stands_in_the_trail(site: FamilySite) -> None:
    browser = site.browser()
    browser.cookies["kinline-payer"] = "chosen by somebody else"
    await browser.enter(SAM_NUMBER)
    assert browser.cookies["kinline-payer"] != "chosen by somebody else"
    entry = site.trail.entries[-1]
    assert (entry.who, entry.what, entry.after) == ("payer:…0199", "login", "let in")


async def test_a_sign_in_is_a_sign_of_interest(site: FamilySite) -> None:
    account = await site.open(PAT, number=PAT_NUMBER)
    await site.browser().enter(PAT)
    rows = await site.vault.read(
        lambda raw: raw.execute("SELECT account_id, what FROM account_sign").fetchall()
    )
    assert rows == [(account, "signed in")]


async def test_behind_our_own_proxy_each_person_counts_alone(tmp_path: Path) -> None:
    async with family_site(tmp_path, WebSettings(proxies=["192.0.2.7"])) as site:
        for n in range(45):
            browser = site.browser()
            site.clock.now += 1
            browser.headers["x-forwarded-for"] = f"10.9.9.9, 198.51.100.{n}"
            assert (await browser.ask_code(f"p{n}@site{n}.invalid")).status == 200
