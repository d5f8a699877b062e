"""The low-code promise is tried in a copy of the project that has two files more under `models/` (see `tests/test_low_code.py`)."""

from __future__ import annotations

from typing import Any

import pytest

import models


@pytest.fixture
def lost_item() -> Any:
    return models.Base.registry._class_registry["LostItem"]
