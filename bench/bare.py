"""The ceiling that bookings are measured against: a bare Flask view, raw psycopg, the same writes, and nothing else.

No form, no checks, no limits, no anti-forgery token, no template; one connection a worker, one statement for slot, reservation and log.
"""

from __future__ import annotations

import os
import secrets
from functools import cache
from typing import Any

import psycopg
from flask import Flask, Response, request

from models.bookings import CODE_ALPHABET

app = Flask("bare")

STATEMENT = b"""
WITH taken AS (UPDATE slot SET used = used + 1 WHERE id = %(slot)s AND used + 1 <= capacity RETURNING *),
made AS (INSERT INTO reservation (booking_code, booking_date, start_time, end_time, category_id, procedure_name, counter_id, slot_id, name,
    name_kana, postal_code, address, building, phone, email, request_detail, state, message, requested_date, requested_time, channel,
    units, form_token, consent_version, search_key, row_stamp)
  SELECT %(code)s, slot_date, start_time, end_time, 1, 'x', counter_id, id, %(name)s, %(name_kana)s, '6500001', %(address)s, '', %(phone)s,
    %(email)s, '{}', 'booked', '', current_date, localtime, 'web', 1, %(form_token)s, '1', '', 1 FROM taken RETURNING id)
INSERT INTO operation_log (started_at, ended_at, user_id, user_name, department, action_class, action_code, action_name, detail,
    my_number_access, client_info, request_id)
  SELECT now(), now(), 'resident', 'x', '', 'add', 'reservation.book', 'x', '{}', 'none', 'x', '' FROM made RETURNING id"""


@cache
def connection() -> psycopg.Connection[Any]:
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


@app.get("/healthz")
def ready() -> str:
    return "ok"


@app.post("/book/<int:slot>/confirm")
def book(slot: int) -> Response:
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(10))
    made = connection().execute(STATEMENT, {**request.form, "slot": slot, "code": code}).fetchone()
    return Response(status=303 if made else 409, headers={"Location": "/booked/"})
