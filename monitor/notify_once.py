"""`monitor notify-test CHANNEL`: one test message, and what the receiver said to it."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.notify.message import Context, MailAccount, NotifyError
from monitor.notify.trial import send_test
from monitor.settings import Settings
from probes.secrets import EnvironmentSecrets


def notify_once(
    settings: Settings, environ: Mapping[str, str], channel: str, recipient: str = ""
) -> int:
    """Send a test message and print the receipt; return 0 when it was accepted, else 1.

    Raises:
        FaultyInput: the configuration folder has faults.
    """
    configuration = load_configuration(settings.config)
    context = make_context(settings, configuration, environ)
    try:
        receipt = send_test(configuration.channels, channel, context, recipient=recipient)
    except (LookupError, NotifyError) as error:
        print(f"{channel}: not delivered: {error.args[0]}", file=sys.stderr)
        return 1
    print(f"{channel}: {receipt}")
    return 0


def make_context(
    settings: Settings, configuration: Configuration, environ: Mapping[str, str]
) -> Context:
    """Return what kinds may use when messages leave this deployment."""
    return Context(
        secrets=EnvironmentSecrets(environ),
        mail=MailAccount(smtp_url=settings.smtp_url or "", mail_from=settings.mail_from),
        site_name=configuration.site.name,
        site_url=settings.public_url,
    )
