"""An authenticator app for tests: scans the page, and knows the code of any moment."""

from __future__ import annotations

import html
import re
from datetime import datetime

import pyotp
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.monitor.web.builders import PASSWORD, Web, hidden

PAGE = "/console/account/second-factor"


class Authenticator:
    """The secret that was scanned."""

    def __init__(self, page: str) -> None:
        found = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
        assert found, "no secret on the page"
        self.secret = found[1].replace(" ", "")

    def code(self, now: datetime) -> str:
        """Return the code for a moment."""
        return pyotp.TOTP(self.secret).at(now)


def enrol(web: Web, client: TestClient, csrf: str) -> tuple[Authenticator, list[str]]:
    """Set a second factor up as its owner does; return the app and the recovery codes."""
    page = client.get(PAGE).text
    app = Authenticator(page)
    form = {"csrf": csrf, "offer": hidden(page, "offer"), "password": PASSWORD}
    answer = client.post(PAGE, data={**form, "code": app.code(web.now())})
    assert answer.status_code == 200, answer.text
    return app, recovery_codes(answer.text)


def recovery_codes(page: str) -> list[str]:
    """Return the recovery codes that a page shows."""
    return [html.unescape(code) for code in re.findall(r"<li><code>([^<]+)</code>", page)]


def csrf_of(client: TestClient) -> str:
    """Return the form token of the session that a browser is in."""
    return hidden(client.get("/console/account").text, "csrf")


def give_code(client: TestClient, code: str) -> Response:
    """Fill in the second step."""
    page = client.get("/console/sign-in/code")
    assert page.status_code == 200, page.headers
    token = hidden(page.text, "form_token")
    return client.post("/console/sign-in/code", data={"form_token": token, "code": code})
