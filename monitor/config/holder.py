"""The configuration in force: replaced as a whole by a valid one, kept when the new one is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from monitor.clock import Clock
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from probes.faults import Fault, FaultyInput

Listener = Callable[[Configuration], None]


@dataclass(frozen=True)
class Reload:
    """How the last attempt to read the folder ended."""

    at: datetime
    faults: tuple[Fault, ...] = ()

    @property
    def successful(self) -> bool:
        """Return whether the folder was valid and is now in force."""
        return not self.faults


class ConfigurationHolder:
    """Holds the configuration in force and tells listeners when it changes."""

    def __init__(self, configuration: Configuration, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._listeners: list[Listener] = []
        self._stamp = _stamp(configuration.folder)
        self.current = configuration
        self.last_reload = Reload(clock.now())
        self.last_success_at = self.last_reload.at

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every configuration that comes into force from now on."""
        self._listeners.append(listener)

    def reload(self) -> Reload:
        """Read the folder again; on faults keep the old configuration and report them."""
        with self._lock:
            self._stamp = _stamp(self.current.folder)
            try:
                loaded = load_configuration(self.current.folder)
            except FaultyInput as error:
                self.last_reload = Reload(self._clock.now(), tuple(error.faults))
                return self.last_reload
            self.current = loaded
            self.last_reload = Reload(self._clock.now())
            self.last_success_at = self.last_reload.at
            for listener in self._listeners:
                listener(loaded)
            return self.last_reload

    def reload_if_changed(self) -> Reload | None:
        """Reload where a file was added, removed or written since last looked at, else do nothing.

        A folder seen changing is left until it has been quiet for one more look, so that an
        editor's half-written file is not taken for a fault.
        """
        stamp = _stamp(self.current.folder)
        if stamp == self._stamp:
            return None
        if stamp != getattr(self, "_seen", None):
            self._seen = stamp
            return None
        return self.reload()


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return names, sizes and modification times of every file that can be configuration."""
    found = []
    for path in sorted([*folder.glob("*.y*ml"), *folder.glob("*/*.y*ml")]):
        try:
            stat = path.stat()
        except FileNotFoundError:  # removed between listing and looking
            continue
        found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)
