"""What is reached over the network: the mail server, every host that is probed or told, our own
address as users see it. Nothing is sent but a request for the first page's headers.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from monitor.doctor.clock import clock_finding
from monitor.doctor.finding import Finding, fail, ok, warn
from monitor.notify.email import try_server
from monitor.notify.message import Context, NotifyError
from probes.secrets import SecretSource

Now = Callable[[], datetime]
TIMEOUT_SECONDS = 5.0
AT_ONCE = 8
MOST_HOSTS = 50
SOON_DAYS = 14


@dataclass(frozen=True, slots=True)
class Reached:
    """How asking one host ended: its own time and its certificate's end, or why not."""

    origin: str
    problem: str = ""
    date: datetime | None = None  # its clock, and ours at the same moment
    asked_at: datetime | None = None
    certificate_ends: datetime | None = None


def examine_mail(smtp_url: str | None) -> Iterator[Finding]:
    """Connect to the mail server, with TLS and login where they are set; send nothing."""
    if not smtp_url:
        text = "no mail server is set: reporters and people get no mail"
        yield warn("mail", text, "set MONITOR_SMTP_URL, or leave it where no mail is wanted")
        return
    try:
        said = try_server(smtp_url, TIMEOUT_SECONDS)
    except NotifyError as error:
        advice = "see that it runs and MONITOR_SMTP_URL has the right host, port, TLS and login"
        yield fail("mail", str(error), advice)
        return
    yield ok("mail", said)


def examine_channel_mail(servers: Mapping[str, str], secrets: SecretSource) -> Iterator[Finding]:
    """Connect likewise to the mail servers that channels have of their own, by channel.

    Their addresses may name secrets.
    """
    context = Context(secrets)
    for name, template in sorted(servers.items()):
        area, advice = f"mail of {name}", f"see smtp_url of the channel {name} in monitor.yml"
        try:
            yield ok(area, try_server(context.reveal(template), TIMEOUT_SECONDS))
        except NotifyError as error:
            yield fail(area, str(error).replace("MONITOR_SMTP_URL", "smtp_url"), advice)


def examine_hosts(origins: Iterable[str], now: Now) -> Iterator[Finding]:
    """Ask every host that is probed or told, and compare the clock with the first that has one."""
    wanted = sorted(set(origins))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda one: reach(one, now), wanted[:MOST_HOSTS]))
    for reached in found:
        if reached.problem:
            advice = "see DNS, firewall and proxy between this machine and that host"
            yield fail("outbound", f"{reached.origin}: {reached.problem}", advice)
        else:
            yield ok("outbound", f"{reached.origin} answers")
            yield from _certificate("outbound", reached, now())
    dated = next((one for one in found if one.date is not None), None)
    if dated is not None and dated.date is not None and dated.asked_at is not None:
        yield clock_finding(dated.origin, dated.date, dated.asked_at)


def examine_public_url(public_url: str, now: Now) -> Iterator[Finding]:
    """Look at our own address as users have it: is it answered, and by a certificate that lasts."""
    if not public_url:
        text = "MONITOR_PUBLIC_URL is not set: links in mails lead to this machine only"
        yield warn("public address", text, "set it to the address that users open")
        return
    reached = reach(public_url, now)
    if reached.problem:
        advice = "start the service, and see the proxy in front of it and its certificate"
        yield fail("public address", f"{reached.origin}: {reached.problem}", advice)
        return
    yield ok("public address", f"{reached.origin} answers")
    if urlsplit(public_url).scheme != "https":
        text = "it is not https: passwords and sessions can be read on the way"
        yield warn("public address", text, "put a proxy with TLS in front (docs/deploy.md)")
    yield from _certificate("public address", reached, now())


def _certificate(area: str, reached: Reached, now: datetime) -> Iterator[Finding]:
    if reached.certificate_ends is not None:
        days = (reached.certificate_ends - now).days
        text = f"the certificate of {reached.origin} ends in {days} days"
        if days < SOON_DAYS:
            yield warn(area, text, "renew it, and see why it was not renewed by itself")
        elif area == "public address":
            yield ok(area, text)


def reach(url: str, now: Now) -> Reached:
    """Ask a host for the headers of its first page; any answer at all will do."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    host, port = parts.hostname or "", parts.port
    https = parts.scheme == "https"
    kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
    connection = kind(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.connect()
        ends = _end_of_certificate(connection.sock) if https else None
        connection.request("HEAD", "/", headers={"user-agent": "saypro-monitor doctor"})
        date = connection.getresponse().getheader("date")
    except ssl.SSLCertVerificationError as error:
        return Reached(origin, f"its certificate is not accepted: {error.verify_message}")
    except TimeoutError:
        return Reached(origin, f"no answer in {TIMEOUT_SECONDS:g} s")
    except socket.gaierror:
        return Reached(origin, "its name cannot be resolved")
    except (OSError, http.client.HTTPException) as error:
        return Reached(origin, str(error) or type(error).__name__)
    finally:
        connection.close()
    return Reached(origin, "", _date(date), now(), ends)


def _end_of_certificate(sock: object) -> datetime | None:
    certificate = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    ends = certificate.get("notAfter") if certificate else None
    if not isinstance(ends, str):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except ValueError:
        return None
