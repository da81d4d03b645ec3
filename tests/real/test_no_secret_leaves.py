"""Secrets are planted everywhere a secret may be, then searched for in everything that leaves.

The shop repeats what it is told, the journey fails in the step that holds the secrets, people are
told by webhook and mail, and then every page, answer, metric, log line, notification and file of
the data folder is looked through, in every encoding.
"""

from __future__ import annotations

import html
import io
import json
import logging
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import structlog
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import select

from monitor.accounts.passwords import hash_password
from monitor.config.load import load_configuration
from monitor.log import configure_logging
from monitor.redaction import process_redactor
from monitor.service import Service
from monitor.settings import load_settings
from monitor.storage.schema import metadata, timeline
from monitor.storage.users import insert_user, set_password, user_by_name
from monitor.web.permissions import Role
from monitor.web.routes import ROUTERS
from probes.secrets import EnvironmentSecrets
from tests.monitor.web.builders import PASSWORD, sign_in
from tests.probes.server import Handler, ShopStub, running_stub
from tests.probes.test_canary import forms_of
from tests.sinks import HttpSink, http_sink

pytestmark = pytest.mark.real

SHOP, HOOK_KEY, HOOK_PATH = (
    'cänary "shop" pass/word+1&2<3>',
    "canary-hook-key-81",
    "canary/path-7d2",
)
SMTP, API, ALERTS = "canary mail p@ss/word", "canary-api-token-0123", "canary-alerts-token-0123"
METRICS, SESSION = "canary-metrics-token-0123", "canary-session-cookie-5f1d"
SEAL = "canary-seal-key-0123456789abcdef0123"
PLANTED = (SHOP, HOOK_KEY, HOOK_PATH, SMTP, API, ALERTS, METRICS, SESSION, SEAL)

MONITOR = """\
site: {{name: Shop, url: "{shop}"}}
components: [{{id: checkout, name: Checkout}}]
channels:
  - name: hook
    kind: webhook
    settings: {{url: "{hook}/${{secret:HOOK_PATH}}", secret: "${{secret:HOOK_KEY}}"}}
  - {{name: dead-hook, kind: webhook, settings: {{url: "http://127.0.0.1:1/${{secret:HOOK_PATH}}"}}}}
  - {{name: mail, kind: email, settings: {{to: oncall@shop.test}}}}
"""
JOURNEY = """\
name: checkout
component: checkout
interval: 5s
allow_hosts: ["{host}"]
steps:
  - name: sign in
    get: "{shop}/form"
    save: {{sid: {{cookie: sid, sensitive: true}}}}
  - name: pay
    post: "{shop}/refuse?token=${{secret:SHOP}}"
    idempotent: true
    headers: {{Authorization: "Bearer ${{secret:SHOP}}", X-Session: "${{sid}}"}}
    form: {{password: "${{secret:SHOP}}"}}
    expect: {{status: 200, text: "${{secret:SHOP}}"}}
"""


@pytest.fixture(scope="module")
def stub() -> Iterator[ShopStub]:
    """A shop that refuses and repeats everything it was told, and our secrets besides."""
    with running_stub() as running:
        running.page("/form", "<form></form>", Set_Cookie=f"sid={SESSION}; Path=/")
        running.answers["/refuse"] = repeat
        yield running


def repeat(handler: Handler) -> None:
    """Refuse, and say everything that was sent, in many encodings."""
    sent = f"{handler.path} {handler.stub.seen[-1].body.decode()} {dict(handler.headers)}"
    plain = f"{SHOP}\n{SESSION}"
    forms = [html.escape(plain), json.dumps(plain), quote(plain), quote_plus(plain)]
    forms += [b64encode(b"x" * n + SHOP.encode()).decode() for n in (0, 1, 2)]
    body = "\n".join([sent, plain, *forms])
    handler.answer(403, body.encode(), {"X-Echo": quote(plain), "Content-Type": "text/plain"})


class Scene:
    """A service in trouble, and all that it has let out."""

    def __init__(self, folder: Path, stub: ShopStub, sink: HttpSink) -> None:
        self.data, self.sink, self.log = folder / "data", sink, io.StringIO()
        config = folder / "config"
        (config / "journeys").mkdir(parents=True)
        given = {"shop": stub.url, "host": stub.url.removeprefix("http://"), "hook": sink.url}
        (config / "monitor.yml").write_text(MONITOR.format(**given), "utf-8")
        (config / "journeys" / "checkout.yml").write_text(JOURNEY.format(**given), "utf-8")
        environ = {
            "MONITOR_SECRET_SHOP": SHOP,
            "MONITOR_SECRET_HOOK_KEY": HOOK_KEY,
            "MONITOR_SECRET_HOOK_PATH": HOOK_PATH,
            "MONITOR_SMTP_URL": "smtp://user:canary%20mail%20p%40ss%2Fword@127.0.0.1:1",
            "MONITOR_API_TOKEN": API,
            "MONITOR_ALERTS_TOKEN": ALERTS,
            "MONITOR_METRICS_TOKEN": METRICS,
            "MONITOR_SEAL_KEY": SEAL,
            "MONITOR_ALLOWED_HOSTS": "testserver",
        }
        settings = load_settings(environ, config=config, data=self.data).listening_on(8080)
        redact = process_redactor(settings, environ).text
        configure_logging(style="json", level="debug", redact=redact, stream=self.log)
        self.service = Service(settings, load_configuration(config), EnvironmentSecrets(environ))
        self.service.prepare()
        self.client = TestClient(self.service.app, raise_server_exceptions=False)

    def trouble(self) -> None:
        """The journey fails and fails again; an incident opens and people are told."""
        [journey] = self.service.holder.current.journeys
        for _ in range(2):
            self.service.pipeline.tick(journey, lambda: False)
            for name, (_, duty) in self.service.duties().items():
                if name != "reload":
                    duty()
        self.service.worker.deliver_due(self.service.clock.now())
        logging.getLogger("uvicorn.error").error("GET /?token=%s", SHOP)
        try:
            int(f"bad address {HOOK_PATH} {SMTP} {API}")
        except ValueError:
            structlog.get_logger("test").exception("failed", url=METRICS, headers={"a": ALERTS})

    def sign_in(self) -> None:
        """Come in as an administrator."""
        store, now = self.service.store, self.service.clock.now()
        with store.begin() as tx:
            hashed = hash_password(PASSWORD)
            insert_user(tx, "root", Role.ADMINISTRATOR, hashed, now)
            user = user_by_name(tx.connection, "root")
            assert user is not None
            set_password(tx, user.id, hashed, now, one_time=False)
        assert sign_in(self.client, "root").status_code < 400

    def pages(self) -> Iterator[tuple[str, str]]:
        """Yield every page and answer that can be asked for, with its address."""
        self.service.events.close()  # else that stream would never end
        for path in self.paths():
            for token in ("", API, METRICS, ALERTS):
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                answer = self.client.get(path, headers=headers)
                yield path, f"{answer.text}\n{dict(answer.headers)}"

    def paths(self) -> Iterator[str]:
        """Yield the paths of all GET routes, with things that exist in their places."""
        store = self.service.store
        with store.read() as connection:
            runs, parts = metadata.tables["runs"], metadata.tables["incidents"]
            run = connection.execute(select(runs.c.run_id)).scalars().first()
            public = connection.execute(select(parts.c.public_id)).scalars().first()
        known = {"number": "1", "run_id": run, "public_id": public, "name": "checkout"}
        known |= {"alert": "JourneyDown", "incident_id": "1"}
        for router in ROUTERS:
            for route in router.routes:
                if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
                    yield re.sub(r"\{(\w+)[^}]*\}", lambda m: str(known.get(m[1], "1")), route.path)

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield every file of the data folder, and every row of the database, as text."""
        for path in sorted(self.data.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes().decode("utf-8", "replace")
        with self.service.store.read() as connection:
            for table in metadata.sorted_tables:
                rows: Any = connection.execute(select(table)).mappings().all()
                yield f"table {table.name}", "\n".join(str(dict(row)) for row in rows)

    def sent(self) -> Iterator[tuple[str, str]]:
        """Yield what went out to receivers; an address may hold its own secret, a body may not."""
        for post in self.sink.posts:
            headers = {k: v for k, v in post.headers.items() if k != "Authorization"}
            yield "webhook", f"{post.body.decode()}\n{headers}"

    def everything(self) -> Iterator[tuple[str, str]]:
        """Yield (where, text) of all that leaves the process."""
        yield from self.pages()
        yield "metrics", self.service.metrics.render().decode()
        yield from self.sent()
        yield from self.files()
        yield "log", self.log.getvalue()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, stub: ShopStub) -> Iterator[Scene]:
    """A service that has been through all of it."""
    folder = tmp_path_factory.mktemp("canaries")
    before = logging.getLogger().handlers[:]
    with http_sink() as sink:
        made = Scene(folder, stub, sink)
        made.trouble()
        made.sign_in()
        yield made
        made.service.stop()
        logging.getLogger().handlers[:] = before


def test_the_scene_is_worth_searching(scene: Scene) -> None:
    """The secrets were used, the failure was recorded, people were told, and pages opened."""
    assert {post.path for post in scene.sink.posts} == {f"/hook/{HOOK_PATH}"}
    with scene.service.store.read() as connection:
        told = connection.execute(select(timeline.c.text)).scalars().all()
    assert any("127.0.0.1" in text for text in told), told  # the dead hook's and the mail's refusal
    assert "step pay" in scene.client.get("/console/incidents/1").text
    run = next(path for path in scene.paths() if path.startswith("/console/runs/"))
    assert "[secret]" in scene.client.get(run).text
    assert "[secret]" in scene.log.getvalue()


def test_no_secret_is_in_anything_that_leaves(scene: Scene) -> None:
    """Not in a page, answer, metric, log line, notification, file or row, in any encoding."""
    forms = {form for value in PLANTED for form in forms_of(value)}
    forms.discard("")
    found = [(where, form) for where, text in scene.everything() for form in forms if form in text]
    assert found == []
