"""A shop that knows nothing of us is monitored by a YAML file alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from probes.journey import load_journeys
from probes.result import Outcome, ProbeRun, Reason
from probes.run import run_journey
from probes.secrets import EnvironmentSecrets

HERE = Path(__file__).parent
JOURNEYS = HERE.parent / "data" / "foreign-shop" / "journeys"
SECRETS = EnvironmentSecrets({"MONITOR_SECRET_FOREIGN_SHOP_PASSWORD": "a-password-of-the-probe"})


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[str]:
    """Run the Django shop in a process of its own; its address."""
    pytest.importorskip("django", reason="Django is not installed")
    command = [sys.executable, str(HERE / "foreign_shop.py"), str(tmp_path / "shop.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
        process.terminate()


def checkout(shop: str, secrets: EnvironmentSecrets = SECRETS) -> ProbeRun:
    """Run the checkout journey against the shop."""
    [journey] = load_journeys(JOURNEYS, variables={"base": shop})
    return run_journey(journey, secrets=secrets, location="local")


@pytest.mark.real
def test_a_django_checkout_of_five_pages_passes(shop: str) -> None:
    """CSRF tokens, hidden inputs, defaults and redirects come from the pages themselves."""
    run = checkout(shop)
    assert (run.outcome, run.detail) == (Outcome.PASSED, "")
    assert [step.outcome for step in run.steps] == [Outcome.PASSED] * 8


@pytest.mark.real
def test_a_payment_that_says_sorry_with_a_200_fails_at_its_step(shop: str) -> None:
    """A friendly error page is not taken for success."""
    urlopen(f"{shop}/checkout/basket/?break=payment", timeout=5).close()
    run = checkout(shop)
    assert (run.outcome, run.failed_step, run.reason) == (Outcome.FAILED, "pay", Reason.CONTENT)


@pytest.mark.real
def test_a_refused_password_fails_at_the_sign_in(shop: str) -> None:
    """The step that names the trouble is the one where a person would see it."""
    wrong = EnvironmentSecrets({"MONITOR_SECRET_FOREIGN_SHOP_PASSWORD": "not-the-password"})
    assert checkout(shop, wrong).failed_step == "sign in"
