"""What the demo's counters and procedures are called in the other languages of the residents' pages."""

from __future__ import annotations

from app.translations_seed import ORDER
from models import Language

# Japanese as it stands in the masters → やさしい日本語, English, 简体中文, 한국어, Tiếng Việt
COUNTERS = {
    "三宮サテライト": (
        "三宮（さんのみや） サテライト",
        "Sannomiya Satellite Office",
        "三宫服务点",
        "산노미야 출장소",
        "Văn phòng vệ tinh Sannomiya",
    ),
    "谷上サテライト": (
        "谷上（たにがみ） サテライト",
        "Tanigami Satellite Office",
        "谷上服务点",
        "다니가미 출장소",
        "Văn phòng vệ tinh Tanigami",
    ),
    "新長田サテライト": (
        "新長田（しんながた） サテライト",
        "Shin-Nagata Satellite Office",
        "新长田服务点",
        "신나가타 출장소",
        "Văn phòng vệ tinh Shin-Nagata",
    ),
    "学園都市サテライト": (
        "学園都市（がくえんとし） サテライト",
        "Gakuen-toshi Satellite Office",
        "学园都市服务点",
        "가쿠엔토시 출장소",
        "Văn phòng vệ tinh Gakuen-toshi",
    ),
    "兵庫県神戸市中央区三宮町9丁目99番1号（仮）": (
        "神戸市（こうべし） 中央区（ちゅうおうく） 三宮町（さんのみやちょう） 9丁目（ちょうめ） 99番（ばん） 1号（ごう）（仮（かり））",
        "9-99-1 Sannomiya-cho, Chuo-ku, Kobe, Hyogo (placeholder)",
        "兵库县神户市中央区三宫町9丁目99番1号（暂定）",
        "효고현 고베시 주오구 산노미야초 9-99-1 (임시)",
        "9-99-1 Sannomiya-cho, Chuo-ku, Kobe, Hyogo (tạm)",
    ),
    "兵庫県神戸市北区谷上東町99番2号（仮）": (
        "神戸市（こうべし） 北区（きたく） 谷上東町（たにがみひがしまち） 99番（ばん） 2号（ごう）（仮（かり））",
        "99-2 Tanigami Higashi-machi, Kita-ku, Kobe, Hyogo (placeholder)",
        "兵库县神户市北区谷上东町99番2号（暂定）",
        "효고현 고베시 기타구 다니가미히가시마치 99-2 (임시)",
        "99-2 Tanigami Higashi-machi, Kita-ku, Kobe, Hyogo (tạm)",
    ),
    "兵庫県神戸市長田区久保町9丁目99番3号（仮）": (
        "神戸市（こうべし） 長田区（ながたく） 久保町（くぼちょう） 9丁目（ちょうめ） 99番（ばん） 3号（ごう）（仮（かり））",
        "9-99-3 Kubo-cho, Nagata-ku, Kobe, Hyogo (placeholder)",
        "兵库县神户市长田区久保町9丁目99番3号（暂定）",
        "효고현 고베시 나가타구 구보초 9-99-3 (임시)",
        "9-99-3 Kubo-cho, Nagata-ku, Kobe, Hyogo (tạm)",
    ),
    "兵庫県神戸市西区学園西町9丁目99番4号（仮）": (
        "神戸市（こうべし） 西区（にしく） 学園西町（がくえんにしまち） 9丁目（ちょうめ） 99番（ばん） 4号（ごう）（仮（かり））",
        "9-99-4 Gakuen Nishi-machi, Nishi-ku, Kobe, Hyogo (placeholder)",
        "兵库县神户市西区学园西町9丁目99番4号（暂定）",
        "효고현 고베시 니시구 가쿠엔니시마치 9-99-4 (임시)",
        "9-99-4 Gakuen Nishi-machi, Nishi-ku, Kobe, Hyogo (tạm)",
    ),
}
SUMMARIES = {
    "できあがったマイナンバーカードを受け取ります。": (
        "できた マイナンバーカードを 受（う）け取（と）ります。",
        "Receive your My Number Card when it is ready.",
        "领取已制作完成的个人编号卡。",
        "완성된 마이넘버 카드를 받습니다.",
        "Nhận thẻ My Number đã làm xong.",
    ),
    "窓口で申請し、カードは後日郵送で受け取ります。写真は無料で撮影します。": (
        "窓口（まどぐち）で 申（もう）し込（こ）みます。カードは あとで 郵便（ゆうびん）で 届（とど）きます。"
        "写真（しゃしん）は 窓口で とります。お金（かね）は いりません。",
        "Apply at the counter; the card is sent to you by post later. Your photo is taken free of charge.",
        "在窗口申请，卡片日后邮寄给您。免费拍摄照片。",
        "창구에서 신청하고 카드는 나중에 우편으로 받습니다. 사진은 무료로 촬영해 드립니다.",
        "Đăng ký tại quầy, thẻ sẽ được gửi qua bưu điện sau. Được chụp ảnh miễn phí.",
    ),
    "紛失、破損などで、カードをもう一度つくります。": (
        "カードを なくした とき、こわれた ときなどに、もう一度（いちど） つくります。",
        "Have your card made again after loss, damage and the like.",
        "因遗失、损坏等原因重新制作卡片。",
        "분실, 파손 등의 이유로 카드를 다시 만듭니다.",
        "Làm lại thẻ khi bị mất, hư hỏng, v.v.",
    ),
    "カードの電子証明書の有効期限を延ばします。": (
        "カードの 電子証明書（でんししょうめいしょ）を 使（つか）える 日（ひ）を 長（なが）く します。",
        "Extend the validity of the electronic certificate on your card.",
        "延长卡片中电子证书的有效期。",
        "카드에 든 전자증명서의 유효기간을 연장합니다.",
        "Gia hạn chứng nhận điện tử trên thẻ.",
    ),
}
ITEMS = {
    "交付通知書（はがき）": (
        "交付通知書（こうふつうちしょ）（はがき）",
        "Issuance Notice (postcard)",
        "交付通知书（明信片）",
        "교부 통지서(엽서)",
        "Giấy thông báo cấp thẻ (bưu thiếp)",
    ),
    "本人確認書類（運転免許証、パスポートなど1点。お持ちでない方は、健康保険の資格確認書、年金手帳などから2点）": (
        "あなただと わかる もの（在留（ざいりゅう）カード、運転免許証（うんてんめんきょしょう）、パスポートなどから 1つ。"
        "ない 人（ひと）は、健康保険（けんこうほけん）の 資格確認書（しかくかくにんしょ）、年金手帳（ねんきんてちょう）などから 2つ）",
        "Proof of identity (one of: Residence Card, driving licence, passport and the like; if you have none of these, two of: health "
        "insurance eligibility certificate, pension book and the like)",
        "本人身份证明文件（在留卡、驾驶证、护照等任意1种；没有上述证件者，请携带健康保险资格确认书、年金手册等任意2种）",
        "본인 확인 서류(재류카드, 운전면허증, 여권 등 1점. 없으신 분은 건강보험 자격확인서, 연금수첩 등 2점)",
        "Giấy tờ tùy thân (một trong: thẻ lưu trú, bằng lái xe, hộ chiếu, v.v.; nếu không có thì hai trong: giấy xác nhận tư cách bảo hiểm "
        "y tế, sổ lương hưu, v.v.)",
    ),
    "通知カード（お持ちの方）": (
        "通知（つうち）カード（ある 人（ひと）だけ）",
        "Notification Card (if you have one)",
        "通知卡（持有者）",
        "통지 카드(가지고 계신 분)",
        "Thẻ thông báo (Tsuchi Card), nếu có",
    ),
    "住民基本台帳カード（お持ちの方）": (
        "住民基本台帳（じゅうみんきほんだいちょう）カード（ある 人（ひと）だけ）",
        "Basic Resident Register Card (if you have one)",
        "居民基本台账卡（持有者）",
        "주민기본대장 카드(가지고 계신 분)",
        "Thẻ sổ cư trú cơ bản (Juki Card), nếu có",
    ),
    "いまのマイナンバーカード（更新の方）": (
        "いまの マイナンバーカード（新（あたら）しく する 人（ひと）だけ）",
        "Your present My Number Card (if you are renewing it)",
        "目前的个人编号卡（更新者）",
        "현재의 마이넘버 카드(갱신하시는 분)",
        "Thẻ My Number hiện tại (nếu đổi thẻ mới)",
    ),
    "いまのマイナンバーカード（破損の方）": (
        "いまの マイナンバーカード（こわれた 人（ひと）だけ）",
        "Your present My Number Card (if it is damaged)",
        "目前的个人编号卡（卡片损坏者）",
        "현재의 마이넘버 카드(파손되신 분)",
        "Thẻ My Number hiện tại (nếu thẻ bị hỏng)",
    ),
    "警察の遺失届の受理番号（外出先で紛失した方）": (
        "警察（けいさつ）に「なくした」と 届（とど）けた ときの 番号（ばんごう）（外（そと）で なくした 人（ひと）だけ）",
        "Number of your lost-property report to the police (if you lost the card outside your home)",
        "向警方报失的受理编号（在外遗失者）",
        "경찰 분실 신고 접수 번호(외출 중 분실하신 분)",
        "Số tiếp nhận đơn báo mất của cảnh sát (nếu mất ở bên ngoài)",
    ),
    "手数料": ("お金（かね）（手数料（てすうりょう））", "Fee", "手续费", "수수료", "Lệ phí"),
    "マイナンバーカード": ("マイナンバーカード", "My Number Card", "个人编号卡", "마이넘버 카드", "Thẻ My Number"),
    "有効期限通知書（お持ちの方）": (
        "有効期限通知書（ゆうこうきげんつうちしょ）（ある 人（ひと）だけ）",
        "Notice of expiry (if you have one)",
        "有效期限通知书（持有者）",
        "유효기간 통지서(가지고 계신 분)",
        "Giấy thông báo hết hạn (nếu có)",
    ),
}
NOTES = {
    "カードを受け取るご本人がお越しください。15歳未満の方は、法定代理人と一緒にお越しください。": (
        "カードを 受（う）け取（と）る 人（ひと）が 来（き）て ください。15歳（さい）より 小（ちい）さい 子（こ）どもは、"
        "親（おや）など（法定代理人（ほうていだいりにん））と いっしょに 来て ください。",
        "The person whose card it is has to come. Children under 15 have to come with their legal representative (parent or guardian).",
        "请由领卡人本人前来。未满15岁者请与法定代理人一同前来。",
        "카드를 받으시는 본인이 오셔야 합니다. 15세 미만인 분은 법정대리인과 함께 오십시오.",
        "Người nhận thẻ phải đích thân đến. Trẻ dưới 15 tuổi phải đến cùng người đại diện theo pháp luật.",
    ),
    "カードは本人限定受取郵便または書留でお送りします。住民票の住所でお受け取りください。": (
        "カードは 特別（とくべつ）な 郵便（ゆうびん）（本人限定受取郵便（ほんにんげんていうけとりゆうびん）か 書留（かきとめ））で "
        "送（おく）ります。住民票（じゅうみんひょう）の 住所（じゅうしょ）で 受（う）け取（と）って ください。",
        "The card is sent by registered post or by post that is handed to the addressee only. Please receive it at your registered address.",
        "卡片将以限本人领取邮件或挂号信寄送。请在住民票上的住址签收。",
        "카드는 본인 한정 수취 우편 또는 등기로 보내 드립니다. 주민표상의 주소에서 받으십시오.",
        "Thẻ được gửi bằng thư chỉ giao cho đúng người nhận hoặc thư bảo đảm. Vui lòng nhận tại địa chỉ đăng ký cư trú.",
    ),
    "紛失したときは、先にコールセンターでカードの一時停止をしてください。": (
        "カードを なくした ときは、先（さき）に コールセンターに 電話（でんわ）して、カードを 止（と）めて ください。",
        "If you have lost your card, please first have it suspended through the call centre.",
        "如遗失卡片，请先通过呼叫中心办理卡片暂停使用。",
        "분실하셨을 때는 먼저 콜센터에서 카드 일시 정지를 해 주십시오.",
        "Nếu mất thẻ, trước hết vui lòng gọi tổng đài để tạm khóa thẻ.",
    ),
    "数字4桁の暗証番号と、6文字以上の暗証番号を窓口で入力します。": (
        "窓口（まどぐち）で、数字（すうじ） 4けたの 暗証番号（あんしょうばんごう）と、6字（じ） 以上（いじょう）の 暗証番号を 入（い）れます。",
        "At the counter you will enter your four-digit PIN and your password of at least six characters.",
        "需在窗口输入4位数字密码和6位以上密码。",
        "창구에서 숫자 4자리 비밀번호와 6자 이상의 비밀번호를 입력합니다.",
        "Tại quầy, quý vị sẽ nhập mã PIN 4 chữ số và mật khẩu từ 6 ký tự trở lên.",
    ),
}


def rows() -> list[tuple[str, Language, str]]:
    """(Japanese, language, words) of everything above."""
    known = {**COUNTERS, **SUMMARIES, **ITEMS, **NOTES}
    return [(source, language, one) for source, words in known.items() for language, one in zip(ORDER, words, strict=True)]
