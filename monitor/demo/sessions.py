"""Answers for what the shop remembers about a visitor between two requests."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

COOKIE = "kijani_session"
SESSION_LIMIT = 2_000
SESSION_AGE = timedelta(hours=2)


@dataclass(slots=True)
class Card:
    """A payment card as typed, kept until the order is placed; never shown whole, never logged."""

    holder: str
    number: str = field(repr=False)
    expiry: str
    cvc: str = field(repr=False)

    @property
    def ending(self) -> str:
        """Give the four digits that may be shown."""
        return self.number[-4:]


@dataclass(slots=True)
class Checkout:
    """How far a visitor has come in the checkout, and the key that makes it happen once."""

    address: dict[str, str] | None = None
    shipping: str | None = None
    card: Card | None = None
    idempotency_key: str = field(default_factory=lambda: secrets.token_urlsafe(18))


@dataclass(slots=True)
class Session:
    """One visitor's cart, checkout and rights; kept only once something is worth keeping."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    csrf_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    email: str | None = None
    cart: dict[str, int] = field(default_factory=dict)
    promo_code: str | None = None
    checkout: Checkout = field(default_factory=Checkout)
    orders: set[str] = field(default_factory=set)
    notice: str | None = None
    seen_at: datetime | None = None
    is_new: bool = True
    is_wanted: bool = False

    def token(self) -> str:
        """Return the CSRF token for a form, and make sure that this session is remembered."""
        self.is_wanted = True
        return self.csrf_token

    def take_notice(self) -> str | None:
        """Return the message left for the next page, once."""
        notice, self.notice = self.notice, None
        return notice


class Sessions:
    """All remembered sessions, least recently seen first; bounded in number and age."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._now = now

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, session_id: str | None) -> Session:
        """Return the remembered session, or a new one that is not remembered yet."""
        session = self._sessions.get(session_id or "")
        if session is None or self._is_over(session):
            return Session()
        session.is_new = False
        return session

    def keep(self, session: Session) -> None:
        """Remember the session as seen now, and forget what is over."""
        session.seen_at = self._now()
        self._sessions[session.id] = session
        self._sessions.move_to_end(session.id)
        while len(self._sessions) > SESSION_LIMIT or self._is_over(self._oldest()):
            self._sessions.popitem(last=False)

    def renew(self, session: Session) -> None:
        """Give the session a new name and token: what leaked before is worth nothing now."""
        self._sessions.pop(session.id, None)
        session.id = secrets.token_urlsafe(24)
        session.csrf_token = secrets.token_urlsafe(24)
        session.is_new = session.is_wanted = True

    def end(self, session: Session) -> None:
        """Forget the session."""
        self._sessions.pop(session.id, None)

    def _oldest(self) -> Session:
        return next(iter(self._sessions.values()))

    def _is_over(self, session: Session) -> bool:
        return session.seen_at is not None and self._now() - session.seen_at >= SESSION_AGE
