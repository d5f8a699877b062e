"""The call centre, as every page and letter names it."""

from __future__ import annotations

from dataclasses import dataclass

from models import Language


@dataclass(frozen=True, kw_only=True)
class CallCenter:
    name: str
    hours: str
    note: str = ""
    phone: str = "0780000000"
    """Digits only."""


CALLCENTERS = {
    Language.JA: CallCenter(name="神戸市マイナンバーコールセンター", hours="受付 9時から20時まで", note="（仮の番号）"),
    Language.EASY: CallCenter(
        name="神戸市（こうべし） マイナンバー コールセンター",
        hours="電話（でんわ）が できる 時間（じかん）： 9時から 20時まで",
        note="（まだ 本当（ほんとう）の 番号（ばんごう）では ありません）",
    ),
    Language.EN: CallCenter(
        name="Kobe City My Number Call Centre", hours="Open from 9:00 to 20:00", note=" (placeholder, not the real number)"
    ),
    Language.ZH: CallCenter(name="神户市个人编号呼叫中心", hours="受理时间 9:00～20:00", note="（暂定号码）"),
    Language.KO: CallCenter(name="고베시 마이넘버 콜센터", hours="접수 시간 9:00~20:00", note="(임시 번호)"),
    Language.VI: CallCenter(
        name="Tổng đài My Number thành phố Kobe", hours="Tiếp nhận từ 9:00 đến 20:00", note=" (số tạm, chưa phải số thật)"
    ),
}
CALLCENTER = CALLCENTERS[Language.JA]
