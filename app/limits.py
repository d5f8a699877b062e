"""How often one caller may try: one limiter for both sites, in Redis when there is one, otherwise in the process.

When Redis goes away each process counts for itself until it is back: limited, never unlimited and never an error.
"""

from __future__ import annotations

import hashlib
import time

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter, RateLimitExceeded, RequestLimit
from limits import parse, parse_many

from app import audit, edge
from app.addresses import is_within, limit_key, limit_network
from app.context import Actor, Context
from app.extensions import db

LIMIT_ACCOUNT = "10 per 15 minutes; 20 per hour"
"""Wrong passwords for one account from one network: the wait grows from a quarter of an hour to an hour, and always ends."""
_TOLD_ONCE = parse("1 per minute")
_REDIS = {"socket_connect_timeout": 1, "socket_timeout": 1}  # seconds; a silent Redis must not hold every sign-in


def limit_login() -> str:
    return _setting("LIMIT_LOGIN")


def limit_booking() -> str:
    return _setting("LIMIT_BOOKING")


def limit_hold() -> str:
    return _setting("LIMIT_HOLD")


def limit_lookup() -> str:
    return _setting("LIMIT_LOOKUP")


def _setting(name: str) -> str:
    return str(current_app.config[name])


def caller() -> str:
    """Who is counted: a signed-in person where people share an address (the office, the call centre), else the address."""
    site, address = current_app.config["SITE"], edge.client_address()
    person = g.context.actor.user_id if "context" in g else ""
    if person not in ("", "resident") and (site == "staff" or is_within(address, current_app.config["CALLCENTER_NETWORKS"])):
        return f"{site}:person:{person}"
    return f"{site}:{limit_key(address)}"


def account() -> str:
    """The account that somebody tries, from one network: colleagues at another address can still sign in to theirs, and to it.

    Only a digest of the name is counted, because a password is easily typed into the wrong box.
    """
    typed = request.form.get("username", "").strip().casefold()
    digest = hashlib.sha256(f"{current_app.secret_key!r}{typed}".encode()).hexdigest()[:32]
    return f"account:{digest}@{limit_network(edge.client_address())}"


def first_in_a_minute(what: str) -> bool:
    """Whether this is the caller's first of its kind within a minute: the log tells of a siege once a minute, not once a shot,
    because otherwise whoever is refused could fill it."""
    return _first_in_a_minute(what, caller())


def _first_in_a_minute(*whose: str) -> bool:
    return limiter.limiter.hit(_TOLD_ONCE, *whose)


def _breached(breach: RequestLimit) -> None:
    g.retry_after = max(1, breach.reset_at - int(time.time()))
    g.first_breach = _first_in_a_minute("breach", *breach.request_args)


limiter = Limiter(caller, in_memory_fallback_enabled=True, swallow_errors=False, on_breach=_breached)


def init(app: Flask) -> None:
    """Puts the one limiter on a site. Before FAB, which would otherwise make its own and switch limiting off."""
    for name in ("LIMIT_LOGIN", "LIMIT_BOOKING", "LIMIT_HOLD", "LIMIT_BURST", "LIMIT_LOOKUP"):
        _must_be_limits(name, app.config[name])
    redis_url = app.config["REDIS_URL"]
    app.config.update(
        RATELIMIT_ENABLED=True,
        RATELIMIT_STORAGE_URI=redis_url or "memory://",
        RATELIMIT_STORAGE_OPTIONS=_REDIS if redis_url else {},
    )
    limiter._storage_dead = False  # a new storage is not the one that was found dead
    limiter.init_app(app)
    app.register_error_handler(429, _too_often)
    app.after_request(_say_when)


def _must_be_limits(name: str, value: str) -> None:
    """Refuses at start what would otherwise be no limit at all: Flask-Limiter only logs a limit that it cannot read."""
    try:
        parse_many(value)
    except ValueError as error:
        raise ValueError(f"{name} は「5 per minute; 30 per hour」のように書いてください（いまの値: {value!r}）") from error


def _too_often(_error: RateLimitExceeded) -> Response:
    """429: said to the person each time, to the log once a minute."""
    current: Context | None = g.get("context")
    if current and g.get("first_breach"):
        if not current.actor.user_id:
            current.actor = Actor(user_id="unknown", client=edge.client())
        audit.declare(db.session(), "limit", "refused", "回数制限", 対象=request.endpoint)
    return edge.page(429)


def _say_when(response: Response) -> Response:
    if response.status_code == 429:
        response.headers.setdefault("Retry-After", str(g.get("retry_after", 60)))
    return response


def forgive() -> None:
    """A good sign-in gives back what it took, so that an office behind one address can start its morning together.

    The account begins anew; the address gets back this one try, not those that failed.
    """
    for used in limiter.current_limits:
        try:
            if used.request_args[0].startswith("account:"):
                limiter.limiter.clear(used.limit, *used.request_args)
            else:
                limiter.limiter.hit(used.limit, *used.request_args, cost=-1)
        except limiter.storage.base_exceptions:
            current_app.logger.warning("rate limit storage went away during a sign-in")
