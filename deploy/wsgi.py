"""For a WSGI server: `gunicorn -c deploy/gunicorn.conf.py deploy.wsgi:staff` on one host, `deploy.wsgi:resident` on another."""

from __future__ import annotations

from typing import Any, Literal

from app import create_app, serving

SITES: dict[str, Literal["resident", "staff"]] = {"resident": "resident", "staff": "staff"}


def __getattr__(name: str) -> Any:
    if name not in SITES:
        raise AttributeError(name)
    settings = serving.settings()
    serving.claim(settings, name)
    globals()[name] = made = create_app(SITES[name], settings)
    return made
