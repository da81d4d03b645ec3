"""What a run needs before its first step: its values, its guard, its client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from probes.compose import USER_AGENT
from probes.context import Context, open_context
from probes.egress import Guard
from probes.http.addresses import tidy_url
from probes.http.client import Client, ClientSettings
from probes.journey import Journey
from probes.result import ProbeRun
from probes.runner import Runner
from probes.secrets import SecretSource
from probes.templates import UnknownName, fill


@dataclass(frozen=True)
class RunOptions:
    """How runs are made, besides what the journey says.

    `variables` win over the journey's own. `control_targets` are `host:port` of places outside the
    shop; when a run cannot reach the shop and none of them answers, the fault is ours. `resolve`
    holds libcurl's `host:port:address` entries.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    user_agent: str = USER_AGENT
    control_targets: tuple[str, ...] = ()
    ca_file: str | None = None
    resolve: tuple[str, ...] = ()
    sleep: Callable[[float], None] = time.sleep


def open_runner(
    journey: Journey,
    secrets: SecretSource,
    run: ProbeRun,
    options: RunOptions,
    *,
    account: Mapping[str, str] | None = None,
) -> Runner:
    """Return a runner with fresh values, a guard and a client of its own; close its client.

    `account` are variables that stand in for the journey's, to try another login.

    Raises:
        MissingSecret, UnfitSecret: a secret the journey refers to cannot be used.
        StepFailed: a variable refers to something that has no value.
        EgressDenied: an address in the file is one that nothing may be sent to.
    """
    context = open_context(
        journey,
        secrets,
        run_id=run.id,
        location=run.location,
        now=run.started_at,
        replaced={**options.variables, **(account or {})},
    )
    guard = Guard(_named_urls(journey, context), journey.allow_hosts)
    client = Client(
        guard,
        ClientSettings(
            ca_file=journey.tls.ca_file or options.ca_file,
            verify=journey.tls.verify,
            max_body_bytes=journey.max_body_bytes,
            resolve=options.resolve,
        ),
    )
    return Runner(context, client, options.user_agent, options.sleep)


def _named_urls(journey: Journey, context: Context) -> Iterator[str]:
    """Yield every address that the file itself names: its steps' and its variables'.

    Of an address with a value saved on the way, the part before it counts if it names the host.
    """
    for value in context.values.values():
        if value.startswith(("http://", "https://")):
            yield tidy_url(value)
    for step in journey.all_steps:
        if step.action not in ("submit", "follow") and (named := _named(step.target, context)):
            yield named


def _named(target: str, context: Context) -> str | None:
    """Return the target as far as it is known before the run, None where its host is not."""
    known = target
    while True:
        try:
            url = tidy_url(fill(known, context.values))
        except UnknownName as unknown:
            known = known.partition(f"${{{unknown.name}}}")[0]
            if known.count("/") < 3:
                return None
            continue
        return url if "://" in url else None
