"""Deployment settings: where this process listens, stores and sends; from `MONITOR_*` variables.

Every variable may be given as `MONITOR_NAME` or, for secrets mounted as files, as
`MONITOR_NAME_FILE` holding the path of a file with the value. What is watched and who is told
is not here but in the configuration folder (`monitor.config`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from probes.durations import Duration
from probes.faults import Fault, FaultyInput

PREFIX = "MONITOR_"


class Settings(BaseModel):
    """How this process is deployed. Each field is the variable `MONITOR_<FIELD>` in upper case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: Path = Field(Path("config"), description="Folder with monitor.yml and journeys/.")
    data: Path = Field(Path("data"), description="Folder for the database and sample log.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    database_url: str | None = Field(
        None, description="SQLAlchemy URL; without it SQLite in the data folder."
    )
    public_url: str = Field(
        "", description="How users reach this service, for links; http://HOST:PORT without it."
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Further host names browsers may ask for, comma-separated; * allows all."
    )
    rules: Literal["embedded", "prometheus"] = Field(
        "embedded", description="Who evaluates alert_rules/: this process, or a Prometheus."
    )
    log_format: Literal["human", "json"] = Field("human", description="Shape of log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe level that is logged."
    )
    smtp_url: str | None = Field(
        None, description="Mail server: smtp://user:password@host:587?starttls=1 or smtps://…"
    )
    mail_from: str = Field("monitor@localhost", description="Sender of every mail.")
    alerts_token: str | None = Field(
        None, min_length=16, description="Bearer token that POST /api/v2/alerts asks for."
    )
    api_token: str | None = Field(
        None, min_length=16, description="Bearer token for writing through /api/v1."
    )
    metrics_token: str | None = Field(
        None, min_length=16, description="Bearer token that /metrics asks for; open without it."
    )
    seal_key: str | None = Field(
        None,
        min_length=32,
        description="Key that second factors are sealed with; DATA/seal.key without it.",
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses whose X-Forwarded-* headers are believed, comma-separated."
    )
    client_rate: int = Field(
        1200, ge=0, description="Requests a minute from one client; 0 for any number."
    )
    token_rate: int = Field(
        6000, ge=0, description="Requests a minute with one token; 0 for any number."
    )
    scrape_interval: Duration = Field(
        10.0, description="How often this service's own metrics become samples."
    )
    watch_interval: Duration = Field(
        2.0, description="How often the configuration folder is looked at for changes."
    )
    shutdown_grace: Duration = Field(
        20.0, description="Longest wait for work in flight after SIGTERM."
    )

    @field_validator("trusted_proxies", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def database(self) -> str:
        """Return the SQLAlchemy URL of the database in use."""
        return self.database_url or f"sqlite:///{(self.data / 'monitor.db').absolute()}"

    @property
    def own_host(self) -> str:
        """Return the address at which this machine reaches the service itself."""
        return "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host

    def listening_on(self, port: int) -> Settings:
        """Return these settings with the port really taken, and a public address to go with it."""
        host = self.own_host
        public = self.public_url.rstrip("/") or f"http://{host}:{port}"
        return self.model_copy(update={"port": port, "public_url": public})


def load_settings(environ: Mapping[str, str], **given: object) -> Settings:
    """Return the settings in `environ`, overruled by those `given` that are not None.

    Variables of other names below `MONITOR_` are left alone (`MONITOR_SECRET_*` are secrets of
    journeys and channels).

    Raises:
        FaultyInput: one or more variables are invalid; all are listed.
    """
    faults: list[Fault] = []
    values: dict[str, object] = {}
    for name in Settings.model_fields:
        value = _from_environment(environ, PREFIX + name.upper(), faults)
        if value is not None:
            values[name] = value
    values.update({name: value for name, value in given.items() if value is not None})
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        faults += [_fault(detail["loc"][0], detail["msg"], values) for detail in error.errors()]
    if faults:
        raise FaultyInput(faults)
    return settings


def _from_environment(environ: Mapping[str, str], name: str, faults: list[Fault]) -> str | None:
    if environ.get(name):
        return environ[name]
    path = environ.get(f"{name}_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        expected = f"a readable file ({error.strerror})"
        faults.append(
            Fault(
                file="environment", line=None, place=f"{name}_FILE", value=path, expected=expected
            )
        )
        return None


def _fault(field: object, message: str, values: Mapping[str, object]) -> Fault:
    secret = str(field).endswith(("token", "url", "key"))
    value = "(not shown)" if secret else str(values.get(str(field), ""))
    place = PREFIX + str(field).upper()
    return Fault(file="environment", line=None, place=place, value=value, expected=message)
