"""Every answer of both sites carries the same security headers, and nothing with people in it may be kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Environment, nodes

from config import ROOT
from tests.conftest import csrf_token
from tests.conftest import sign_in as enter
from tests.databases import PASSWORD
from tests.pages import refused_by_policy
from tests.sites import site

EXACT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-N'; style-src 'self' 'nonce-N'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
NONCE = re.compile(r"'nonce-([\w-]{22})'")


def policy_of(answer: Any) -> str:
    return NONCE.sub("'nonce-N'", answer.headers["Content-Security-Policy"])


def check(answer: Any) -> None:
    assert {name: answer.headers.get(name) for name in EXACT} == EXACT
    assert policy_of(answer) == POLICY
    assert len(set(NONCE.findall(answer.headers["Content-Security-Policy"]))) == 1


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/", 200),
        ("/card/list/", 403),
        ("/reservation/list/", 200),
        ("/masters/", 200),
        ("/nowhere", 404),
        ("/logout/", 405),
        ("/reset/x", 410),
        ("/password/", 200),
        ("/healthz", 200),
    ],
)
def test_staff_answers(browse: Callable[[str], FlaskClient], address: str, status: int) -> None:
    answer = browse("operator").get(address)
    assert answer.status_code == status
    check(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("address", ["/login/", "/", "/nowhere", "/readyz"])
def test_answers_to_strangers(staff_app: Flask, address: str) -> None:
    answer = staff_app.test_client().get(address)
    check(answer)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", ["/", "/nowhere", "/healthz"])
def test_resident_answers(visitor: FlaskClient, address: str) -> None:
    answer = visitor.get(address)
    check(answer)
    assert answer.headers["Cache-Control"] == "no-store"


def test_answer_after_a_defect_carries_them_too(staff_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> str:
        raise ZeroDivisionError("a detail nobody should read")

    client = staff_app.test_client()
    client.get("/healthz")
    monkeypatch.setitem(staff_app.view_functions, "SignInView.login", broken)
    answer = client.get("/login/")
    assert answer.status_code == 500
    check(answer)
    assert "a detail nobody" not in answer.text
    assert "保存されていません" in answer.text


def test_nonce_is_new_each_time_and_reaches_the_templates(staff_app: Flask) -> None:
    client = staff_app.test_client()
    found = {NONCE.search(client.get("/login/").headers["Content-Security-Policy"]).group(1) for _ in range(5)}  # type: ignore[union-attr]
    assert len(found) == 5
    with staff_app.test_request_context("/login/"):
        assert len(staff_app.jinja_env.from_string("{{ csp_nonce() }}").render()) == 22


def test_files_are_kept_for_a_year_under_their_version_and_an_hour_without(staff_app: Flask) -> None:
    client = staff_app.test_client()
    address = re.search(r'href="(/static/staff\.css\?v=\w{10})"', client.get("/login/").text)
    assert address
    for url, kept in ((address.group(1), "public, max-age=31536000, immutable"), ("/static/staff.css", "public, max-age=3600")):
        with client.get(url) as answer:
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, kept)
            check(answer)
            assert "Set-Cookie" not in answer.headers
    assert client.get("/static/nowhere.css").headers["Cache-Control"] == "no-store"


def test_cookies_are_closed(staff_app: Flask) -> None:
    client = staff_app.test_client()
    before = client.get("/login/").headers.getlist("Set-Cookie")
    after = enter(client, "staff").headers.getlist("Set-Cookie")
    for line in (*before, *after):
        assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= set(line.split("; ")), line
        assert "Domain" not in line
    assert [line.split("=")[0] for line in before] == ["staff_visit"]
    assert [line.split("=")[0] for line in after] == ["staff", "staff_visit"]


def test_residents_cookies_are_closed(resident_app: Flask) -> None:
    """Lax, because people come from a link in a mail; the one cookie there is holds nothing about them."""
    client = resident_app.test_client()
    lines = [line for path in ("/", "/book/", "/lookup") for line in client.get(path).headers.getlist("Set-Cookie")]
    assert {line.split("=")[0] for line in lines} == {"resident"}
    for line in lines:
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(line.split("; ")), line
        assert "Domain" not in line


# -- templates --------------------------------------------------------------------------------------------------------

TEMPLATES = {
    str(path.relative_to(folder)): path.read_text(encoding="utf-8")
    for folder in (ROOT / "app" / "templates", ROOT / "booking" / "templates")
    for path in sorted(folder.rglob("*.html"))
}
FRAMES = {"panel": {"panel/base.html", "panel/door.html"}, "masters": {"panel/base.html"}, "booking": {"booking/base.html"}}
"""folder → the frames its pages stand in: one for the staff's two panels, the door before it, and one for residents."""


def frames_of(name: str) -> set[str]:
    """The frames that a template ends up in; none, when it is a frame itself or holds parts of pages."""
    found = Environment(autoescape=True).parse(TEMPLATES[name]).find_all(nodes.Extends)
    above = {
        const.value
        for extends in found
        for const in ([extends.template, *extends.template.find_all(nodes.Const)])
        if isinstance(const, nodes.Const)
    }
    return {frame for parent in above for frame in frames_of(parent) or {parent}}


@pytest.mark.parametrize(
    "wrong",
    [
        '<button onclick="go()">',
        "<p style='color: red'>",
        "<style>p {}</style>",
        "<script>go()</script>",
        '<script nonce="x">go()</script>',
        '<a href="javascript:go()">',
        '<link href="https://fonts.example/x.css">',
        '<img src="//other.example/x.png">',
        "fonts.gstatic.com",
    ],
)
def test_what_a_page_may_not_hold_is_found(wrong: str) -> None:
    assert refused_by_policy(f"<p>{wrong}</p>") != []


def test_no_template_holds_a_handler_a_style_or_another_host() -> None:
    assert {name: found for name, page in TEMPLATES.items() if (found := refused_by_policy(page))} == {}


def test_every_page_stands_in_the_frame_of_its_site() -> None:
    frames = set().union(*FRAMES.values())
    for name, page in TEMPLATES.items():
        assert frames_of(name) <= FRAMES[name.split("/")[0]], name
        assert ("<html" in page) is (name in frames), f"{name} makes a frame of its own"
        is_a_part = "macros" in name or name.split("/")[1].startswith("_")
        assert bool(frames_of(name)) is not (name in frames or is_a_part), f"{name} stands in no frame"


# -- production -------------------------------------------------------------------------------------------------------

PRODUCTION = {"app_env": "production", "demo": False}


@pytest.mark.parametrize("name", ["staff", "resident"])
def test_production_speaks_only_tls(database: Any, name: str) -> None:
    with site(database, name, **PRODUCTION) as app:
        answer = app.test_client().get("/healthz", base_url="https://localhost")
        check(answer)
        assert answer.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


def test_production_cookies_belong_to_one_host(database: Any) -> None:
    with site(database, **PRODUCTION) as app:
        client, https = app.test_client(), "https://localhost"
        door = client.get("/login/", base_url=https)
        answer = client.post(
            "/login/",
            base_url=https,
            headers={"Referer": f"{https}/login/"},
            data={"username": "staff", "password": PASSWORD, "csrf_token": csrf_token(door.text)},
        )
        assert answer.status_code == 302
        for line in (*door.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")):
            assert line.startswith("__Host-staff")
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(line.split("; ")), line


@pytest.mark.parametrize("referrer", [None, "https://evil.example/", "http://localhost/login/"])
def test_under_tls_a_form_must_come_from_our_own_page(database: Any, referrer: str | None) -> None:
    with site(database, **PRODUCTION) as app:
        client, https = app.test_client(), "https://localhost"
        token = csrf_token(client.get("/login/", base_url=https).text)
        answer = client.post(
            "/login/",
            base_url=https,
            headers={"Referer": referrer} if referrer else {},
            data={"username": "staff", "password": PASSWORD, "csrf_token": token},
        )
        assert answer.status_code == 400


@pytest.mark.parametrize(("proxies", "status"), [(("127.0.0.1",), 400), ((), 302)])
def test_only_our_proxy_may_say_that_it_was_tls(database: Any, proxies: tuple[str, ...], status: int) -> None:
    """By TLS a form without a Referer is refused, and over plain HTTP (nobody's word counts) it is not."""
    with site(database, trusted_proxies=proxies) as app:
        client = app.test_client()
        token = csrf_token(client.get("/login/").text)
        answer = client.post(
            "/login/",
            headers={"X-Forwarded-Proto": "https"},
            data={"username": "staff", "password": PASSWORD, "csrf_token": token},
        )
        assert answer.status_code == status


# -- anti-forgery -----------------------------------------------------------------------------------------------------


def test_every_unsafe_address_wants_its_token(staff_app: Flask, browse: Callable[[str], FlaskClient]) -> None:
    client, urls = browse("admin"), staff_app.url_map.bind("localhost")
    for rule in staff_app.url_map.iter_rules():
        for verb in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            address = urls.build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), method=verb)
            assert client.open(address, method=verb).status_code == 400, f"{verb} {address}"


def test_resident_form_without_its_token_is_refused_in_words(visitor: FlaskClient, resident_app: Flask) -> None:
    unsafe = [rule for rule in resident_app.url_map.iter_rules() if "POST" in (rule.methods or set())]
    urls = resident_app.url_map.bind("localhost")
    for rule in unsafe:
        answer = visitor.post(urls.build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), method="POST"))
        assert (answer.status_code, "開き直して" in answer.text) == (400, True), rule
