"""Between two pages: the entry waits in a draft, whose reference stands in the address and opens it in one browser only.

So every page is the answer of a GET: it can be reloaded and gone back to, and two tabs are two drafts. The address alone opens
nothing, and nothing personal is in it or in the cookie.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from flask import g, redirect, url_for
from flask import session as browser_session

from app.context import context
from app.extensions import db
from app.limits import caller
from app.rules import drafts
from app.rules.drafts import Draft
from app.rules.pickups import Claim
from booking import seals
from booking.tongue import N_, Sentence
from models import DraftStep

_CHOOSING = {"categories", "notice", "unlock", "counters", "month", "times", "join", "joined"}
TRAVELS = _CHOOSING | {"hold", "form", "send", "check", "confirm"}
"""The pages whose addresses carry the reference on, who comes along, and whose places are asked for."""
LOST = N_(
    "入力していた内容は残っていません。最後に送ってから1時間がたったか、ほかのブラウザーで開かれたためです。"
    "お手数ですが、もう一度入力してください。"
)
NO_COOKIE = N_(
    "このブラウザーには、予約の途中であることの記録（Cookie）がありません。"
    "Cookieを使えない設定では予約できませんので、設定を確かめてからお進みください。"
)


def carry(endpoint: str, values: dict[str, Any]) -> None:
    """Puts the reference and the company into every address on the way to a booking."""
    page = page_of(endpoint)
    if page not in TRAVELS:
        return
    if g.booking.asked:
        values.setdefault("channel", g.booking.channel.value)
    if reference():
        values.setdefault("draft", reference())
    if page != "categories":  # another procedure is another question
        for name, value in g.booking.company.in_address.items():
            values.setdefault(name, value)


def page_of(endpoint: str | None) -> str:
    """The page that an endpoint is, whichever site it is on."""
    return (endpoint or "").rpartition(".")[2]


def reference() -> str:
    """The reference in this request's address; empty when there is none."""
    found: str = g.booking.reference
    return found


def browser() -> str:
    """What tells this browser from others: random bits in its cookie, made when first asked for."""
    if "browser" not in browser_session:
        browser_session["browser"] = secrets.token_urlsafe(16)
    found: str = browser_session["browser"]
    return found


def draft() -> Draft | None:
    """The draft that the address names, if this browser typed it."""
    if "draft" not in g:
        g.draft = drafts.find(db.session(), _key(), now()) if reference() and "browser" in browser_session else None
    found: Draft | None = g.draft
    return found


def has_typed() -> bool:
    """Whether the draft holds more than what the way there has told by itself: its token, and the birth date of a notice."""
    found = draft()
    told = ("form_token", "birth_year", "birth_month", "birth_day")
    return found is not None and any(typed for name, typed in found.entry.items() if name.rpartition("-")[2] not in told)


def counted_as() -> str:
    """What a form is counted as, whoever sends it; one without a reference by its sender."""
    return f"form:{reference() or caller()}"


def keep(
    entry: Iterable[tuple[str, str]], step: DraftStep, told: Sentence | str = "", cards: Sequence[Claim] | None = None
) -> None:
    """Keeps an entry for the page that comes next; under a new reference if it came without one. The cards that were unlocked stay,
    unless others are given: they never stand in a page, so no form sends them."""
    g.booking.reference = reference() or seals.new_reference(now())
    sentence = Sentence(told) if isinstance(told, str) and told else told or None
    drafts.keep(db.session(), _key(), Draft(entry=dict(entry), step=step, told=sentence), now(), cards)
    g.pop("draft", None)
    g.wrote = True  # the edge commits


def claims() -> tuple[Claim, ...]:
    """The cards to be fetched, one for each person, that this browser has unlocked on the way."""
    found = draft()
    return found.cards if found else ()


def drop() -> None:
    """Throws the draft of this request's address away."""
    drafts.drop(db.session(), _key())
    g.booking.reference, g.wrote = "", True


def token() -> str:
    """The token of the form that the address names, or a new one."""
    found = draft()
    return (found and found.entry.get("form_token", "")) or seals.new_form_token()


def told() -> Sentence | str:
    """What the page has to say about the draft that its address names: its own sentence, or why there is none."""
    if found := draft():
        return found.told or ""
    if not reference():
        return ""
    if "browser" not in browser_session:
        return NO_COOKIE
    return LOST if seals.age(reference(), now()) > drafts.KEPT else ""


def told_on_the_way() -> str:
    """The same on a page where a draft is only carried on: one that is lost is not carried further."""
    if not reference() or draft():
        return ""
    g.booking.reference = ""
    return LOST


def onward() -> str:
    """The page that follows a choice of time: where the person has been already, or the form."""
    found = draft()
    return "check" if found and found.step.is_checked else "form"


def elsewhere() -> Any:
    """For a page of a booking in another browser, or too late: the look-up asks for the second fact; an operator searches."""
    return redirect(url_for(".start") if g.booking.desk else url_for(".lookup", instead="yes"), 303)


def now() -> datetime:
    return context(db.session()).now()


def _key() -> str:
    return seals.digest(f"{browser()} {reference()}")
