"""For a WSGI server: `gunicorn -c deploy/gunicorn.conf.py deploy.wsgi:staff` on one host, `deploy.wsgi:resident` on another."""

from __future__ import annotations

import sys
from typing import Any, Literal, cast

from app import create_app, serving
from config import load

BOOT_FAILED = 3  # what makes gunicorn stop; after any other exit it would start the worker again and again


def __getattr__(name: str) -> Any:
    if name not in ("resident", "staff"):
        raise AttributeError(name)
    try:
        made = create_app(cast(Literal["resident", "staff"], name), load())
        serving.claim(made)
        serving.settle()
    except SystemExit as refusal:
        print(refusal.code, file=sys.stderr, flush=True)  # noqa: T201 - to whoever started it
        sys.exit(BOOT_FAILED)
    globals()[name] = made
    return made
