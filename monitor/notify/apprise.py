"""Notifications through any service that Apprise knows: chat, push, SMS, on-call platforms.

Apprise is loaded on the first use, for it brings a hundred services along. It says only whether a
service accepted a message, so every refusal is tried again until the channel's deadline.
"""

from __future__ import annotations

from pydantic import field_validator

from monitor.notify.message import Context, KindSettings, Message, NotifyError, Receipt


class Settings(KindSettings):
    """An Apprise channel."""

    url: str
    """An Apprise address, e.g. `slack://${secret:SLACK_TOKENS}`; see its documentation."""

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if "://" not in url and not url.startswith("${secret:"):
            raise ValueError("expected an Apprise address such as ntfy://host/topic")
        return url


def send(message: Message, settings: Settings, context: Context) -> Receipt:
    """Return the service's name once it has accepted the message."""
    from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

    types = {"critical": NotifyType.FAILURE, "warning": NotifyType.WARNING}
    asset = AppriseAsset(app_id=context.site_name, app_desc=context.site_name, app_url="")
    service = Apprise(asset=asset)
    if not service.add(context.reveal(settings.url)):
        raise NotifyError("Apprise does not understand the address", retryable=False)
    name = str(service[0].service_name)
    answer = service.notify(
        body=f"{message.body}{_acknowledge(message)}\n\nNotification {message.id}",
        title=message.subject,
        notify_type=NotifyType.SUCCESS
        if message.is_over
        else types.get(message.severity, NotifyType.INFO),
        body_format=NotifyFormat.TEXT,
        timeout=settings.timeout * 3,
    )
    if not answer:
        raise NotifyError(f"{name} did not accept it", retryable=True)
    return Receipt(f"accepted by {name}")


def _acknowledge(message: Message) -> str:
    return f"\n\nAcknowledge: {message.acknowledge_url}" if message.acknowledge_url else ""
