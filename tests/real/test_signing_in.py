"""A person's way into the console in a real browser: first password, phone, mail, and out again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from monitor.demo_run import write_demo_folder
from tests.oidc import CLIENT_ID, CLIENT_SECRET, Provider, running_provider
from tests.real.browsing import chromium, needs_chromium
from tests.real.process import monitor, wait_for
from tests.real.served import Served
from tests.sinks import MailSink, mail_sink

pytestmark = [pytest.mark.real, pytest.mark.slow, needs_chromium]
PHONE: ViewportSize = {"width": 390, "height": 844}
CHOSEN, FORGOTTEN_FOR = "a staple for the battery", "correct horse battery"
NOBODY_LISTENS = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium from the system's packages."""
    with chromium() as started:
        yield started


@pytest.fixture
def mail() -> Iterator[MailSink]:
    """A mail server."""
    with mail_sink() as sink:
        yield sink


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that knows Ann."""
    with running_provider(lambda: datetime.now(UTC)) as running:
        person = {"preferred_username": "ann", "name": "Ann Ndlovu", "groups": ["on-call"]}
        running.person.update(person, email="ann@shop.example", email_verified=True)
        yield running


@pytest.fixture
def served(tmp_path: Path, mail: MailSink, provider: Provider) -> Iterator[Served]:
    """`monitor serve` with a mail server and a provider, watching a shop that is away."""
    config = tmp_path / "config"
    write_demo_folder(config, NOBODY_LISTENS)
    with (config / "monitor.yml").open("a", encoding="utf-8") as file:
        file.write(
            "sign_in:\n"
            "  openid:\n"
            f"    issuer: {provider.issuer}\n"
            f"    client_id: {CLIENT_ID}\n"
            "    client_secret: ${secret:OIDC}\n"
            "    label: Staff\n"
            "    roles: {on-call: responder}\n"
            "    unknown_people: create\n"
        )
    environ = {
        "MONITOR_SECRET_SHOP_PASSWORD": "a-password-only-for-probes",
        "MONITOR_SECRET_OIDC": CLIENT_SECRET,
        "MONITOR_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
    }
    command = ("serve", "--config", config, "--data", tmp_path / "data", "--port", "0")
    with monitor(*command, environ=environ) as terminal:
        yield Served(terminal)


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """Return a page, and what the browser complains of on it, such as a breach of the policy."""
    page, complaints = context.new_page(), []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


def give_password(page: Page, url: str, name: str, password: str) -> None:
    page.goto(f"{url}/console/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def choose(page: Page, password: str) -> None:
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password again").fill(password)
    page.get_by_role("button", name="Save password").click()


def give_code(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_second_factor_from_its_setup_to_signing_out_everywhere(
    browser: Browser, served: Served, mail: MailSink, scripts: bool
) -> None:
    """On a phone's screen: enrolled, asked for, replaced by a recovery code; then out at once."""
    first = re.findall(r"password (\S+)", served.terminal.line("First sign-in"))[0]
    context = browser.new_context(viewport=PHONE, java_script_enabled=scripts)
    page, complaints = watched(context)
    give_password(page, served.url, "admin", first)
    page.get_by_label("Present password").fill(first)
    choose(page, FORGOTTEN_FOR)

    page.goto(f"{served.url}/console/account/second-factor")
    expect(page.locator(".qr svg")).to_be_visible()
    page.get_by_text("Type it in instead").click()
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    now = datetime.now(UTC)
    page.get_by_label("Code from the app").fill(pyotp.TOTP(secret).at(now))
    page.get_by_label("Your password").fill(FORGOTTEN_FOR)
    page.get_by_role("button", name="Switch on").click()
    codes = page.locator("ul.codes code").all_inner_texts()
    assert len(codes) == 10

    page.goto(f"{served.url}/console/users/1")
    page.get_by_label("E-mail").fill("admin@shop.example")
    page.get_by_role("button", name="Save").click()

    second = browser.new_context(java_script_enabled=scripts)
    other, _ = watched(second)
    give_password(other, served.url, "admin", FORGOTTEN_FOR)
    other.goto(f"{served.url}/console")
    expect(other).to_have_url(f"{served.url}/console/sign-in?next=/console")
    other.goto(f"{served.url}/console/sign-in/code")
    unspent = max(datetime.now(UTC), now + timedelta(seconds=30))
    give_code(other, pyotp.TOTP(secret).at(unspent))
    expect(other).to_have_url(f"{served.url}/console")

    third = browser.new_context(java_script_enabled=scripts)
    forgetful, _ = watched(third)
    forgetful.goto(f"{served.url}/console/sign-in/forgot")
    forgetful.get_by_label("Name or e-mail address").fill("Admin@shop.example")
    forgetful.get_by_role("button", name="Send the link").click()
    wait_for(lambda: mail.mails, "mail")
    body = mail.mails[-1].get_body(("plain",))
    assert body is not None
    link = re.findall(r"http://\S+/reset/\S+", body.get_content())[0]
    forgetful.goto(link)
    choose(forgetful, CHOSEN)
    give_password(forgetful, served.url, "admin", CHOSEN)
    give_code(forgetful, codes[0])
    expect(forgetful).to_have_url(f"{served.url}/console")
    for ended in (page, other):
        ended.goto(f"{served.url}/console/account")
        expect(ended).to_have_url(re.compile("/console/sign-in"))

    give_password(page, served.url, "admin", CHOSEN)
    give_code(page, codes[1])
    page.goto(f"{served.url}/console/account")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="Sign out everywhere").click()
    for ended in (page, forgetful):
        ended.goto(f"{served.url}/console/account")
        expect(ended).to_have_url(re.compile("/console/sign-in"))
    assert not complaints
    for one in (context, second, third):
        one.close()


def test_a_new_person_comes_in_through_the_provider(browser: Browser, served: Served) -> None:
    """One button, there and back; the browser's policy allows it, and the role is the group's."""
    context = browser.new_context(viewport=PHONE)
    page, complaints = watched(context)
    page.goto(f"{served.url}/console/incidents")
    page.get_by_role("link", name="Sign in with Staff").click()
    expect(page).to_have_url(f"{served.url}/console/incidents")
    page.goto(f"{served.url}/console/account")
    expect(page.get_by_role("heading", name="Ann Ndlovu")).to_be_visible()
    expect(page.get_by_text("Your role is responder")).to_be_visible()
    assert not complaints
    context.close()
