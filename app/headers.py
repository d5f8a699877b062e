"""What every answer of both sites carries: security headers, and the anti-forgery check in front of everything."""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from app import edge
from app.addresses import is_within
from app.sentences import N_

csrf = CSRFProtect()
STALE = N_(
    "画面が古くなったか、別の画面から送られたため、受け付けませんでした。入力は保存されていません。"
    "前の画面を開き直して、もう一度お試しください。"
)

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # the anti-forgery check under TLS needs the Referer of our own pages
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
HSTS = "max-age=63072000; includeSubDomains"
_YEAR, _HOUR = 31_536_000, 3600


def init(app: Flask) -> None:
    """First of all that hooks on to the application: so the check runs first, and the headers are put on last."""
    _know_tls(app, app.config["TRUSTED_PROXIES"])
    csrf.init_app(app)
    app.register_error_handler(CSRFError, lambda _error: edge.page(400, STALE))
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    app.url_defaults(_versioned)
    app.after_request(_secure)
    if app.config["PRODUCTION"]:
        app.after_request(_only_by_tls)


def _know_tls(app: Flask, proxies: tuple[str, ...]) -> None:
    """A proxy of ours says that the browser came by TLS; without it the stricter check of the Referer would never run."""
    inner = app.wsgi_app

    def wsgi_app(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("HTTP_X_FORWARDED_PROTO") == "https" and is_within(environ.get("REMOTE_ADDR", ""), proxies):
            environ["wsgi.url_scheme"] = "https"
        return inner(environ, start_response)

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]


def csp_nonce() -> str:
    """The word that lets an inline script or style of this one answer run; FAB's and Flask-Admin's templates ask for it."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.csp_nonce
    return nonce


def _secure(response: Response) -> Response:
    response.headers.update(FIXED)
    response.headers["Content-Security-Policy"] = POLICY.format(nonce=csp_nonce())
    response.headers["Cache-Control"] = _caching(response)
    for name in ("Pragma", "Expires"):
        response.headers.pop(name, None)
    return response


def _caching(response: Response) -> str:
    """Files of ours may be kept, for a year when their address names their version; a page with people in it never."""
    if edge.is_file(request.endpoint) and response.status_code in (200, 206, 304):
        return f"public, max-age={_YEAR}, immutable" if request.args.get("v") else f"public, max-age={_HOUR}"
    return "no-store"


def _only_by_tls(response: Response) -> Response:
    response.headers["Strict-Transport-Security"] = HSTS
    return response


def _versioned(endpoint: str, values: dict[str, Any]) -> None:
    """Gives each address of a file its version, so that browsers keep it until it changes."""
    if edge.is_file(endpoint) and values.get("filename") and "v" not in values:
        owner = current_app.blueprints.get(endpoint.rpartition(".")[0], current_app)
        path = Path(owner.static_folder or "") / str(values["filename"])
        if path.is_file():
            values["v"] = _version(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=512)
def _version(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]
