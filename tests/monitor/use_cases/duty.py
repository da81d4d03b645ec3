"""An incident desk with people on call: a team of two, a rotation, a policy, a last resort."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from monitor.config.model import Channel, Configuration
from monitor.config.oncall import OnCallFile, OnCallSettings
from monitor.storage import escalations as rows
from monitor.storage.escalations import StepTaken
from monitor.storage.schema import outbox
from monitor.storage.store import Store
from monitor.use_cases.escalating import EscalationDesk, advance_escalations
from monitor.use_cases.policy import AlertPolicy
from tests.monitor.use_cases.desk import Desk, configuration

STEPS = [
    {"tell": [{"schedule": "shop"}], "wait": "5m"},
    {"tell": [{"person": "ben"}, {"person": "cleo"}], "wait": "10m"},
]
PEOPLE = [
    {"name": "ann", "channels": ["ann-phone"]},
    {"name": "ben", "channels": ["ben-phone"]},
    {"name": "cleo", "email": "cleo@shop.test"},
]


def on_call(**changes: Any) -> OnCallSettings:
    """Return people as `monitor.yml` would describe them: Ann is on call all the time."""
    said: dict[str, Any] = {
        "people": PEOPLE,
        "teams": [{"name": "engineers", "members": ["ann", "ben"]}],
        "schedules": [{"name": "shop", "team": "engineers", "layers": [{"people": ["ann"]}]}],
        "escalation": [{"name": "shop", "steps": STEPS, "last_resort": [{"channel": "everybody"}]}],
    }
    return OnCallSettings.of(OnCallFile.model_validate({**said, **changes}), "UTC")


def staffed(**changes: Any) -> Configuration:
    """Return the marketplace with people; nothing but `chat` is told by severity."""
    own = [
        Channel(name=f"{name}-phone", kind="console", audience="person") for name in ("ann", "ben")
    ]
    quiet = Channel(name="everybody", kind="console", severities=frozenset())
    chat = Channel(name="chat", kind="console")
    channels = changes.pop("channels", (chat, quiet, *own))
    return configuration(channels=channels, oncall=on_call(**changes))


class Duty(Desk):
    """What a test does and sees of people on call; time is taken in steps of half a minute."""

    def __init__(self, store: Store, made: Configuration | None = None) -> None:
        super().__init__(store, made or staffed(), AlertPolicy(mails=True))

    def wait(self, minutes: float) -> Duty:
        """Let time pass, the duty looking every half minute."""
        for _ in range(round(minutes * 2)):
            self.now += timedelta(seconds=30)
            self.look()
        return self

    def look(self) -> int:
        """Let the duty look once."""
        return advance_escalations(self.store, self.configuration, self.now, self.policy)

    @property
    def people(self) -> EscalationDesk:
        """Where people work."""
        return EscalationDesk(self.store, self.configuration, self.policy)

    def reconfigure(self, **changes: Any) -> None:
        """Change the configuration under way."""
        self.configuration = replace(self.configuration, oncall=on_call(**changes))

    def steps(self, number: int = 1) -> list[StepTaken]:
        """Return the steps taken on an incident."""
        incident = self.incident(number)
        with self.store.read() as connection:
            return rows.steps_of(connection, incident.id)

    def state(self, number: int = 1) -> str:
        """Return where the escalation of an incident stands."""
        incident = self.incident(number)
        with self.store.read() as connection:
            known = rows.load_escalation(connection, incident.id)
        return known.state.value if known else "none"

    def sent(self) -> list[tuple[str, str]]:
        """Return (what, to whom) of everything queued, in order."""
        with self.store.read() as connection:
            c = outbox.c
            found = connection.execute(select(c.event, c.channel, c.recipient).order_by(c.id))
            return [(e.removeprefix("incident_"), r or ch) for e, ch, r in found]

    def states(self, event: str) -> dict[str, str]:
        """Return what became of the latest message of an event to each recipient."""
        with self.store.read() as connection:
            c = outbox.c
            statement = select(c.channel, c.recipient, c.state).order_by(c.id)
            found = connection.execute(statement.where(c.event == f"incident_{event}"))
            return {to or channel: state for channel, to, state in found}

    def take(self, *channels: str) -> None:
        """Let every message queued so far for these channels be sent."""
        with self.store.begin() as tx:
            mine = outbox.c.channel.in_(channels)
            statement = update(outbox).where(mine, outbox.c.state == "queued")
            tx.connection.execute(statement.values(state="sent", attempts=1, finished_at=self.now))

    def fail_everything(self) -> None:
        """Let every message queued so far fail for good."""
        with self.store.begin() as tx:
            tx.connection.execute(update(outbox).values(state="failed", finished_at=self.now))

    def says(self, words: str, number: int = 1) -> bool:
        """Return whether a line of the timeline says these words."""
        return any(words in row["text"] for row in self.lines(number))
