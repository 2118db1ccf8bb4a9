from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switch.web.settings import WebSettings
from tests.switch.web.scene import PASSWORD, Site, open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = await open_site(tmp_path)
    yield made
    await made.store.close()


async def test_staff_sign_in_and_out(site: Site) -> None:
    browser = site.browser()
    assert (await browser.get("/ops")).headers["location"] == "/ops/sign-in"
    answer = await browser.sign_in("lee", PASSWORD)
    assert (answer.status, answer.headers["location"]) == (303, "/ops")
    page = await browser.get("/ops")
    assert page.status == 200
    assert (await browser.post("/ops/sign-out", {"csrf": page.csrf})).status == 303
    assert (await browser.get("/ops")).status == 303
    told = [(entry.who, entry.what, entry.after) for entry in site.trail.entries]
    assert told == [("web:lee", "login", "let in"), ("web:lee", "logout", "")]


async def test_the_cookie_is_a_secret_of_256_bits_that_no_script_reads(site: Site) -> None:
    browser = site.browser()
    await browser.sign_in("lee", PASSWORD)
    assert len(browser.cookies["kinline"]) == 43
    rows = await site.store.read(lambda c: c.exec_driver_sql("SELECT * FROM staff_session").all())
    assert len(rows) == 1
    assert browser.cookies["kinline"] not in str(rows)


async def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    site = await open_site(tmp_path, WebSettings(public_origin="https://switch.example"))
    browser = site.browser()
    browser.headers = {"host": "switch.example", "origin": "https://switch.example"}
    await browser.sign_in("lee", PASSWORD)
    assert list(browser.cookies) == ["__Host-kinline"]
    page = await browser.get("/ops")
    assert page.status == 200
    assert "strict-transport-security" in page.headers
    await site.store.close()


@pytest.mark.parametrize(("name", "password"), [("lee", "wrong horse"), ("nobody", PASSWORD)])
async def test_a_wrong_name_and_a_wrong_password_look_the_same(
    site: Site, name: str, password: str
) -> None:
    answer = await site.browser().sign_in(name, password)
    assert answer.status == 403
    assert "Name, password or code is wrong." in answer.text
    assert site.trail.entries[-1].after == "refused: wrong name or password"


async def test_the_password_alone_lets_nobody_in(site: Site) -> None:
    browser = site.browser()
    for wrong in ("", "000000", "12345", site.code("lee") + "0"):
        answer = await browser.sign_in("lee", PASSWORD, wrong)
        assert (answer.status, "is wrong" in answer.text) == (403, True)
        assert site.trail.entries[-1].after == "refused: wrong code"
    assert (await browser.sign_in("lee", PASSWORD, site.code("lee"))).status == 303


async def test_a_code_is_good_once(site: Site) -> None:
    code = site.code("lee")
    assert (await site.browser().sign_in("lee", PASSWORD, code)).status == 303
    assert (await site.browser().sign_in("lee", PASSWORD, code)).status == 403
    assert site.trail.entries[-1].after == "refused: the code was used before"


async def test_a_stranger_cannot_spend_somebody_s_code(site: Site) -> None:
    code = site.code("lee")
    assert (await site.browser().sign_in("lee", "wrong horse", code)).status == 403
    assert (await site.browser().sign_in("lee", PASSWORD, code)).status == 303


async def test_who_has_no_second_factor_is_told_how_to_get_one_in_the_trail(site: Site) -> None:
    await site.store.write(lambda c: c.exec_driver_sql("UPDATE staff SET totp_sealed = NULL"))
    assert (await site.browser().sign_in("lee", PASSWORD)).status == 403
    said = "refused: no second factor yet: kinline staff totp lee"
    assert site.trail.entries[-1].after == said


@pytest.mark.slow
async def test_the_sixth_wrong_try_waits_and_even_the_right_password_waits(site: Site) -> None:
    browser = site.browser()
    for _ in range(5):
        assert (await browser.sign_in("lee", "wrong horse")).status == 403
    answer = await browser.sign_in("lee", PASSWORD)
    assert answer.status == 429
    assert answer.headers["retry-after"] == "900"
    assert "Wait 15 minutes" in answer.text


async def test_a_disabled_member_is_out_at_once(site: Site) -> None:
    browser = site.browser()
    await browser.sign_in("lee", PASSWORD)
    await site.store.write(lambda c: c.exec_driver_sql("UPDATE staff SET disabled_at_micros = 1"))
    assert (await browser.get("/ops")).status == 303
    assert (await browser.sign_in("lee", PASSWORD)).status == 403


@pytest.mark.parametrize("later_s", [3600, 12 * 3600])
async def test_a_sign_in_ends_by_itself(site: Site, later_s: int) -> None:
    browser = site.browser()
    await browser.sign_in("lee", PASSWORD)
    clock = site.clock
    clock.today += later_s  # type: ignore[attr-defined]  # the clock of the scene
    assert (await browser.get("/ops")).status == 303


async def test_a_form_from_elsewhere_is_refused(site: Site) -> None:
    browser = site.browser()
    page = await browser.get("/ops/sign-in")
    form = {"name": "lee", "password": PASSWORD, "code": site.code("lee"), "csrf": page.csrf}
    assert (await browser.post("/ops/sign-in", form, origin="https://evil.example")).status == 403
    assert (await browser.post("/ops/sign-in", form, origin="")).status == 403
    assert (await browser.post("/ops/sign-in", form | {"csrf": "0" * 64})).status == 403
    other = site.browser()
    assert (await other.post("/ops/sign-in", form)).status == 403
    assert (await browser.post("/ops/sign-in", form)).status == 303


async def test_a_name_that_points_here_is_not_ours(site: Site) -> None:
    browser = site.browser()
    browser.headers["host"] = "rebound.example:8080"
    assert (await browser.get("/metrics")).status == 400


async def test_metrics_are_for_this_machine_or_for_who_has_the_token(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token-of-this-test\n")
    site = await open_site(tmp_path, WebSettings(metrics_token_file=str(token)))
    near, far = site.browser(), site.browser(address="192.0.2.7")
    answer = await near.get("/metrics")
    assert (answer.status, answer.text) == (200, "kinline_calls_active 5.0\n")
    assert (await far.get("/metrics")).status == 403
    assert (await near.get("/metrics", x_forwarded_for="192.0.2.7")).status == 403
    assert (await far.get("/metrics", authorization="Bearer wrong")).status == 403
    good = await far.get("/metrics", authorization="Bearer a-token-of-this-test")
    assert good.status == 200
    await site.store.close()


async def test_the_public_page_says_one_thing_in_the_readers_language(site: Site) -> None:
    browser = site.browser()
    assert "The telephones work." in (await browser.get("/status")).text
    site.view.draining = True
    spanish = (await browser.get("/status", accept_language="es-MX")).text
    assert "no hay llamadas nuevas" in spanish
    assert '<html lang="es">' in spanish
    assert "N-11" not in spanish


async def test_the_root_leads_to_operations_for_now(site: Site) -> None:
    assert (await site.browser().get("/")).headers["location"] == "/ops"


async def test_every_answer_ties_the_browser_down(site: Site) -> None:
    browser = site.browser()
    for path in ("/status", "/ops/sign-in", "/nowhere", "/static/kinline.css"):
        headers = (await browser.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def test_no_page_has_a_script_or_a_style_in_line(site: Site) -> None:
    browser = site.browser()
    pages = [await browser.get("/status"), await browser.get("/ops/sign-in")]
    await browser.sign_in("lee", PASSWORD)
    pages.append(await browser.get("/ops"))
    for page in pages:
        assert "<script>" not in page.text
        assert "<style" not in page.text
        assert " style=" not in page.text
        assert " onclick" not in page.text


@pytest.mark.parametrize("length", ["16385", "-1", "many"])
async def test_a_body_must_be_short_and_say_so(site: Site, length: str) -> None:
    answer = await site.browser().send("POST", "/ops/sign-in", b"", {"content-length": length})
    assert answer.status == 413


async def test_the_language_that_was_asked_for_is_remembered(site: Site) -> None:
    browser = site.browser()
    await browser.get("/ops/sign-in?lang=es")
    assert "Entrar" in (await browser.get("/ops/sign-in")).text
