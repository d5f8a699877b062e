"""Settings: read once from the environment and `.env`, typed, refusing nonsense. Whoever starts the product hands their values down.
`docs/settings.md` is written from here."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).parent
VAR = ROOT / "var"
"""What this machine keeps for itself: the database of a trial, its keys and locks."""
Words = Annotated[tuple[str, ...], NoDecode]
Named = Annotated[tuple[tuple[str, bytes], ...], NoDecode]
_KEY = 32  # bytes


class Settings(BaseSettings):
    """Every setting of the product, with its default for trying out."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore", str_strip_whitespace=True)

    app_env: Literal["development", "production"] = Field(
        "development", description="production では安全でない既定値を拒否します"
    )
    database_url: str = Field(f"sqlite:///{VAR / 'app.db'}", description="SQLite または PostgreSQL の URL")
    redis_url: str = Field("", description="回数制限を複数プロセスで共有する Redis")
    secret_key: str = Field("", description="Cookie とトークンの署名鍵（production では必須、32文字以上）")
    secret_key_fallbacks: Words = Field(
        (), description="前の署名鍵（コンマ区切り）。鍵を替えたあと、古い Cookie とリンクを期限まで使えるようにします"
    )
    field_keys: Named = Field(
        (),
        repr=False,
        description="交付通知書番号の照合に使う鍵（ID:base64 をコンマ区切り。先頭がいまの鍵、ほかは以前の鍵。production では必須、各32バイト以上）",
    )
    host: str = Field("127.0.0.1", description="make run が待ち受けるアドレス")
    port: int = Field(8000, description="住民サイトのポート（make run）")
    staff_port: int = Field(8001, description="職員サイトのポート（make run）")
    trusted_hosts: Words = Field(("127.0.0.1", "localhost"), description="受け付ける Host ヘッダー（コンマ区切り）")
    trusted_proxies: Words = Field((), description="X-Forwarded-For を信じるネットワーク（コンマ区切り）")
    staff_site: str = Field(
        "", description="パスワード設定用リンクの先頭に付ける、職員サイトのアドレス（空なら開いている画面のもの）"
    )
    public_url: str = Field("", description="住民サイトのアドレス（メールのリンクと QR に使います。空なら開いている画面のもの）")
    mail_url: str = Field("", description="メールを送る SMTP サーバー（smtp://host:port、暗号化は smtps:// か smtp+starttls://）")
    mail_from: str = Field("noreply@localhost", description="メールの差出人")
    callcenter_networks: Words = Field((), description="アドレスでなくサインインごとに数えるネットワーク（コンマ区切り）")
    limit_login: str = Field(
        "5 per minute; 30 per hour",
        description="サインインの回数制限（アドレスごと。庁舎が一つのアドレスに見えるなら増やします）",
    )
    limit_booking: str = Field("10 per minute; 60 per hour", description="予約の送信の回数制限")
    limit_hold: str = Field("20 per 10 minutes; 60 per hour", description="時間の仮押えの回数制限")
    limit_burst: str = Field(
        "600 per minute", description="全体でこれより多く時間が選ばれたら、計算の課題（ALTCHA）を全員に出します"
    )
    limit_lookup: str = Field("10 per minute; 30 per hour", description="予約の照会の回数制限")
    form_seconds: int = Field(
        3, ge=0, le=60, description="予約の入力にかかる最も短い秒数（これより速い送信は、もう一度押してもらいます）"
    )
    session_idle_minutes: int = Field(15, ge=1, le=480, description="操作がないと終わるまでの分数")
    session_hours: int = Field(8, ge=1, le=24, description="サインインから終わるまでの時間数")
    web_concurrency: int = Field(1, ge=1, description="サイトごとのプロセス数（gunicorn と同じ変数）")
    threads: int = Field(8, ge=1, le=64, description="プロセスごとに同時に処理する数")
    demo: bool = Field(False, description="デモの窓口・アカウントを作ります")
    demo_password: str = Field("", description="デモアカウント共通のパスワード（空なら作って表示）")
    fault_point: str = Field(
        "",
        pattern=r"^([a-z_.]+(:[1-9][0-9]*)?)?$",
        description="この印の所でプロセスが突然終わります（障害のテスト用。production では使えません）",
    )
    test_postgres_url: str = Field("postgresql://postgres@127.0.0.1:5432/postgres", description="テスト用 PostgreSQL")
    test_redis_url: str = Field("redis://127.0.0.1:6379/15", description="テスト用 Redis")

    @field_validator("trusted_hosts", "trusted_proxies", "callcenter_networks", "secret_key_fallbacks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(w.strip() for w in value.split(",") if w.strip()) if isinstance(value, str) else value

    @field_validator("field_keys", mode="before")
    @classmethod
    def _keys(cls, value: object) -> object:
        return tuple(_key(word.strip()) for word in value.split(",") if word.strip()) if isinstance(value, str) else value

    @field_validator("field_keys")
    @classmethod
    def _different_keys(cls, value: tuple[tuple[str, bytes], ...]) -> tuple[tuple[str, bytes], ...]:
        if len({name for name, _ in value}) < len(value):
            raise ValueError("FIELD_KEYS の ID は一つずつ違うものにしてください")
        return value

    @field_validator("trusted_proxies", "callcenter_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for word in value:
            ipaddress.ip_network(word, strict=False)
        return value

    @field_validator("database_url")
    @classmethod
    def _driver(cls, value: str) -> str:
        for prefix in ("postgresql://", "postgres://"):
            if value.startswith(prefix):
                return "postgresql+psycopg://" + value.removeprefix(prefix)
        if not value.startswith(("postgresql+psycopg://", "sqlite:///")):
            raise ValueError("DATABASE_URL は postgresql:// か sqlite:/// で始めてください")
        return value

    @field_validator("mail_url")
    @classmethod
    def _mail_server(cls, value: str) -> str:
        if value and not re.fullmatch(r"(smtp|smtps|smtp\+starttls)://([^\s/@]+@)?[^\s/@]+/?", value):
            raise ValueError("MAIL_URL は smtp://サーバー:ポート の形で指定してください")
        return value

    @field_validator("public_url")
    @classmethod
    def _site(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("PUBLIC_URL は http:// か https:// で始めてください")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _fit_for_production(self) -> Settings:
        if self.app_env == "production":
            if len(self.secret_key) < 32:
                raise ValueError("SECRET_KEY を32文字以上で設定してください（production では必須です）")
            if not self.field_keys:
                raise ValueError("FIELD_KEYS を設定してください（production では必須です）")
            if self.web_concurrency > 1 and not self.redis_url:
                raise ValueError("複数プロセス（WEB_CONCURRENCY）では REDIS_URL が必要です。回数制限がプロセスごとになります")
            if self.demo:
                raise ValueError("production では DEMO を使えません")
            if self.fault_point:
                raise ValueError("production では FAULT_POINT を使えません")
        return self

    @property
    def is_production(self) -> bool:
        return self.app_env == "production"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def sqlite_path(self) -> Path | None:
        return Path(self.database_url.removeprefix("sqlite:///")) if self.is_sqlite else None


def _key(word: str) -> tuple[str, bytes]:
    """`2026a:base64…` as name and key. What is wrong with it is said without repeating it."""
    name, _, encoded = word.partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", name) or len(key) < _KEY:
        raise ValueError(
            f"FIELD_KEYS は「ID:base64」（ID は英数字16文字以内、鍵は{_KEY}バイト以上）をコンマで区切って指定してください"
        )
    return name, key


def described() -> list[tuple[str, str, str]]:
    """(variable, what it means, its default) of every setting, in the order above, as a person reads them."""
    return [(name.upper(), str(field.description), _shown(field.default)) for name, field in Settings.model_fields.items()]


def _shown(default: object) -> str:
    words = ",".join(default) if isinstance(default, tuple) else str(int(default) if isinstance(default, bool) else default)
    return words.replace(f"{ROOT}/", "")


def load() -> Settings:
    """The settings; a process that cannot live with them ends with a sentence for each."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"{str(e['loc'][0]).upper() + ': ' if e['loc'] else ''}{e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        sys.exit("設定を確認してください。\n" + "\n".join(lines))
