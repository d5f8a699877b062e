"""定型文 as a resident would read them: filled with a made-up reservation, so that nobody's data is needed to see a mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

from app.letters import dates
from app.letters.mail import contact
from app.letters.places import fill
from models import Language

_DAY = date(2026, 12, 2)
_PLACE = "三宮サテライト"


@dataclass(frozen=True)
class Sample:
    subject: str
    body: str


def preview(subject: str, body: str, language: Language) -> Sample:
    """Subject and body with every known word filled in; unknown ones stay as they are, to be seen."""
    values = _values(language)
    return Sample(" ".join(fill(subject, values).split()), fill(body, values))


def _values(language: Language) -> dict[str, str]:
    when = f"{dates.full(_DAY, language)} {dates.clock(time(10))}–{dates.clock(time(10, 30))}"
    return {
        "氏名": "神戸 花子",
        "予約番号": "K7Q2M-9MXDA",
        "予約": f"{when}\n{_PLACE}（神戸市中央区）\n交付時来庁\n神戸 花子　K7Q2M-9MXDA",
        "変更前": f"{dates.full(date(2026, 11, 30), language)} 14:00 {_PLACE}",
        "持ち物": "・交付通知書（はがき）\n・本人確認書類",
        "理由": "本人の都合",
        "期限": f"{dates.full(_DAY, language)} 12:00",
        "確認ページ": "（住民サイトのアドレス）/lookup",
        "問い合わせ先": contact(language),
    }
