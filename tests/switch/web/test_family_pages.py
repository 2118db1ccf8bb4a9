"""What payers see and do: calls, money in and back, automatic payments, blocks, papers."""

import csv
import io
import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from switch.billing.claim import ClaimInput
from switch.billing.credit import Credit
from switch.ids import AccountId
from switch.routing.number import E164
from switch.store import (
    claim_statements,
    funding_statements,
    house_numbers,
    house_people,
    invoice_statements,
    ledger_verify,
    reload_statements,
)
from switch.store.engine import driver
from tests.switch.web.browser import Answer
from tests.switch.web.family_scene import (
    DOLLAR,
    PAT,
    PAT_NUMBER,
    SAM,
    SAM_NUMBER,
    FamilyBrowser,
    FamilySite,
    family_site,
)

pytestmark = pytest.mark.slow


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[FamilySite]:
    async with family_site(tmp_path) as found:
        yield found
        assert await found.vault.read(ledger_verify.verify) == []


async def at_home(
    site: FamilySite, *, kind: str = "called_prepaid", dollars: int = 20
) -> tuple[FamilyBrowser, AccountId, str]:
    """Pat, signed in; the account, and where it is."""
    account = await site.open(PAT, PAT_NUMBER, number=PAT_NUMBER, kind=kind)
    if dollars:
        await site.fund(account, dollars)
    browser = site.browser()
    assert (await browser.enter(PAT)).status == 303
    return browser, account, f"/family/account/{account}"


async def somebody_else(site: FamilySite) -> tuple[FamilyBrowser, AccountId]:
    account = await site.open(SAM, SAM_NUMBER, number=SAM_NUMBER)
    browser = site.browser(address="198.51.100.9")
    assert (await browser.enter(SAM)).status == 303
    return browser, account


def tags(page: Answer, pattern: str) -> list[str]:
    return re.findall(pattern, page.text)


# ---- calls


async def test_a_call_shows_who_how_long_what_it_cost_and_why_it_ended(site: FamilySite) -> None:
    browser, account, home = await at_home(site)
    charged = await site.talk(7, account, PAT_NUMBER, seconds=20)
    name = await site.store.read(lambda c: house_people.known(driver(c), "123456").name)
    page = await browser.get(home)
    assert f"${charged / 1e6:.6f}".rstrip("0") in page.text
    assert name in page.text
    assert "0:20 at $0.11 a minute" in page.text
    assert "You hung up." in page.text
    assert "555-201-0123" in page.text


async def test_a_credit_stands_beside_the_call_that_it_is_for(site: FamilySite) -> None:
    browser, account, home = await at_home(site)
    await site.talk(8, account, PAT_NUMBER, seconds=20, credit=Credit.LAST_60, reason="maintenance")
    page = await browser.get(f"{home}/calls")
    assert "came back" in page.text
    assert "The last minute is paid back" in page.text
    assert "/call/8" not in page.text  # all of it came back: nothing to ask for


@pytest.mark.parametrize(
    ("reason", "is_shown"),
    [("no_funds", True), ("busy", True), ("blocked_security", False), ("bad_pin", False)],
)
async def test_a_refusal_that_is_nobody_else_s_affair_is_not_shown(
    site: FamilySite, reason: str, *, is_shown: bool
) -> None:
    browser, _, home = await at_home(site)
    await site.record(9, PAT_NUMBER, reason)
    page = await browser.get(f"{home}/calls")
    assert ("No calls yet" not in page.text) == is_shown


async def test_what_somebody_else_paid_is_not_shown(site: FamilySite) -> None:
    browser, _, home = await at_home(site)
    await site.record(9, PAT_NUMBER, "called_hangup", account=77)
    assert "No calls yet" in (await browser.get(f"{home}/calls")).text


async def test_a_person_s_own_account_shows_no_calls(site: FamilySite) -> None:
    browser, _, home = await at_home(site, kind="caller_debit")
    await site.record(9, PAT_NUMBER, "called_hangup")
    page = await browser.get(home)
    assert "belongs to the person in custody" in page.text
    assert "You hung up" not in page.text
    assert (await browser.get(f"{home}/calls")).status == 404
    assert (await browser.get(f"{home}/blocks")).status == 404
    assert (await browser.get(f"{home}/back")).status == 404


async def test_a_charge_is_asked_back_denied_and_appealed(site: FamilySite) -> None:
    browser, account, home = await at_home(site)
    await site.talk(7, account, PAT_NUMBER)
    assert f"{home}/call/7" in (await browser.get(f"{home}/calls")).text
    call = f"{home}/call/7"
    empty = await browser.submit(call, {"why": " "}, at=call)
    assert empty.status == 422
    assert (await browser.submit(call, {"why": "nobody heard me"}, at=call)).status == 303
    page = await browser.get(call)
    assert "We have your request" in page.text
    assert "nobody heard me" in page.text
    (claim,) = await site.vault.read(partial(claim_statements.listed, rows_max=9))

    async def decide(kind: ClaimInput, by: str) -> None:
        at = site.clock.wall()
        await site.vault.write(
            lambda raw: claim_statements.decide(raw, claim.id, kind, by=by, why="so", at=at)
        )

    await decide(ClaimInput.DENY, "lee")
    assert "You may appeal" in (await browser.get(call)).text
    assert (await browser.submit(call, {"why": "look again"}, at=call)).status == 303
    await decide(ClaimInput.GRANT, "page")
    assert "Granted" in (await browser.get(call)).text
    assert "came back" in (await browser.get(f"{home}/calls")).text


# ---- money


async def pay_page(browser: FamilyBrowser, home: str, amount: str, **more: str) -> Answer:
    return await browser.submit(f"{home}/deposit", {"amount": amount} | more, at=f"{home}/deposit")


async def test_a_deposit_is_what_our_server_reads_and_not_what_the_address_says(
    site: FamilySite,
) -> None:
    browser, _, home = await at_home(site, dollars=0)
    page = await pay_page(browser, home, "20")
    assert "$0.00" in page.text
    (url,) = tags(page, r'href="(https://checkout[^"]+)"')
    session = url.rsplit("/", 1)[1]
    (funding,) = await site.vault.read(partial(funding_statements.listed, rows_max=9))
    back = f"/family/deposit/{funding.id}"
    for lie in ("?back=done", "?state=paid&amount=500", "?back=cancelled"):
        said = await browser.get(back + lie)
        assert "We wait for the card processor" in said.text
        assert said.headers["refresh"] == "5"
    site.stripe.pay(session)
    await site.told()
    said = await browser.get(f"{back}?back=cancelled")
    assert "Your deposit has arrived" in said.text
    assert "$20.00" in said.text
    assert "refresh" not in said.headers
    assert "$20.00" in (await browser.get(home)).text


async def test_a_lost_webhook_is_made_good_by_our_own_question(site: FamilySite) -> None:
    browser, _, home = await at_home(site, dollars=0)
    page = await pay_page(browser, home, "$7,50")
    (session,) = tags(page, r"/pay/(cs_\w+)")
    site.stripe.pay(session)
    (funding,) = await site.vault.read(partial(funding_statements.listed, rows_max=9))
    assert "Your deposit has arrived" in (await browser.get(f"/family/deposit/{funding.id}")).text
    assert "$7.50" in (await browser.get(home)).text


async def test_a_page_that_was_not_used_says_that_nothing_was_paid(site: FamilySite) -> None:
    browser, _, home = await at_home(site)
    page = await pay_page(browser, home, "20")
    (session,) = tags(page, r"/pay/(cs_\w+)")
    site.stripe.expire(session)
    (funding,) = await site.vault.read(partial(funding_statements.listed, rows_max=9))
    assert "Nothing was paid" in (await browser.get(f"/family/deposit/{funding.id}")).text


@pytest.mark.parametrize("amount", ["", "0", "0.99", "500.01", "1.001", "-5", "1e3", "NaN"])
async def test_an_amount_that_no_card_brings(site: FamilySite, amount: str) -> None:
    browser, _, home = await at_home(site)
    answer = await pay_page(browser, home, amount)
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert site.stripe.requests == []


async def test_a_processor_that_is_away_is_said_so(site: FamilySite) -> None:
    browser, _, home = await at_home(site)
    site.stripe.is_down = True
    answer = await pay_page(browser, home, "20")
    assert (answer.status, "Nothing was charged" in answer.text) == (422, True)


async def test_money_goes_back_to_its_card_once_however_often_the_form_is_sent(
    site: FamilySite,
) -> None:
    browser, account, home = await at_home(site, dollars=5)
    page = await pay_page(browser, home, "20")
    (session,) = tags(page, r"/pay/(cs_\w+)")
    site.stripe.pay(session)
    await site.told()
    form = await browser.get(f"{home}/back")
    (name,) = tags(form, r'name="name" value="([^"]+)"')
    sent = {"csrf": form.csrf, "name": name, "amount": "22.00"}
    done = await browser.post(f"{home}/back", sent)
    assert "To your cards: $20.00" in done.text
    assert "By cheque or transfer: $2.00" in done.text
    assert (await browser.post(f"{home}/back", sent)).status == 422
    more = await browser.post(f"{home}/back", sent | {"name": "x", "amount": "1.00"})
    assert more.status == 422
    assert (await site.accounts.find(account)).account.purse.posted == 3 * DOLLAR  # type: ignore[union-attr]


async def test_a_month_adds_up_on_the_page_and_in_its_files(site: FamilySite) -> None:
    browser, account, home = await at_home(site)
    charged = await site.talk(7, account, PAT_NUMBER)
    page = await browser.get(f"{home}/money")
    assert "+$20.00" in page.text
    (month,) = tags(page, r"<option selected>([\d-]+)</option>")
    found = await browser.get(f"{home}/money/{month}.csv")
    rows = list(csv.reader(io.StringIO(found.text)))
    assert [row[1] for row in rows[2:-1]] == ["fund", "settle"]
    assert float(rows[-1][4]) == pytest.approx(20 - charged / 1e6)
    for bad in ("1999-13", "x", "2026-11.exe", "../x"):
        assert (await browser.get(f"{home}/money/{bad}.csv")).status == 404
    assert (await browser.get(f"{home}/money?month=9999999")).status == 404


async def test_an_attorney_has_the_invoice_as_pdf_and_csv(site: FamilySite) -> None:
    browser, account, home = await at_home(site, kind="called_direct", dollars=0)
    await site.talk(7, account, PAT_NUMBER)
    site.clock.today += 40 * 86_400
    at = site.clock.wall()
    month = "2030-03"
    invoice = await site.vault.write(
        lambda raw: invoice_statements.issue(raw, account, month, at=at)
    )
    browser = site.browser()
    await browser.enter(PAT)
    page = await browser.get(f"{home}/money?month={month}")
    assert f"{home}/invoice/{invoice.number}.pdf" in page.text
    found = await browser.get(f"{home}/invoice/{invoice.number}.csv")
    assert f"{invoice.total_cents / 100:.2f}" in found.text
    pdf = await browser.get_bytes(f"{home}/invoice/{invoice.number}.pdf")
    assert pdf.startswith(b"%PDF-")
    other, _ = await somebody_else(site)
    assert (await other.get(f"{home}/invoice/{invoice.number}.pdf")).status == 404


# ---- automatic payments


async def test_automatic_payments_are_agreed_to_in_words_that_are_kept(site: FamilySite) -> None:
    browser, account, home = await at_home(site, dollars=0)
    reload = f"{home}/reload"
    assert "No card is saved" in (await browser.get(reload)).text
    page = await pay_page(browser, home, "20", save="yes")
    (session,) = tags(page, r"/pay/(cs_\w+)")
    site.stripe.pay(session)
    await site.told()
    values = {"below": "5", "amount": "20", "day": "40", "month": "60"}
    query = "&".join(f"{name}={value}" for name, value in values.items())
    asked = await browser.get(f"{reload}?{query}")
    words = "my saved card is charged $20.00 whenever the balance falls below $5.00"
    assert words in asked.text
    assert (await browser.post(reload, values | {"do": "agree", "csrf": asked.csrf})).status == 200
    assert await site.vault.read(lambda raw: reload_statements.find(raw, account)) is None
    agree = values | {"do": "agree", "consent": "yes", "csrf": asked.csrf}
    assert (await browser.post(reload, agree)).status == 303
    rows = await site.vault.read(
        lambda raw: raw.execute("SELECT state, consent_text FROM reload").fetchall()
    )
    assert rows[0][0] == "on"
    assert words in rows[0][1]
    await browser.post(reload, {"do": "pause", "csrf": asked.csrf})
    assert "Paused" in (await browser.get(reload)).text
    await browser.post(reload, {"do": "forget", "csrf": asked.csrf})
    page = await browser.get(reload)
    assert "Stopped" in page.text
    assert "No card is saved" in page.text
    assert (await browser.post(reload, {"do": "delete", "csrf": asked.csrf})).status == 400


# ---- blocks


async def test_a_block_is_put_and_taken_back_by_whoever_is_called(site: FamilySite) -> None:
    browser, account, home = await at_home(site)
    await site.talk(7, account, PAT_NUMBER)
    blocks = f"{home}/blocks"
    page = await browser.get(blocks)
    assert "Nobody is blocked" in page.text
    form = {"number": PAT_NUMBER, "who": "person:123456", "csrf": page.csrf}
    assert (await browser.post(blocks, form)).status == 303

    async def blocked() -> bool:
        return await site.store.read(
            lambda c: (
                house_numbers.keypad_block_of(
                    driver(c), PAT_NUMBER, person="123456", facility="F1", agency=""
                )
                is not None
            )
        )

    assert await blocked()
    page = await browser.get(blocks)
    (block,) = tags(page, r'name="undo" value="(\d+)"')
    undo = {"number": PAT_NUMBER, "undo": block, "csrf": page.csrf}
    assert (await browser.post(blocks, undo)).status == 303
    assert not await blocked()


async def test_nobody_blocks_for_another_s_number_or_takes_their_block_back(
    site: FamilySite,
) -> None:
    browser, account, home = await at_home(site)
    await site.talk(7, account, PAT_NUMBER)
    await somebody_else(site)
    await site.houses.keypad_block(number=E164(SAM_NUMBER), scope="facility", target="F1")
    blocks = f"{home}/blocks"
    csrf = (await browser.get(blocks)).csrf

    async def status(**form: str) -> int:
        return (await browser.post(blocks, {"csrf": csrf} | form)).status

    assert await status(number=SAM_NUMBER, who="person:123456") == 404
    assert await status(number=SAM_NUMBER, undo="1") == 404
    assert await status(number=PAT_NUMBER, undo="1") == 303  # not among their own: nothing
    assert await status(number=PAT_NUMBER, who="facility:ELSEWHERE") == 422
    assert await status(number=PAT_NUMBER, who="") == 422
    left = await site.store.read(
        lambda c: house_numbers.keypad_blocks_of(driver(c), E164(SAM_NUMBER))
    )
    assert len(left) == 1


# ---- whoever should not


PAGES = ("", "/calls", "/money", "/deposit", "/reload", "/blocks", "/back", "/call/7")


@pytest.mark.parametrize("page", PAGES)
async def test_another_family_s_pages_are_not_there(site: FamilySite, page: str) -> None:
    _, account, home = await at_home(site)
    await site.talk(7, account, PAT_NUMBER)
    other, own = await somebody_else(site)
    assert (await other.get(home + page)).status == 404
    csrf = (await other.get(f"/family/account/{own}")).csrf
    form = {"csrf": csrf, "amount": "20", "do": "agree", "why": "mine", "name": "x", "number": "x"}
    if page not in {"", "/calls", "/money"}:
        assert (await other.post(home + page, form)).status == 404
    stranger = site.browser(address="203.0.113.5")
    assert (await stranger.get(home + page)).status == 303


async def test_a_call_of_another_family_is_not_theirs_to_ask_for(site: FamilySite) -> None:
    _, account, _ = await at_home(site)
    await site.talk(7, account, PAT_NUMBER)
    other, own = await somebody_else(site)
    call = f"/family/account/{own}/call/7"
    assert (await other.get(call)).status == 404
    assert (await other.submit(call, {"why": "give it to me"})).status == 404
    assert await site.vault.read(partial(claim_statements.listed, rows_max=9)) == []


async def test_another_family_s_deposit_says_nothing(site: FamilySite) -> None:
    browser, _, home = await at_home(site)
    await pay_page(browser, home, "20")
    (funding,) = await site.vault.read(partial(funding_statements.listed, rows_max=9))
    other, _ = await somebody_else(site)
    assert (await other.get(f"/family/deposit/{funding.id}")).status == 404
    for name in ("nothing", "a\x00b", "x" * 65, "Ω"):
        assert (await other.get(f"/family/deposit/{name}")).status == 404


HUGE = "9" * 40


@pytest.mark.parametrize(
    "page", [f"/call/{HUGE}", "/call/0", f"/invoice/{HUGE}.pdf", "/invoice/0.csv", "/call/-1"]
)
async def test_an_id_that_nothing_has_is_nothing(site: FamilySite, page: str) -> None:
    browser, _, home = await at_home(site)
    assert (await browser.get(home + page)).status == 404
    assert (await browser.get(f"/family/account/{HUGE}")).status == 404


async def test_signs_that_no_database_takes_are_left_out(site: FamilySite) -> None:
    browser, account, home = await at_home(site)
    await site.talk(7, account, PAT_NUMBER)
    call = f"{home}/call/7"
    sent = {"why": "no\x00thing\r\nwas\u200b heard"}
    assert (await browser.submit(call, sent, at=call)).status == 303
    assert "no thing was heard" in (await browser.get(call)).text
    blocks = {"number": PAT_NUMBER, "undo": HUGE, "csrf": (await browser.get(call)).csrf}
    assert (await browser.post(f"{home}/blocks", blocks)).status == 303


@pytest.mark.parametrize("page", ["/deposit", "/reload", "/blocks", "/back", "/call/7"])
async def test_no_form_does_anything_without_its_token(site: FamilySite, page: str) -> None:
    browser, account, home = await at_home(site)
    await site.talk(7, account, PAT_NUMBER)
    form = {"amount": "20", "do": "pause", "why": "mine", "name": "x", "number": PAT_NUMBER}
    for csrf in ({}, {"csrf": "0" * 64}):
        assert (await browser.post(home + page, form | csrf)).status == 403
    good = {"csrf": (await browser.get(home)).csrf}
    evil = await browser.post(home + page, form | good, origin="https://evil.example")
    assert evil.status == 403
    assert site.stripe.requests == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_page_is_drawn_in_both_languages(
    site: FamilySite, page: str, language: str
) -> None:
    browser, account, home = await at_home(site)
    await site.talk(7, account, PAT_NUMBER)
    answer = await browser.get(f"{home}{page}?lang={language}")
    assert answer.status == 200
    assert f'<html lang="{language}">' in answer.text
    assert "<script" not in answer.text
    unlabelled = set(tags(answer, r'<(?:input|select|textarea) id="(\w+)"')) - set(
        tags(answer, r'<label for="(\w+)"')
    )
    assert not unlabelled
