"""A first account of one's own, further addresses, and who may call at its cost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switch.ids import AccountId
from switch.store import account_statements, payer_notice, payer_session_statements
from switch.store.account_statements import NewAccount
from tests.switch.web.browser import Answer
from tests.switch.web.family_scene import (
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


async def sent(browser: FamilyBrowser, path: str, form: dict[str, str]) -> Answer:
    page = await browser.get(path)
    answer = await browser.post(path, {"csrf": page.csrf} | form)
    for _ in range(5):  # what sends the codes has its turn
        await asyncio.sleep(0)
    return answer


async def contacts(site: FamilySite, account: AccountId) -> list[tuple[str, str]]:
    return await site.vault.read(lambda raw: payer_notice.contacts_of(raw, account))


@pytest.mark.parametrize(
    ("first", "second", "by"), [(PAT, PAT_NUMBER, "voice"), (PAT_NUMBER, PAT, "sms")]
)
async def test_mail_and_telephone_proved_open_an_account_that_is_usable_at_once(
    site: FamilySite, first: str, second: str, by: str
) -> None:
    browser = site.browser()
    await browser.enter(first)
    assert "Open an account" in (await browser.get("/family")).text
    asked = await sent(browser, "/family/open", {"address": second, "by": by})
    assert asked.status == 200
    assert site.post.sent[-1][1] == second
    form = {"address": second, "by": by, "code": site.post.code}
    answer = await sent(browser, "/family/open", form)
    assert answer.status == 303
    page = await browser.get(answer.headers["location"])
    assert "$0.00" in page.text
    (account,) = await site.vault.read(
        lambda raw: account_statements.find_all(raw, number=PAT_NUMBER)
    )
    assert account.kind == "called_prepaid"
    assert {address for _, address in await contacts(site, account.id)} == {PAT, PAT_NUMBER}
    again = await browser.get("/family/open")
    assert again.headers["location"] == "/family"


async def test_one_of_the_two_is_not_enough_and_a_wrong_code_opens_nothing(
    site: FamilySite,
) -> None:
    browser = site.browser()
    await browser.enter(PAT)
    assert (await sent(browser, "/family/open", {"address": SAM})).status == 422
    await sent(browser, "/family/open", {"address": PAT_NUMBER, "by": "sms"})
    wrong = "000000" if site.post.code != "000000" else "111111"
    form = {"address": PAT_NUMBER, "by": "sms", "code": wrong}
    assert (await sent(browser, "/family/open", form)).status == 422
    other = {"address": SAM_NUMBER, "by": "sms", "code": site.post.code}
    assert (await sent(browser, "/family/open", other)).status == 422
    assert await site.accounts.find_all(number=PAT_NUMBER) == []


async def test_a_number_that_an_account_pays_for_gets_no_second_one(site: FamilySite) -> None:
    await site.accounts.open(NewAccount(kind="called_prepaid", numbers=(PAT_NUMBER,)))
    browser = site.browser()
    await browser.enter(PAT)
    await sent(browser, "/family/open", {"address": PAT_NUMBER, "by": "sms"})
    form = {"address": PAT_NUMBER, "by": "sms", "code": site.post.code}
    answer = await sent(browser, "/family/open", form)
    assert "pays for this number already" in answer.text
    assert len(await site.accounts.find_all(number=PAT_NUMBER)) == 1


async def test_an_address_is_added_by_its_code_told_of_and_taken_away(site: FamilySite) -> None:
    account = await site.open(PAT, number=PAT_NUMBER)
    browser = site.browser()
    await browser.enter(PAT)
    path = f"/family/account/{account}/addresses"
    await sent(browser, path, {"address": SAM_NUMBER, "by": "sms", "pays": "yes"})
    form = {"address": SAM_NUMBER, "by": "sms", "code": site.post.code, "pays": "yes"}
    assert (await sent(browser, path, form)).status == 303
    assert await contacts(site, account) == [("mail", PAT), ("sms", SAM_NUMBER)]
    view = await site.accounts.find(account)
    assert view is not None
    assert SAM_NUMBER in view.numbers
    told = await site.vault.read(
        lambda raw: raw.execute("SELECT kind, recipient FROM payer_notice").fetchall()
    )
    assert ("address_added", PAT) in told
    sam = site.browser(address="198.51.100.9")
    await sam.enter(SAM_NUMBER)
    assert (await sam.get(path)).status == 200
    assert (await sent(browser, path, {"drop": PAT})).status == 422  # one's own stays
    assert (await sent(browser, path, {"drop": SAM_NUMBER})).status == 303
    assert (await sam.get(path)).status == 404  # at once, signed in or not


async def test_no_address_is_added_without_its_own_code(site: FamilySite) -> None:
    account = await site.open(PAT, number=PAT_NUMBER)
    browser = site.browser()
    page = await browser.ask_code(PAT)
    sign_in = site.post.code
    form = {"address": PAT, "way": "mail", "csrf": page.csrf, "code": sign_in}
    await browser.post("/family/code", form)
    path = f"/family/account/{account}/addresses"
    for code in (sign_in, "000000", ""):
        answer = await sent(browser, path, {"address": SAM, "by": "sms", "code": code})
        assert answer.status == 422
    site.clock.today += 60
    other = site.browser(address="198.51.100.9")
    await other.ask_code(SAM)  # a code to sign in with is worth nothing here
    form = {"address": SAM, "by": "sms", "code": site.post.code}
    assert (await sent(browser, path, form)).status == 422
    assert await site.vault.read(
        lambda raw: payer_session_statements.addresses_of(raw, account)
    ) == [PAT]


async def test_a_person_who_called_is_denied_and_approved(site: FamilySite) -> None:
    account = await site.open(PAT, number=PAT_NUMBER)
    await site.fund(account, 20)
    await site.talk(7, account, PAT_NUMBER)
    browser = site.browser()
    await browser.enter(PAT)
    path = f"/family/account/{account}/people"
    assert "may call at your cost" in (await browser.get(path)).text
    assert (await sent(browser, path, {"person": "123456", "verdict": "denied"})).status == 303
    page = await browser.get(path)
    assert "may not call at your cost" in page.text
    stranger = {"person": "999999", "verdict": "approved"}
    assert (await sent(browser, path, stranger)).status == 404
    assert (await sent(browser, path, {"person": "123456", "verdict": "owner"})).status == 404
    assert (await sent(browser, path, {"person": "123456", "verdict": "approved"})).status == 303
    assert "may not call" not in (await browser.get(path)).text


@pytest.mark.parametrize("page", ["/people", "/addresses"])
async def test_another_family_s_are_not_there_and_no_form_goes_without_its_token(
    site: FamilySite, page: str
) -> None:
    account = await site.open(PAT, number=PAT_NUMBER)
    await site.open(SAM, number=SAM_NUMBER)
    browser, other = site.browser(), site.browser(address="198.51.100.9")
    await browser.enter(PAT)
    await other.enter(SAM)
    path = f"/family/account/{account}{page}"
    assert (await other.get(path)).status == 404
    form = {"person": "123456", "verdict": "denied", "drop": PAT_NUMBER}
    assert (await browser.post(path, form)).status == 403
    csrf = (await other.get("/family")).headers["location"]
    token = (await other.get(csrf)).csrf
    assert (await other.post(path, form | {"csrf": token})).status == 404
    assert (await browser.post(path, form | {"csrf": token})).status == 403
