"""差し込み語: the words in braces that a mail's text may hold, and what is put in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.errors import AppError
from models import MailTemplate

KNOWN = {
    "氏名": "予約した人の氏名",
    "予約番号": "申請ID（K7Q2M-9MXDA の形）",
    "予約": "日時・窓口・手続き・氏名（家族の予約は全員分）",
    "変更前": "変更する前の日時と窓口",
    "持ち物": "予約区分の持ち物",
    "理由": "キャンセルの理由",
    "期限": "おさえている期限（空き待ちのご案内）",
    "確認ページ": "住民サイトの予約の確認のアドレス",
    "問い合わせ先": "コールセンターの名前と電話番号",
}
_PLACE = re.compile(r"\{([^{}\n]*)\}")


def fill(words: str, values: Mapping[str, str]) -> str:
    """The text with every known word in braces replaced. What is put in is never read again, so a name with braces stays one."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), words)


def unknown(words: str) -> list[str]:
    """What stands in braces and is no known word; a brace that opens or closes nothing counts as well."""
    rest = _PLACE.sub(lambda found: "" if found[1] in KNOWN else f"\0{found[1]}\0", words)
    named = re.findall(r"\0([^\0]*)\0", rest)
    return [*named, *re.findall(r"[{}]", re.sub(r"\0[^\0]*\0", "", rest))]


def _guard(session: Session, *_: Any) -> None:
    for row in [*session.new, *session.dirty]:
        if isinstance(row, MailTemplate):
            row.subject = " ".join(row.subject.split())
            for key in ("subject", "body"):
                refuse_unknown(MailTemplate.__table__.c[key].info["field"].label, key, getattr(row, key))


def attach(session_class: type[Session]) -> None:
    event.listen(session_class, "before_flush", _guard)


def refuse_unknown(label: str, key: str, words: str) -> None:
    """Raises for a text whose braces nobody could fill."""
    if found := unknown(words):
        shown = "、".join(f"「{{{word}}}」" if word not in "{}" else f"「{word}」" for word in dict.fromkeys(found))
        raise AppError(
            f"「{label}」の{shown}は差し込み語ではありません。使えるのは {' '.join(f'{{{name}}}' for name in KNOWN)} です。",
            field=key,
        )
