"""What every part stands on: settings, clock, database, the configuration in force, the policy."""

from __future__ import annotations

from datetime import timedelta

from incidents.timeline import AUTOMATION
from monitor.accounts.password_reset import fill_in_links
from monitor.accounts.seal import open_seal
from monitor.clock import Clock
from monitor.config.holder import ConfigurationHolder, Reload
from monitor.config.model import Configuration
from monitor.database import open_database
from monitor.log import logger
from monitor.notify.message import Context, MailAccount
from monitor.rules.model import Group
from monitor.rules.windows import reopen_windows
from monitor.settings import Settings
from monitor.storage.store import Store
from monitor.use_cases.policy import alert_policy
from monitor.use_cases.reloading import SIGNAL, record_reload
from probes.secrets import SecretSource

log = logger("service")


class Ground:
    """Opens the database and holds what all parts share; decides nothing."""

    def __init__(
        self, settings: Settings, configuration: Configuration, secrets: SecretSource, clock: Clock
    ) -> None:
        self.settings, self.secrets, self.clock = settings, secrets, clock
        self.holder = ConfigurationHolder(configuration, clock)
        self.store = Store(open_database(settings))
        self.seal = open_seal(settings)
        self._reopen_windows: dict[str, timedelta] = {}
        self.policy = alert_policy(
            settings.public_url, self._reopen_windows, mails=bool(settings.smtp_url)
        )

    def current(self) -> Configuration:
        """Return the configuration in force."""
        return self.holder.current

    @property
    def alone(self) -> bool:
        """Whether no other process can share the database."""
        return self.store.engine.dialect.name == "sqlite"

    def sender(self) -> Context:
        """Return what goes with every message and request that leaves, as configured now."""
        settings, site = self.settings, self.holder.current.site
        return Context(
            secrets=self.secrets,
            mail=MailAccount(smtp_url=settings.smtp_url or "", mail_from=settings.mail_from),
            site_name=site.name,
            site_url=settings.public_url,
            time_zone=site.time_zone,
            clock=self.clock,
            complete=fill_in_links(self.seal, settings.public_url),
        )

    def use_rules(self, groups: tuple[Group, ...]) -> None:
        """Let the policy, which everybody holds, know the reopen windows of these rules."""
        windows = reopen_windows(groups)
        self._reopen_windows.update(windows)
        for name in self._reopen_windows.keys() - windows.keys():
            del self._reopen_windows[name]

    def reload(self) -> None:
        """Read the configuration folder again now (SIGHUP)."""
        self._say_reload(self.holder.reload(), SIGNAL)

    def reload_if_changed(self) -> None:
        """Read the configuration folder again where a file in it has changed."""
        reload = self.holder.reload_if_changed()
        if reload is not None:
            self._say_reload(reload, AUTOMATION)

    def _say_reload(self, reload: Reload, by: str) -> None:
        if reload.successful:
            log.info("configuration reloaded", folder=str(self.holder.current.folder))
        for fault in reload.faults:
            log.error("configuration kept: the new one has a fault", fault=str(fault))
        record_reload(self.store, reload, by)
