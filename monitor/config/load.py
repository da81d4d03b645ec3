"""A configuration folder → `Configuration`, or every fault in it at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from incidents.alerts.inhibition import DEFAULT_RULES, InhibitRule
from incidents.oncall.contacts import PERSON_MAIL
from monitor.config.model import Configuration, MonitorFile
from monitor.config.oncall import OnCallSettings, oncall_faults
from monitor.notify.kinds import CANARY, REPORTER
from monitor.notify.routes import find_faults
from monitor.rules.files import load_rule_files
from probes.faults import Fault, FaultyInput, shown
from probes.journey import Journey, load_journeys
from probes.yamlfile import YamlDocument, dotted, read_yaml, validate

SHIPPED_RULES = Path(__file__).parents[2] / "alert_rules"
T = TypeVar("T")


def load_configuration(folder: Path) -> Configuration:
    """Return what `folder` says: `monitor.yml`, `journeys/*.yml` and `alert_rules/*.yml`.

    A folder without `alert_rules/` uses the rules that are shipped.

    Raises:
        FaultyInput: anything in it is invalid; every fault of every file is listed.
    """
    faults: list[Fault] = []
    document = _read_monitor_file(folder, faults)
    parsed = None if document is None else validate(document, MonitorFile, faults)
    journeys = _collect(faults, lambda: load_journeys(folder / "journeys")) or ()
    rule_files = rule_files_of(folder)
    retention = None if parsed is None else parsed.retention.samples
    _collect(faults, lambda: load_rule_files(rule_files, retention_seconds=retention))
    if document is not None:
        faults += _journey_faults(folder, document)
        faults += () if parsed is None else _cross_checked(parsed, document)
    if faults or parsed is None:
        raise FaultyInput(faults)
    return _assembled(folder, parsed, journeys, rule_files)


def rule_files_of(folder: Path) -> tuple[Path, ...]:
    """Return the rule files in force for `folder`: its own, else the shipped ones."""
    own = folder / "alert_rules"
    return tuple(sorted((own if own.is_dir() else SHIPPED_RULES).glob("*.y*ml")))


def _read_monitor_file(folder: Path, faults: list[Fault]) -> YamlDocument | None:
    path = folder / "monitor.yml"
    if not path.is_file():
        expected = "this file; `monitor init https://your-shop` writes a folder to start from"
        faults.append(Fault(str(path), None, "", "", expected))
        return None
    return read_yaml(path, faults)


def _collect(faults: list[Fault], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except FaultyInput as error:
        faults += error.faults
        return None


def _cross_checked(parsed: MonitorFile, document: YamlDocument) -> Iterator[Fault]:
    """Yield what is wrong between the parts: names that repeat, or that nothing bears."""

    def fault(place: tuple[str | int, ...], value: object, expected: str) -> Fault:
        return _placed(document, place, value, expected)

    component_ids = [component.id for component in parsed.components]
    location_names = [location.name for location in parsed.locations]
    for part, names in (
        ("components", component_ids),
        ("locations", location_names),
        ("channels", [channel.name for channel in parsed.channels]),
        ("targets", [target.name for target in parsed.targets]),
        ("reconcile", [server.name for server in parsed.reconcile]),
        ("categories", [category.id for category in parsed.categories]),
    ):
        for name in (name for name, count in Counter(names).items() if count > 1):
            last = len(names) - 1 - names[::-1].index(name)
            yield fault((part, last), name, "a name that is not used twice")
    for index, component in enumerate(parsed.components):
        for needed in set(component.depends_on) - set(component_ids):
            yield fault(("components", index, "depends_on"), needed, f"one of {component_ids}")
    for index, category in enumerate(parsed.categories):
        if category.component is not None and category.component not in component_ids:
            where = ("categories", index, "component")
            yield fault(where, category.component, f"one of {component_ids}")
    if parsed.location is not None and parsed.location not in location_names:
        yield fault(("location",), parsed.location, f"one of {location_names}")
    if parsed.quorum > len(location_names):
        yield fault(("quorum",), parsed.quorum, f"at most {len(location_names)}, your locations")
    yield from oncall_faults(parsed, component_ids, [c.name for c in parsed.channels], fault)
    channel_names = [channel.name for channel in parsed.channels]
    asked = parsed.canary.channel if parsed.canary else None
    named: list[tuple[tuple[str | int, ...], str | None]] = [
        (("last_resort",), parsed.last_resort),
        (("canary", "channel"), asked),
    ]
    for spot_named, channel_name in named:
        if channel_name is not None and channel_name not in channel_names:
            yield fault(spot_named, channel_name, f"one of your channels: {channel_names}")
    for index, channel in enumerate(parsed.channels):
        if channel.name in (REPORTER, PERSON_MAIL, CANARY):
            place = ("channels", index, "name")
            use = "canaries" if channel.name == CANARY else "mail to single people"
            yield fault(place, channel.name, f"another name: this one is for {use}")
        for part, expected in find_faults(channel.kind, channel.settings):
            spot: tuple[str | int, ...] = ("channels", index, *part.split("."))
            shown_value = channel.kind if part == "kind" else "(not shown)"
            yield fault(spot, shown_value, expected.removeprefix("expected "))


def _journey_faults(folder: Path, monitor_file: YamlDocument) -> Iterator[Fault]:
    """Yield what journeys name that `monitor.yml` does not.

    Works on plain data, so that a fault elsewhere in either file hides none here.
    """
    known = {
        "component": _names(monitor_file, "components", "id"),
        "locations": _names(monitor_file, "locations", "name") or ["local"],
    }
    for path in sorted((folder / "journeys").glob("*.y*ml")):
        document = read_yaml(path, [])
        if document is None or not isinstance(document.data, dict):
            continue
        for key, names in known.items():
            said = document.data.get(key)
            for name in said if isinstance(said, list) else [said]:
                if isinstance(name, str) and name not in names:
                    expected = f"a {key.removesuffix('s')} of monitor.yml: one of {names}"
                    yield _placed(document, (key,), name, expected)


def _names(document: YamlDocument, part: str, key: str) -> list[str]:
    """Return the names given in a list of `monitor.yml`, as far as they can be made out."""
    data = document.data if isinstance(document.data, dict) else {}
    listed = data.get(part)
    items = listed if isinstance(listed, list) else []
    return [
        item[key] for item in items if isinstance(item, dict) and isinstance(item.get(key), str)
    ]


def _placed(
    document: YamlDocument, place: tuple[str | int, ...], value: object, expected: str
) -> Fault:
    return Fault(document.file, document.line_of(place), dotted(place), shown(value), expected)


def _inhibit_rules(parsed: MonitorFile) -> tuple[InhibitRule, ...]:
    if parsed.inhibit_rules is None:
        return DEFAULT_RULES
    return tuple(part.rule() for part in parsed.inhibit_rules)


def _assembled(
    folder: Path, parsed: MonitorFile, journeys: tuple[Journey, ...], rule_files: tuple[Path, ...]
) -> Configuration:
    return Configuration(
        folder=folder,
        site=parsed.site,
        components=parsed.components,
        locations=parsed.locations,
        quorum=parsed.quorum,
        journeys=journeys,
        rule_files=rule_files,
        channels=parsed.channels,
        categories=parsed.categories,
        retention=parsed.retention,
        limits=parsed.limits,
        external_labels=parsed.external_labels,
        sign_in=parsed.sign_in,
        location=parsed.location or parsed.locations[0].name,
        control_targets=parsed.control_targets,
        targets=parsed.targets,
        inhibit_rules=_inhibit_rules(parsed),
        reconcile=parsed.reconcile,
        oncall=OnCallSettings.of(parsed, parsed.site.time_zone),
        heartbeat=parsed.heartbeat,
        last_resort=parsed.last_resort,
        canary=parsed.canary,
    )
