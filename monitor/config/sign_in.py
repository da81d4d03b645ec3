"""The part `sign_in` of `monitor.yml`: who needs a second factor, and who may come from outside."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

AccountRole = Literal["viewer", "agent", "responder", "administrator"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]
DISCOVERY = "/.well-known/openid-configuration"


def safe_provider_url(url: str) -> str:
    """Return an address as it is, if what is sent there can be read by nobody on the way.

    Raises:
        ValueError: it is neither https nor on this machine.
    """
    parts = urlsplit(url)
    plain = parts.scheme == "http" and _is_here(parts.hostname or "")
    if not (parts.hostname and (parts.scheme == "https" or plain)) or parts.username:
        raise ValueError("an https address without a user name in it")
    return url


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _issuer(url: str) -> str:
    safe_provider_url(url)
    if urlsplit(url).query or urlsplit(url).fragment:
        raise ValueError("an address without a query")
    return url.removesuffix(DISCOVERY)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OpenId(_Part):
    """An OpenID Connect provider whose word is taken for who somebody is."""

    issuer: Annotated[str, AfterValidator(_issuer)]
    client_id: Name
    client_secret: str = ""  # may name a secret, `${secret:NAME}`; empty: a public client
    label: Annotated[str, StringConstraints(min_length=1, max_length=40)] = "single sign-on"
    scopes: tuple[Name, ...] = ("openid", "email", "profile")
    role_claim: Name = "groups"
    roles: Mapping[Name, AccountRole] = {}
    default_role: AccountRole | None = None
    unknown_people: Literal["refuse", "create"] = "refuse"
    link_by_email: bool = False
    second_factor: Literal["here", "provider"] = "here"

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> OpenId:
        if "openid" not in self.scopes:
            raise ValueError("scopes that name openid")
        if self.unknown_people == "refuse" and not self.link_by_email:
            raise ValueError("unknown_people: create or link_by_email: true, else nobody gets in")
        if self.unknown_people == "create" and not (self.roles or self.default_role):
            raise ValueError("roles or a default_role for the people it is to create")
        return self


class SignIn(_Part):
    """How people of the console prove who they are, beyond a password."""

    second_factor_roles: frozenset[AccountRole] = Field(default=frozenset())
    openid: OpenId | None = None

    def asks_second_factor(self, role: str, method: str) -> bool:
        """Return whether an account of this role must have a second factor here."""
        return role in self.second_factor_roles and not self.is_providers_matter(method)

    def is_providers_matter(self, method: str) -> bool:
        """Return whether the provider alone answers for the second factor of this sign-in."""
        provider = self.openid is not None and self.openid.second_factor == "provider"
        return method == "openid" and provider
