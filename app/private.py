"""Folders and files that are nobody else's on this machine, from the moment they are made."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path


def folder(path: Path) -> Path:
    """The folder, which only its owner may enter if it had to be made."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def file(path: Path) -> Path:
    """The file, empty and only its owner's if it had to be made. SQLite gives the files beside its database the same rights."""
    folder(path.parent)
    path.touch(mode=0o600)
    return path


def secret(path: Path, size: int) -> str:
    """A random word of `size` bytes, made up once and kept in a file; of two processes at once both get the word of the first."""
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=folder(path.parent))
        with os.fdopen(handle, "w") as words:
            words.write(secrets.token_urlsafe(size))
        with suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    return path.read_text().strip()
