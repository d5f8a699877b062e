"""What docs/ says of tables and settings, written from their declarations so that it cannot drift from what is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.masters_seed import CODE_LISTS
from app.parts import Part
from app.schema import Spec, specs
from models import Counter

HEAD = """# データ辞書

表の定義（`models/`）から `flask schema docs` が書き出したものです。手で直さず、定義を直して書き出し直してください。

「見える範囲」は、担当窓口が決まっている人に見える行です。その項目が自分の窓口である行だけが見えます。
「個人情報」の ◎ は一覧で末尾だけを見せる項目、○ は氏名として見せる項目です。どちらも操作ログでは伏せます。
"""
PII = {False: "", True: "◎", "name": "○"}
KINDS = {
    "Boolean": "真偽",
    "Date": "日付",
    "Time": "時刻",
    "UtcDateTime": "日時",
    "Integer": "整数",
    "BigInteger": "整数",
    "Text": "文章",
    "JSON": "JSON",
}


SETTINGS_HEAD = """# 設定

`config.py` から `flask schema docs` が書き出したものです。環境変数か `.env` で設定します。

| 変数 | 意味 | 既定値 |
|---|---|---|
"""


def settings_page(described: Iterable[tuple[str, str, str]]) -> str:
    """docs/settings.md, of `config.described()`."""
    return SETTINGS_HEAD + "".join(
        f"| `{name}` | {words} | {f'`{default}`' if default else ''} |\n" for name, words, default in described
    )


def page() -> str:
    """docs/data-dictionary.md."""
    known = list(specs().values())
    parts = [HEAD, *_contents(known)]
    for spec in known:
        parts += _table(spec)
    return "\n".join([*parts, *_code_lists()]) + "\n"


def _contents(known: list[Spec]) -> Iterator[str]:
    yield "| 表 | 識別子 | 分類 | 見える範囲 |\n|---|---|---|---|"
    for spec in known:
        yield f"| [{spec.label}](#{spec.name}) | `{spec.model.__tablename__}` | {spec.group} | {_scope(spec)} |"


def _scope(spec: Spec) -> str:
    """Whose rows one sees: those of one's counters, found in these columns or in the row above."""
    words = [
        part.label if part.target is Counter else f"{part.target.__label__}と同じ"
        for part in map(spec.parts.get, spec.scope)
        if part
    ]
    return "・".join(words) if words else "すべて"


def _table(spec: Spec) -> Iterator[str]:
    yield f'\n<a id="{spec.name}"></a>\n## {spec.label}\n'
    yield f"`{spec.model.__tablename__}`　{'　'.join(_nature(spec))}\n"
    yield "| 項目 | 識別子 | 型 | 長さ | 必須 | 個人情報 | 値・備考 |\n|---|---|---|---|---|---|---|"
    for part in spec.parts.values():
        yield "| " + " | ".join(_row(part)) + " |"


def _nature(spec: Spec) -> Iterator[str]:
    if spec.is_master:
        yield "マスタ"
    if spec.append_only:
        yield "追記のみ（変更・削除できません）"
    if spec.history:
        yield f"変更のたびに `{spec.history}` へ1行"
    yield f"見える範囲: {_scope(spec)}"


def _row(part: Part) -> Iterator[str]:
    yield part.label
    yield f"`{part.fk}`"
    yield _kind(part)
    yield str(part.length or "") if part.shape in ("text", "memo", "codes") else ""
    yield "○" if part.required else ""
    yield PII[part.field.pii]
    yield _words("。".join(_remarks(part)))


def _kind(part: Part) -> str:
    if part.is_relation:
        target = getattr(part.target, "__label__", part.label)
        return f"複数の{target}" if part.is_many else target
    if part.enum or part.field.codes:
        return "コード"
    if part.shape == "memo":
        return "文章"
    return KINDS.get(type(part.type).__name__, "文字")


def _remarks(part: Part) -> Iterator[str]:
    if part.enum:
        yield "、".join(f"{code.number} {code.label}（`{code.value}`）" for code in part.enum)
    if part.field.codes:
        yield f"[{part.field.codes}](#code-{part.field.codes})"
    if part.column is not None and part.column.unique:
        yield "重複不可"
    if part.field.auto:
        yield "自動"
    if part.field.hint:
        yield part.field.hint


def _code_lists() -> Iterator[str]:
    yield "\n## 区分コード\n\n初期値です。運用開始後は「区分コード」の画面で管理します。"
    for list_name, items in CODE_LISTS.items():
        yield f'\n<a id="code-{list_name}"></a>\n### {list_name}\n\n| 出力コード | 名称 | 値 |\n|---|---|---|'
        yield from (f"| {number} | {name} | `{value}` |" for value, name, number in items)


def _words(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
