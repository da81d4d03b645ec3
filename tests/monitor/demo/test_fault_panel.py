"""The fault panel: a page with switches, a JSON interface, and always a way back."""

import json

import pytest
import requests

from monitor.demo import RunningShop
from monitor.demo.faults import FAULT_KINDS, FaultPanel, FaultValueRefused, UnknownFault
from tests.monitor.demo.shopper import Shopper


def states(shop: RunningShop) -> dict[str, bool]:
    """Return every fault's state as the interface tells it."""
    found = requests.get(shop.url + "/api/faults", timeout=5).json()["faults"]
    return {fault["name"]: fault["on"] for fault in found}


def put(shop: RunningShop, name: str, body: object) -> requests.Response:
    """Ask the interface to switch a fault."""
    return requests.put(f"{shop.url}/api/faults/{name}", json=body, timeout=5)


@pytest.mark.parametrize("name", list(FAULT_KINDS))
def test_each_fault_goes_on_and_off_by_the_interface(shop: RunningShop, name: str) -> None:
    """PUT switches one fault and no other; while it is on, panel and interface still answer."""
    assert put(shop, name, {"on": True}).json()["on"] is True
    assert [fault for fault, on in states(shop).items() if on] == [name]
    assert requests.get(shop.url + "/faults", timeout=5).status_code == 200
    assert put(shop, name, {"on": False}).json()["on"] is False


def test_delete_repairs_everything(shop: RunningShop) -> None:
    """One request switches every fault off."""
    put(shop, "search_empty", {"on": True})
    put(shop, "flaky", {"on": True, "value": 1})
    requests.delete(shop.url + "/api/faults", timeout=5)
    assert not any(states(shop).values())


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("no_such_fault", {"on": True}, 404),
        ("search_slow", {"on": "yes"}, 422),
        ("search_slow", [], 422),
        ("search_slow", {"on": True, "value": "8"}, 422),
        ("search_slow", {"on": True, "value": True}, 422),
        ("search_slow", {"on": True, "value": 121}, 422),
        ("search_slow", {"on": True, "value": float("nan")}, 422),
        ("flaky", {"on": True, "value": 1.01}, 422),
        ("login_500", {"on": True, "value": 1}, 422),
    ],
)
def test_a_wrong_request_changes_nothing_and_says_why(
    shop: RunningShop, name: str, body: object, status: int
) -> None:
    """Unknown names and values out of bounds are refused with an explanation."""
    url = f"{shop.url}/api/faults/{name}"
    raw = json.dumps(body)
    answer = requests.put(url, data=raw, timeout=5)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert not any(states(shop).values())


def test_a_switch_on_the_page_turns_its_fault_on_with_the_value_typed(
    shop: RunningShop, shopper: Shopper
) -> None:
    """The form of a fault switches it and passes its value on."""
    shopper.get("/faults")
    page = shopper.submit("#fault-search_slow form", value="3")
    assert page.one("#fault-search_slow").attributes["data-on"] == "true"
    assert shop.demo.faults.value("search_slow") == 3


def test_repair_everything_on_the_page_works_while_the_site_is_down(
    shop: RunningShop, shopper: Shopper
) -> None:
    """The panel is the way back from every fault."""
    shop.set_fault("site_down")
    shopper.get("/faults")
    page = shopper.submit("#all-off-form")
    assert page.one("#fault-summary").attributes["data-active"] == "0"
    assert shopper.get("/").status == 200


@pytest.mark.parametrize("path", ["/faults/site_down", "/faults/off"])
def test_the_page_refuses_a_switch_without_token(shop: RunningShop, path: str) -> None:
    """A form sent from elsewhere cannot break or repair the shop."""
    answer = requests.post(shop.url + path, data={"on": "1"}, timeout=5)
    assert answer.status_code == 403
    assert not any(states(shop).values())


def test_a_value_out_of_bounds_on_the_page_is_explained(shopper: Shopper) -> None:
    """The page says what would be allowed and changes nothing."""
    shopper.get("/faults")
    page = shopper.submit("#fault-flaky form", value="7")
    assert "0 to 1" in page.text("#notice")
    assert page.one("#fault-flaky").attributes["data-on"] == "false"


def test_a_fault_without_value_gets_its_default() -> None:
    """Switched on without a value, a fault has the documented one."""
    panel = FaultPanel()
    panel.set("search_slow")
    assert panel.value("search_slow") == FAULT_KINDS["search_slow"].default


def test_an_unknown_fault_is_refused_with_the_names_there_are() -> None:
    """The refusal lists what could have been meant."""
    with pytest.raises(UnknownFault, match="login_500"):
        FaultPanel().set("login_5oo")


@pytest.mark.parametrize("value", [-0.01, 1.01])
def test_a_value_just_outside_is_refused(value: float) -> None:
    """Bounds are included, one step beyond is not."""
    panel = FaultPanel()
    with pytest.raises(FaultValueRefused):
        panel.set("flaky", value=value)
    assert panel.active() == {}
