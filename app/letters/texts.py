"""The words of every mail as first installed, in each language. Afterwards they are the office's own (メール定型文)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from models import Language, MailKind, MailTemplate

C, M, X, R, O, K = (  # noqa: E741 - the columns of the tables below
    MailKind.CONFIRMED,
    MailKind.CHANGED,
    MailKind.CANCELLED,
    MailKind.REMINDER,
    MailKind.OFFER,
    MailKind.CLOSED,
)


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the mails of one language are put together from. `leads`: kind → subject, first sentence."""

    greeting: str
    leads: dict[MailKind, tuple[str, str]]
    bring: str
    before: str
    why: str
    until: str
    take: str
    look: str
    change: str
    footer: str
    ended: tuple[MailKind, ...] = field(default=(X, K))

    def body(self, kind: MailKind) -> str:
        """Which parts a mail has follows from what it tells."""
        parts = [self.greeting, self.leads[kind][1], "{予約}"]
        if kind is M:
            parts.append(f"{self.before}\n{{変更前}}")
        if kind in self.ended:
            parts.append(f"{self.why}\n{{理由}}")
        if kind is O:
            parts += [f"{self.until}\n{{期限}}", f"{self.take}\n{{確認ページ}}"]
        if kind in (C, M, R):
            parts += [f"{self.bring}\n{{持ち物}}", f"{self.look}\n{{確認ページ}}", self.change]
        return "\n\n".join([*parts, self.footer])


WORDS = {
    Language.JA: Words(
        greeting="{氏名} 様",
        leads={
            C: ("【神戸市】予約を受け付けました（{予約番号}）", "マイナンバーカードの窓口の予約を受け付けました。"),
            M: ("【神戸市】予約の日時を変更しました（{予約番号}）", "予約の日時を変更しました。新しい予約は次のとおりです。"),
            X: ("【神戸市】予約をキャンセルしました（{予約番号}）", "次の予約をキャンセルしました。"),
            R: ("【神戸市】明日の予約のお知らせ（{予約番号}）", "明日の予約をお知らせします。"),
            O: ("【神戸市】空きが出ました（{予約番号}）", "お待ちの日に空きが出ました。次の時間を一時的におさえています。"),
            K: (
                "【神戸市】窓口の休業のため予約をキャンセルしました（{予約番号}）",
                "窓口の休業のため、次の予約をキャンセルしました。ご迷惑をおかけします。もう一度ご予約ください。",
            ),
        },
        bring="■ 持ち物",
        before="■ 変更前",
        why="■ 理由",
        until="■ この時間をおさえている期限",
        take="■ 予約に進む（上の受付番号と電話番号を入力してください）",
        look="■ 予約の確認（予約番号と電話番号を入力してください）",
        change="日時の変更やキャンセルは、コールセンターへお電話ください。",
        footer="お問い合わせ: {問い合わせ先}\nこのメールには返信できません。",
    ),
    Language.EASY: Words(
        greeting="{氏名} さん",
        leads={
            C: (
                "【神戸市】予約（よやく）ができました（{予約番号}）",
                "マイナンバーカードの 窓口（まどぐち）の 予約が できました。",
            ),
            M: (
                "【神戸市】予約の 日と 時間を 変（か）えました（{予約番号}）",
                "予約の 日と 時間を 変えました。新しい 予約は これです。",
            ),
            X: ("【神戸市】予約を やめました（{予約番号}）", "この 予約を やめました（キャンセル）。"),
            R: ("【神戸市】予約は 明日（あした）です（{予約番号}）", "予約の 日は 明日です。"),
            O: (
                "【神戸市】空（あ）きが できました（{予約番号}）",
                "待っていた 日に 空きが できました。この 時間を とってあります。",
            ),
            K: (
                "【神戸市】窓口が 休みなので 予約を やめました（{予約番号}）",
                "窓口が 休みに なります。この 予約は できなくなりました。ごめんなさい。もう一度 予約してください。",
            ),
        },
        bring="■ 持ってくる もの",
        before="■ 前（まえ）の 予約",
        why="■ 理由（りゆう）",
        until="■ いつまで とってあるか",
        take="■ 予約する（上の 番号と 電話番号を 入れてください）",
        look="■ 予約を 見る（予約番号と 電話番号を 入れてください）",
        change="日や 時間を 変えたいとき、やめたいときは、コールセンターに 電話してください。",
        footer="わからないとき: {問い合わせ先}\nこの メールに 返事は できません。",
    ),
    Language.EN: Words(
        greeting="Dear {氏名},",
        leads={
            C: (
                "[Kobe City] Your reservation is confirmed ({予約番号})",
                "Your visit to the My Number Card counter is reserved.",
            ),
            M: (
                "[Kobe City] Your reservation has been changed ({予約番号})",
                "The date and time of your visit have been changed. Your new reservation:",
            ),
            X: ("[Kobe City] Your reservation has been cancelled ({予約番号})", "The following reservation has been cancelled."),
            R: ("[Kobe City] Your visit is tomorrow ({予約番号})", "This is a reminder of your visit tomorrow."),
            O: (
                "[Kobe City] A place has become free ({予約番号})",
                "A place has become free on the day you were waiting for. We are holding it for you.",
            ),
            K: (
                "[Kobe City] Counter closed: your reservation has been cancelled ({予約番号})",
                "The counter will be closed, so the following reservation has been cancelled. We apologise. Please make a new reservation.",
            ),
        },
        bring="What to bring",
        before="Before the change",
        why="Reason",
        until="We hold this place until",
        take="To book it (enter the number above and your telephone number)",
        look="See your reservation (enter its number and your telephone number)",
        change="To change or cancel, please call the call centre.",
        footer="Questions: {問い合わせ先}\nPlease do not reply to this e-mail.",
    ),
    Language.ZH: Words(
        greeting="{氏名} 您好：",
        leads={
            C: ("【神户市】预约已受理（{予約番号}）", "您的个人编号卡窗口预约已受理。"),
            M: ("【神户市】预约时间已更改（{予約番号}）", "您的预约日期和时间已更改。新的预约如下。"),
            X: ("【神户市】预约已取消（{予約番号}）", "以下预约已取消。"),
            R: ("【神户市】明日预约提醒（{予約番号}）", "提醒您明天的预约。"),
            O: ("【神户市】出现空位（{予約番号}）", "您等候的日期出现了空位，我们已为您暂时保留以下时间。"),
            K: ("【神户市】因窗口停业，预约已取消（{予約番号}）", "因窗口停业，以下预约已取消。非常抱歉，请重新预约。"),
        },
        bring="■ 携带物品",
        before="■ 更改前",
        why="■ 原因",
        until="■ 保留期限",
        take="■ 前往预约（请输入上面的号码和电话号码）",
        look="■ 查询预约（请输入预约号码和电话号码）",
        change="如需更改或取消，请致电呼叫中心。",
        footer="咨询：{問い合わせ先}\n请勿回复此邮件。",
    ),
    Language.KO: Words(
        greeting="{氏名} 님",
        leads={
            C: ("[고베시] 예약이 접수되었습니다 ({予約番号})", "마이넘버 카드 창구 예약이 접수되었습니다."),
            M: ("[고베시] 예약 일시가 변경되었습니다 ({予約番号})", "예약 일시가 변경되었습니다. 새 예약은 다음과 같습니다."),
            X: ("[고베시] 예약이 취소되었습니다 ({予約番号})", "다음 예약이 취소되었습니다."),
            R: ("[고베시] 내일 예약 안내 ({予約番号})", "내일 예약을 안내해 드립니다."),
            O: (
                "[고베시] 빈자리가 생겼습니다 ({予約番号})",
                "기다리시던 날에 빈자리가 생겼습니다. 다음 시간을 임시로 확보해 두었습니다.",
            ),
            K: (
                "[고베시] 창구 휴무로 예약이 취소되었습니다 ({予約番号})",
                "창구 휴무로 다음 예약이 취소되었습니다. 불편을 드려 죄송합니다. 다시 예약해 주십시오.",
            ),
        },
        bring="■ 준비물",
        before="■ 변경 전",
        why="■ 사유",
        until="■ 확보 기한",
        take="■ 예약하기 (위의 번호와 전화번호를 입력해 주십시오)",
        look="■ 예약 확인 (예약 번호와 전화번호를 입력해 주십시오)",
        change="변경이나 취소는 콜센터로 전화해 주십시오.",
        footer="문의: {問い合わせ先}\n이 메일에는 회신할 수 없습니다.",
    ),
    Language.VI: Words(
        greeting="Kính gửi {氏名},",
        leads={
            C: ("[Thành phố Kobe] Đã nhận đặt lịch ({予約番号})", "Lịch hẹn tại quầy thẻ My Number của quý vị đã được ghi nhận."),
            M: ("[Thành phố Kobe] Đã đổi lịch hẹn ({予約番号})", "Ngày giờ hẹn đã được thay đổi. Lịch hẹn mới như sau."),
            X: ("[Thành phố Kobe] Đã hủy lịch hẹn ({予約番号})", "Lịch hẹn sau đây đã được hủy."),
            R: ("[Thành phố Kobe] Nhắc lịch hẹn ngày mai ({予約番号})", "Xin nhắc quý vị về lịch hẹn ngày mai."),
            O: (
                "[Thành phố Kobe] Đã có chỗ trống ({予約番号})",
                "Ngày quý vị chờ đã có chỗ trống. Chúng tôi đang tạm giữ giờ sau đây.",
            ),
            K: (
                "[Thành phố Kobe] Quầy đóng cửa, lịch hẹn đã bị hủy ({予約番号})",
                "Do quầy đóng cửa, lịch hẹn sau đây đã bị hủy. Chúng tôi xin lỗi. Xin vui lòng đặt lại.",
            ),
        },
        bring="■ Những thứ cần mang theo",
        before="■ Trước khi thay đổi",
        why="■ Lý do",
        until="■ Giữ chỗ đến",
        take="■ Đặt lịch (nhập mã ở trên và số điện thoại)",
        look="■ Xem lịch hẹn (nhập mã đặt lịch và số điện thoại)",
        change="Để thay đổi hoặc hủy, vui lòng gọi tổng đài.",
        footer="Liên hệ: {問い合わせ先}\nVui lòng không trả lời email này.",
    ),
}


def rows() -> Iterator[tuple[str, MailTemplate]]:
    """(name under which it is installed, row) of every mail in every language."""
    for language, words in WORDS.items():
        for kind, (subject, _lead) in words.leads.items():
            row = MailTemplate(kind=kind, language=language, subject=subject, body=words.body(kind))
            yield f"mail:{kind.value}.{language.value}", row


__all__ = ["WORDS", "rows"]
