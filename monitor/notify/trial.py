"""A test message over one channel, for `monitor notify-test`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from incidents.oncall.contacts import PERSON_MAIL
from monitor.notify.kinds import ACCOUNT, ACCOUNT_NOTICE, REPORTER
from monitor.notify.message import Context, Message, Receipt
from monitor.notify.routes import ChannelLike, make_routes


def send_test(
    channels: Sequence[ChannelLike], name: str, context: Context, *, recipient: str = ""
) -> Receipt:
    """Send a test message over a configured channel and return the receipt in words.

    `reporter` and `person` are mail to a single address, and need a recipient.

    Raises:
        LookupError: no valid channel has that name; the text lists those that are there.
        NotifyError: the channel's receiver did not accept the message.
    """
    routes = make_routes(channels)
    own = (ACCOUNT, ACCOUNT_NOTICE, PERSON_MAIL, REPORTER)
    if name not in routes or (name in own and not recipient):
        names = sorted(channel.name for channel in channels if channel.name in routes)
        known = ", ".join(names) or "none is configured"
        raise LookupError(f"no channel is called {name!r} (known: {known})")
    key = f"test-{uuid.uuid4().hex[:12]}"
    message = Message(
        key=key,
        event="test",
        subject=f"Test message of {context.site_name}",
        body="If you can read this, notifications reach you here. Nothing is wrong with the shop.",
        created_at=context.clock.now(),
        severity="info",
        recipient=recipient,
        thread=key,  # else a receiver that joins what belongs together tells of the first alone
    )
    return routes[name].send(message, context)
