"""Which language a page is in: the one that was chosen, else the first of the browser's that we have, else Japanese."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from flask import Blueprint, current_app, has_request_context, redirect, request, url_for
from flask import session as browser_session
from werkzeug.exceptions import HTTPException

from app import edge
from models import Language

HTML = {Language.JA: "ja", Language.EASY: "ja", Language.EN: "en", Language.ZH: "zh-Hans", Language.KO: "ko", Language.VI: "vi"}
"""Language → what a browser is told that the words are in: for their sound, their signs and their line breaks."""
LONG = (Language.EASY, Language.EN, Language.VI)
"""Languages whose words need more room than a line on a phone has beside others."""
_OF_BROWSERS = {"ja": Language.JA, "en": Language.EN, "zh": Language.ZH, "ko": Language.KO, "vi": Language.VI}
_CURRENT = "kobe.language"
_CODES = frozenset(language.value for language in Language)


def register(pages: Blueprint) -> None:
    """Also for addresses that lead nowhere: their page is in somebody's language, too."""
    pages.before_app_request(_chosen)


def _chosen() -> Any:
    """A link that chooses a language leads on to the same address without it; a form that does goes its way."""
    if edge.is_plain(request.endpoint) or not choose() or request.method != "GET" or request.routing_exception:
        return None
    return redirect(_address(request.path, _without_language(list(request.args.items(multi=True)))), 303)


def choose() -> bool:
    """Whether this request chooses a language. It is kept in the browser's cookie, and its pages are in it from here on."""
    wished = (request.args if request.method == "GET" else request.form).get("lang", "")
    if wished not in _CODES or _is_for_the_office():
        return False
    browser_session["language"] = wished
    request.environ[_CURRENT] = Language(wished)
    return True


def current() -> Language:
    if not has_request_context():
        return Language.JA
    found: Language | None = request.environ.get(_CURRENT)
    if found is None:
        found = request.environ[_CURRENT] = _wished()
    return found


def _wished() -> Language:
    if _is_for_the_office():
        return Language.JA
    kept = browser_session.get("language", "")
    return Language(kept) if kept in _CODES else _of_browser()


def _is_for_the_office() -> bool:
    """Operators work in Japanese, whatever their browser says."""
    return request.blueprint not in (None, "booking")


def _of_browser() -> Language:
    """Who reads only languages that we do not have is likelier to read English than Japanese."""
    asked = [tag.lower().partition("-")[0] for tag, quality in request.accept_languages if quality > 0]
    named = [tag for tag in asked if tag.isalpha()]  # "*" is no language
    return next((_OF_BROWSERS[tag] for tag in named if tag in _OF_BROWSERS), Language.EN if named else Language.JA)


def address_in(language: Language) -> str:
    """The address of this page in another language; of an error at a form, the address of the page with the form."""
    path, asked = _here()
    return _address(path, [*_without_language(asked), ("lang", language.value)])


def _here() -> tuple[str, list[tuple[str, str]]]:
    if request.method == "GET" or _can_be_opened():
        return request.path, list(request.args.items(multi=True))
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc == request.host:
        return unquote(came_from.path), parse_qsl(came_from.query)
    return url_for("booking.start"), []


def _can_be_opened() -> bool:
    try:
        current_app.create_url_adapter(request).match(method="GET")  # type: ignore[union-attr]
    except HTTPException:
        return False
    return True


def _without_language(asked: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in asked if name != "lang"]


def _address(path: str, asked: list[tuple[str, str]]) -> str:
    """An address on this site, whatever the path: one that begins with two strokes would name another."""
    return "/" + quote(path.lstrip("/")) + (f"?{urlencode(asked)}" if asked else "")


__all__ = ["HTML", "address_in", "choose", "current", "register"]
