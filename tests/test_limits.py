"""How often one caller may try: by address and by account, with Redis, without it, and while it is away."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import limits
from config import Settings
from tests.booking_pages import Resident, apart, free_slot, in_use, stored
from tests.conftest import csrf_token
from tests.databases import PASSWORD, missing
from tests.sites import log, person, site

START = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
needs_redis = pytest.mark.skipif("Redis" in missing(), reason="Redis がありません")
PROXY = {"trusted_proxies": ("127.0.0.1",)}


WRONG = "wrong wrong wrong"


def attempt(client: FlaskClient, password: str = WRONG, username: str = "staff", address: str = "", **headers: str) -> Any:
    came = {**headers, **({"X-Forwarded-For": address} if address else {})}
    token = csrf_token(client.get("/login/").text)
    return client.post("/login/", headers=came, data={"username": username, "password": password, "csrf_token": token})


def tries(app: Flask, many: int, **kw: Any) -> list[int]:
    return [attempt(app.test_client(), **kw).status_code for _ in range(many)]


@contextmanager
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def test_sixth_wrong_try_of_an_address_waits_and_is_told_how_long(database: Any) -> None:
    with clock() as now, site(database, limit_login="5 per minute; 30 per hour") as app:
        assert tries(app, 6, username="nobody") == [401] * 5 + [429]
        answer = attempt(app.test_client(), PASSWORD)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
        assert "しばらくしてから" in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        now.shift(timedelta(seconds=62))
        assert attempt(app.test_client(), PASSWORD).status_code == 302


def test_office_behind_one_address_starts_its_morning_together(database: Any) -> None:
    """Good sign-ins give back what they took; wrong ones between them do not come back."""
    with clock(), site(database, limit_login="3 per minute") as app:
        assert tries(app, 2) == [401, 401]
        assert tries(app, 8, password=PASSWORD, username="manager") == [302] * 8
        assert tries(app, 2) == [401, 429]


def test_reading_the_sign_in_page_is_not_limited(database: Any) -> None:
    with site(database, limit_login="1 per minute") as app:
        assert [app.test_client().get("/login/").status_code for _ in range(5)] == [200] * 5


def test_addresses_are_counted_apart_behind_our_proxy(database: Any) -> None:
    with clock(), site(database, limit_login="2 per minute", **PROXY) as app:
        assert tries(app, 3, username="nobody", address="10.1.10.5") == [401, 401, 429]
        assert tries(app, 2, username="nobody", address="10.1.10.6") == [401, 401]


def test_a_strangers_header_does_not_change_who_he_is(database: Any) -> None:
    with clock(), site(database, limit_login="2 per minute") as app:
        assert [attempt(app.test_client(), username="nobody", address=f"10.9.9.{n}").status_code for n in range(4)] == [
            401,
            401,
            429,
            429,
        ]
    with clock(), site(database, limit_login="2 per minute", **PROXY) as app:
        spoofed = [
            attempt(app.test_client(), username="nobody", address=f"10.9.9.{n}, 203.0.113.7").status_code for n in range(3)
        ]
        assert spoofed == [401, 401, 429]


def test_callers_with_ipv4_seen_through_ipv6_are_told_apart(database: Any) -> None:
    """As a server that listens on both sees them: otherwise one of them could lock everybody out."""
    with clock(), site(database, limit_login="2 per minute", trusted_proxies=("127.0.0.0/8",)) as app:
        came = {"environ_base": {"REMOTE_ADDR": "::ffff:127.0.0.1"}}
        for number in (7, 8):
            clients = [app.test_client() for _ in range(3)]
            for client in clients:
                client.environ_base.update(came["environ_base"])
            answers = [attempt(client, username="nobody", address=f"::ffff:203.0.113.{number}") for client in clients]
            assert [answer.status_code for answer in answers] == [401, 401, 429]


def test_an_ipv6_household_is_one_caller(database: Any) -> None:
    with clock(), site(database, limit_login="2 per minute", **PROXY) as app:
        assert [attempt(app.test_client(), address=f"2001:db8:0:1::{n}").status_code for n in range(3)] == [401, 401, 429]
        assert attempt(app.test_client(), address="2001:db8:0:2::1").status_code == 401


# -- per account ------------------------------------------------------------------------------------------------------


def test_account_under_attack_waits_in_that_network_only(database: Any, session: Session) -> None:
    with clock() as now, site(database, **PROXY) as app:
        assert [attempt(app.test_client(), address=f"203.0.113.{n}").status_code for n in range(11)] == [401] * 10 + [429]
        assert attempt(app.test_client(), PASSWORD, address="203.0.113.99").status_code == 429
        assert attempt(app.test_client(), PASSWORD, "STAFF ", address="203.0.113.99").status_code == 429
        assert attempt(app.test_client(), PASSWORD, "manager", address="203.0.113.99").status_code == 302
        assert attempt(app.test_client(), PASSWORD, address="10.1.10.5").status_code == 302
        now.shift(timedelta(minutes=15, seconds=1))
        assert attempt(app.test_client(), PASSWORD, address="203.0.113.99").status_code == 302
    assert person(session, "staff").fail_login_count == 0


def test_the_wait_grows_and_ends(database: Any) -> None:
    with clock() as now, site(database, **PROXY) as app:
        assert tries(app, 11, address="203.0.113.7")[-1] == 429
        now.shift(timedelta(minutes=15, seconds=1))
        assert tries(app, 11, address="203.0.113.7") == [401] * 10 + [429]
        now.shift(timedelta(minutes=15, seconds=1))
        answer = attempt(app.test_client(), PASSWORD, address="203.0.113.7")
        assert (answer.status_code, int(answer.headers["Retry-After"]) > 20 * 60) == (429, True)
        now.shift(timedelta(minutes=30))
        assert attempt(app.test_client(), PASSWORD, address="203.0.113.7").status_code == 302


def test_unknown_names_wait_like_known_ones(database: Any) -> None:
    with clock(), site(database) as app:
        assert tries(app, 11, username="nobody") == [401] * 10 + [429]


def test_a_good_sign_in_begins_the_account_anew(database: Any) -> None:
    with clock(), site(database) as app:
        assert tries(app, 9) == [401] * 9
        assert tries(app, 1, password=PASSWORD) == [302]
        assert tries(app, 10) == [401] * 10


def test_a_siege_is_told_to_the_log_once_a_minute(database: Any, session: Session) -> None:
    with clock() as now, site(database, limit_login="2 per minute; 3 per hour") as app:
        tries(app, 7, username="nobody")
        assert [row.user_id for row in log(session, "limit.refused")] == ["unknown"]
        now.shift(timedelta(seconds=61))
        tries(app, 3, username="nobody")
    assert len(log(session, "limit.refused")) == 2


def test_typed_names_are_not_kept_by_the_limiter(database: Any) -> None:
    with site(database) as app:
        attempt(app.test_client(), username="my-secret")
        assert not any("my-secret" in key for key in limits.limiter.storage.storage)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["limit_login", "limit_booking", "limit_lookup"])
def test_a_limit_that_cannot_be_read_stops_the_start(database: Any, name: str) -> None:
    with (
        pytest.raises(ValueError, match=f"{name.upper()} は「5 per minute; 30 per hour」のように"),
        site(database, **{name: "five"}),
    ):
        pass


# -- where it is counted ----------------------------------------------------------------------------------------------


def test_there_is_one_limiter_and_it_is_on(staff_app: Flask, resident_app: Flask) -> None:
    for app in (staff_app, resident_app):
        assert app.extensions["limiter"] == {limits.limiter}
        assert app.config["RATELIMIT_ENABLED"] is True


def test_redis_away_means_limited_by_each_process(database: Any) -> None:
    with site(database, limit_login="2 per minute", redis_url="redis://127.0.0.1:1/0") as app:
        assert tries(app, 4, username="nobody") == [401, 401, 429, 429]
        assert tries(app, 1, username="nobody", password=PASSWORD) == [429]


def test_redis_away_during_a_good_sign_in_lets_it_pass(database: Any) -> None:
    with site(database, redis_url="redis://127.0.0.1:1/0") as app:
        assert tries(app, 1, password=PASSWORD) == [302]


@needs_redis
def test_processes_count_together_in_redis(database: Any) -> None:
    shared = {**PROXY, "limit_login": "3 per minute", "redis_url": Settings(_env_file=None).test_redis_url}
    here = somewhere()
    with site(database, **shared) as one:
        assert tries(one, 2, username="nobody", address=here) == [401, 401]
        with site(database, **shared) as other:
            assert tries(other, 2, username="nobody", address=here) == [401, 429]
            assert tries(other, 1, password=PASSWORD, address=here) == [429]


@needs_redis
def test_processes_count_look_ups_together_in_redis(database: Any) -> None:
    shared = {**PROXY, "limit_lookup": "3 per minute", "redis_url": Settings(_env_file=None).test_redis_url}
    here = somewhere()
    with site(database, "resident", **shared) as one:
        assert [look_up(one, here) for _ in range(2)] == [404, 404]
        with site(database, "resident", **shared) as other:
            assert [look_up(other, here) for _ in range(2)] == [404, 429]
            assert (look_up(one, here), look_up(other, somewhere())) == (429, 404)


@needs_redis
def test_processes_count_bookings_together_in_redis(database: Any, session: Session) -> None:
    shared = {**PROXY, "limit_booking": "3 per minute", "redis_url": Settings(_env_file=None).test_redis_url}
    slot, here = free_slot(session, places=9), somewhere()
    with site(database, "resident", **shared) as one:
        assert [resident_at(one, here).book(slot, name=f"山田 {name}").status for name in "一二"] == [200, 200]
        with site(database, "resident", **shared) as other:
            resident = resident_at(other, here)
            check = resident.to_check(slot, name="山田 三")
            assert resident.press("この内容で予約する", consent="y").status == 200
            resident.page = check
            assert resident.press("この内容で予約する", consent="y").status == 429
            assert resident_at(other, here).to_check(slot, name="山田 四").status == 429
    assert len(stored(session)) == in_use(session) == 3


@needs_redis
def test_good_sign_ins_give_back_in_redis_too(database: Any) -> None:
    with site(database, limit_login="2 per minute", redis_url=Settings(_env_file=None).test_redis_url, **PROXY) as app:
        assert tries(app, 6, password=PASSWORD, address=somewhere()) == [302] * 6


def resident_at(app: Flask, address: str) -> Resident:
    """Somebody new at this address."""
    client = app.test_client()
    client.environ_base["HTTP_X_FORWARDED_FOR"] = address
    return Resident(client)


def look_up(app: Flask, address: str) -> int:
    """The answer to a code that nobody has, another each time: one code has a limit of its own."""
    resident = resident_at(app, address)
    fields = resident.open("/lookup").fields
    code = "".join(secrets.choice("ABCDEFGHJKMNPQRSTUVWXYZ23456789") for _ in range(10))
    answer = apart(resident.client.post, "/lookup", data={**fields, "code": code, "phone": "0781234567"})
    status: int = answer.status_code
    return status


def somewhere() -> str:
    """An address of its own: the Redis of the tests is shared, also with tests that run at the same time."""
    return f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1"
