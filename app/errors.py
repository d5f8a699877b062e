"""Our exceptions. Each carries the sentence that the person at the screen reads."""

from __future__ import annotations

from app.sentences import N_, Sentence


class AppError(Exception):
    """Something a person can understand and act on. `status` is what HTTP calls it at the edge; `values` fill the places of the
    message. `sentence` holds both apart, for pages in other languages."""

    status = 400

    def __init__(self, message: str | Sentence, *, field: str | None = None, **values: object) -> None:
        self.sentence, self.field = message if isinstance(message, Sentence) else Sentence(message, values), field
        self.message = str(self.sentence)
        super().__init__(self.message)


class Refused(AppError):
    """The person lacks the right; the refusal is logged."""

    status = 403

    def __init__(self, message: str = N_("この操作をする権限がありません。必要なときは、管理者に申し出てください。")) -> None:
        super().__init__(message)


class NotFound(AppError):
    """No such row, or none that this person may see: the two are told apart by nobody."""

    status = 404

    def __init__(
        self, message: str = N_("見つかりません。削除されたか、閲覧できない情報です。"), *, field: str | None = None
    ) -> None:
        super().__init__(message, field=field)


class Conflict(AppError):
    """Somebody else was first."""

    status = 409


class SlotFull(Conflict):
    """The last place of a slot has gone."""

    def __init__(self) -> None:
        super().__init__(N_("申し訳ありません。選んだ時間は、いま満席になりました。別の時間を選んでください。"))


FOUND = N_("個人番号（マイナンバー）と思われる12桁の数字が含まれています。個人番号は入力できません。")
FOUND_IN = N_("「%(label)s」に個人番号（マイナンバー）と思われる12桁の数字が含まれています。個人番号は入力できません。")


class PersonalNumberFound(AppError):
    """A text holds what looks like a 個人番号. The digits themselves are never repeated (番号法20条)."""

    def __init__(self, *, label: str = "", field: str | None = None) -> None:
        if label:
            super().__init__(FOUND_IN, field=field, label=label)
        else:
            super().__init__(FOUND, field=field)


class Busy(AppError):
    """The database is busy or away; trying again soon is right."""

    status = 503

    def __init__(self) -> None:
        super().__init__(N_("ただいま混み合っています。入力は保存されていません。少し待ってから、もう一度お試しください。"))


class BadFile(AppError):
    """A file that cannot be taken in at all. `told` is what the operation log may know of it: nothing that stands in the file."""

    def __init__(self, message: str, *, told: str = "") -> None:
        super().__init__(message)
        self.told = told or message
