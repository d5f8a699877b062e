"""A party changes (N1): all of it moves to another time, or somebody joins it. One transaction each: the new places or nothing."""

from __future__ import annotations

import random
import uuid
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import TOKYO
from app.errors import AppError, Busy, Conflict, SlotFull
from app.rules import outbox, pickups, seating, slots, visits, waiting
from app.rules.bookings import Applicant, BookingRequest, new_code, row_of, told
from app.rules.pickups import Reach
from app.rules.slots import Opening
from app.rules.taking import give_back, insert, take
from app.schema import specs
from app.sentences import N_, Sentence
from models import BookingCategory, Channel, MailKind, Reservation, ReservationState

BOOKED = ReservationState.BOOKED
EACH_A_NOTICE = N_("カードの受け取りは、お一人ずつ交付通知書を確認して予約します。家族の分は、新しく予約してください。")
_TRIES = 5


def until(row: Reservation) -> date:
    """The last day on which a resident may change or cancel this reservation without the call centre."""
    return row.booking_date - timedelta(days=row.category.self_until_days)


def why_not(row: Reservation, now: datetime, *, cancel: bool) -> Sentence | None:
    """Why a resident cannot cancel (or change) by themselves; None when they can."""
    allowed = row.category.self_cancel if cancel else row.category.self_change
    if not allowed:
        return Sentence(N_("この手続きの変更とキャンセルは、お電話で承ります。"))
    local = now.astimezone(TOKYO)
    is_over = (row.booking_date, row.start_time) <= (local.date(), local.time())
    if row.state is not BOOKED or is_over:
        return Sentence(N_("この予約は、もう変更もキャンセルもできません。"))
    if local.date() > until(row):
        words = N_("インターネットでの変更とキャンセルは、%(day)sまでです。お電話でお申し出ください。")
        return Sentence(words, {"day": until(row)})
    return None


def move_party(session: Session, rows: Sequence[Reservation], slot_id: int, channel: Channel, now: datetime) -> None:
    """Moves everybody of a household to a time that begins with this one. Raises SlotFull or NotOffered; nobody has moved then."""
    live = [row for row in rows if row.state is BOOKED]
    if not live:
        raise Conflict(N_("この予約は、もう変更できません。"))
    reach = pickups.reach_of(session, live, now)
    if len(live) == 1:
        visits.move(session, live[0], slot_id, (channel,), now, reach=reach)
        return
    before = {"day": f"{live[0].booking_date}", "start": f"{live[0].start_time}", "counter": live[0].counter.name}
    left = {(row.counter_id, row.booking_date) for row in live}
    with session.begin_nested():
        _lock(session, live)
        for slot, units in sorted(Tally(row.slot_id for row in live).items()):
            give_back(session, slot, units)
        seats = _seats(session, live, slot_id, channel, now, reach)
        for row, seat in zip(live, seats, strict=True):
            row.slot_id, row.counter_id = seat.slot_id, seat.counter_id
            row.booking_date, row.start_time, row.end_time = seat.date, seat.start, seat.end
            row.channel, row.queue_number = channel, None
        session.flush()
    outbox.tell(session, MailKind.CHANGED, live, now, before=before)
    for counter, day in sorted(left):
        waiting.serve(session, counter, day, now)


def _lock(session: Session, rows: Sequence[Reservation]) -> None:
    """来庁予約 before 予約枠, in the order of their numbers."""
    wanted = select(Reservation.id).where(Reservation.id.in_([row.id for row in rows])).order_by(Reservation.id)
    session.execute(wanted.with_for_update())


def _seats(
    session: Session, rows: Sequence[Reservation], slot_id: int, channel: Channel, now: datetime, reach: Reach | None
) -> list[Opening]:
    """The new places, taken: one for each row, in the rows' order (procedure by procedure, person by person)."""
    categories = [session.get_one(BookingCategory, key) for key in dict.fromkeys(row.category_id for row in rows)]
    chosen = slots.offer_of(session, slot_id, categories[0], channel, now)
    if chosen.slot.id == rows[0].slot_id:
        raise AppError(N_("いまと同じ日時です。別の日時を選んでください。"), field="slot")
    if reach and not reach.holds(chosen.slot.counter_id, chosen.slot.slot_date):
        raise slots.NotOffered
    days = [slots.places(session, category, chosen.counter, channel, chosen.slot.slot_date, now) for category in categories]
    at, taken, seats = chosen.slot.start_time, Tally[int](), []
    for category, places in zip(categories, days, strict=True):
        people = sum(row.category_id == category.id for row in rows)
        left = [replace(place, free=place.free - taken[place.slot_id]) for place in places]
        found = seating.arrange([left], people, at, chosen.slot.id)
        if found is None:
            raise SlotFull
        seats += [(seat, category) for seat in found[0]]
        taken.update(seat.slot_id for seat in found[0])
        at = max(seat.end for seat in found[0])
    terms = {seat.slot_id: (seat, slots.terms(category, channel, now)) for seat, category in seats}
    for number in sorted(taken):
        if not take(session, terms[number][0], taken[number], terms[number][1]):
            raise SlotFull
    return [seat for seat, _ in seats]


def add_person(
    session: Session, first: Reservation, members: Sequence[Reservation], person: Applicant, now: datetime, *, rng: random.Random
) -> Reservation:
    """Somebody joins a booking: at its time where a place is free, else in a time that adjoins it. Raises SlotFull when neither is."""
    live = [row for row in members if row.state is BOOKED and row.category_id == first.category_id]
    category = session.get_one(BookingCategory, first.category_id)
    if category.asks_notice:
        raise Conflict(EACH_A_NOTICE)
    if len(live) >= category.max_party:
        raise Conflict(N_("一緒に予約できるのは%(most)s人までです。"), most=category.max_party)
    with session.begin_nested():
        _lock(session, members)
        seat = _beside(session, live, category, first, now)
        if not take(session, seat, 1, slots.terms(category, first.channel, now)):
            raise SlotFull
        group = first.group_id or str(uuid.UUID(int=rng.getrandbits(128), version=4))
        row = _join(session, first, category, seat, person, group, rng)
        if not first.group_id:
            first.group_id = group
        session.flush()
    outbox.tell(session, MailKind.CONFIRMED, [row], now)
    return row


def _beside(
    session: Session, live: Sequence[Reservation], category: BookingCategory, first: Reservation, now: datetime
) -> Opening:
    """A free place at one of the party's times, or right before or after them."""
    places = slots.places(session, category, first.counter, first.channel, first.booking_date, now)
    starts, ends = {row.start_time for row in live}, {row.end_time for row in live}
    near = [o for o in places if o.free > 0 and (o.start in starts or o.start in ends or o.end in starts)]
    if not near:
        raise SlotFull
    return min(near, key=lambda o: (o.start not in starts, o.start, -o.free, o.slot_id))


def _join(
    session: Session,
    first: Reservation,
    category: BookingCategory,
    seat: Opening,
    person: Applicant,
    group: str,
    rng: random.Random,
) -> Reservation:
    request = BookingRequest(
        category=category.code,
        counter=first.counter.code,
        slot_id=seat.slot_id,
        applicant=person,
        form_token="",
        channel=first.channel,
        consent_version=first.consent_version,
        language=first.language,
    )
    for _ in range(_TRIES):
        row = row_of(session, request, person, category, new_code(rng))
        row.slot_id, row.counter_id, row.group_id = seat.slot_id, seat.counter_id, group
        row.booking_date, row.start_time, row.end_time = seat.date, seat.start, seat.end
        row.search_key = specs()[Reservation].key_of(row)
        if number := insert(session, row):
            row.id = number
            told(session, row, category, first.counter)
            return row
    raise Busy
