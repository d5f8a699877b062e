"""はじめの画面 of the residents' site."""

from __future__ import annotations

from flask import Blueprint, render_template


def register(pages: Blueprint) -> None:
    pages.add_url_rule("/", "start", start)


def start() -> str:
    return render_template("booking/start.html")
