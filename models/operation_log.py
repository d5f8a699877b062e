"""操作ログ [諮問書 表(5)]: one row per act of a person or a job. It refers to nothing by key, so that it outlives what it speaks of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped

from models.base import Base, BigId, Code, UtcDateTime, coded, column


class ActionClass(Code):
    READ = "read", "参照", "1"
    SEARCH = "search", "検索", "2"
    ADD = "add", "登録", "3"
    EDIT = "edit", "更新", "4"
    DELETE = "delete", "削除", "5"
    EXPORT = "export", "出力", "6"
    PRINT = "print", "印刷", "7"
    AUTH = "auth", "認証", "8"
    SETTING = "setting", "設定", "9"


class MyNumberAccess(Code):
    NONE = "none", "無", "0"
    REFUSED = "refused", "検知・拒否", "1"


class OperationLog(Base):
    __tablename__, __label__, __group__, __area__ = "operation_log", "操作ログ", "監査", "log"
    __append_only__ = True
    __writable__ = False
    __order__ = ("started_at", "desc")
    id: Mapped[int] = column(BigId, label="Pkey", listed=True, edit=False, primary_key=True)
    started_at: Mapped[datetime] = column(UtcDateTime, label="処理開始時間", listed=True, search=True, edit=False)
    ended_at: Mapped[datetime] = column(UtcDateTime, label="処理終了時間", edit=False)
    user_id: Mapped[str] = column(String(64), label="ユーザーID", listed=True, search=True, kind="alnum", edit=False)
    user_name: Mapped[str] = column(String(129), label="ユーザー名", listed=True, search=True, few=True, edit=False)
    department: Mapped[str] = column(String(100), label="部課名", listed=True, edit=False)
    action_class: Mapped[ActionClass] = coded(ActionClass, label="処理分類", listed=True, search=True, edit=False)
    action_code: Mapped[str] = column(String(60), label="処理コード", search=True, kind="code", edit=False)
    action_name: Mapped[str] = column(String(100), label="処理名", listed=True, edit=False)
    detail: Mapped[dict[str, Any]] = column(JSON, label="処理内容", edit=False)
    my_number_access: Mapped[MyNumberAccess] = coded(
        MyNumberAccess, label="個人番号アクセスログ", search=True, edit=False, default=MyNumberAccess.NONE
    )
    application_id: Mapped[int | None] = column(BigId, label="内部用の申請書ID", listed=True, search=True, edit=False)
    client_info: Mapped[str] = column(String(300), label="クライアント情報", edit=False)
    request_id: Mapped[str] = column(String(32), label="要求ID", kind="alnum", edit=False, default="")

    def __str__(self) -> str:
        return f"{self.id}"
