# 神戸市マイナンバーカード予約・交付システム。まず `make run`、それから `make help`。

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
YEARS ?= 1
export YEARS

.DEFAULT_GOAL := help
.PHONY: help setup run test bench check browser

help: ## この一覧を表示します
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name words; do \
		printf '  make %-8s %s\n' "$$name" "$$words"; done

setup: $(STAMP) ## 仮想環境・ライブラリ・画面の部品を用意します（ほかの make が自分で呼びます）

$(STAMP): requirements/base.txt requirements/dev.txt $(wildcard app/translations/*/LC_MESSAGES/*.po booking/translations/*/LC_MESSAGES/*.po)
	@python="$$(for p in python3.11 python3.12 python3.13 python3.14 python3; do command -v $$p || true; done | head -n 1)"; \
	if [ -z "$$python" ] || ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo 'Python 3.11 以上が見つかりません。python3.11 などを入れてから、もう一度実行してください。' >&2; exit 1; fi; \
	"$$python" -c 'import ensurepip' 2>/dev/null || { \
		echo "$$python に venv がありません。Debian・Ubuntu では python3-venv を入れてください。" >&2; exit 1; }; \
	[ -x $(BIN)/python ] || "$$python" -m venv $(VENV)
	@echo 'ライブラリを入れています（はじめは1〜2分かかります）…'
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -c 'from app.i18n import compile_catalogues; compile_catalogues()'
	@touch $(STAMP)

run: $(STAMP) ## 両方のサイトをデモデータ付きで動かします（SQLite、Ctrl+C で終了）
	@DEMO=$${DEMO-1} exec $(BIN)/python run.py

test: $(STAMP) ## すべてのテスト（PostgreSQL・Redis・chromium がなければ、その分を省いて一行で知らせます）
	@$(BIN)/pytest -q -n 2 --dist loadfile

check: $(STAMP) ## 書き方・型・テンプレート・表の宣言・マイグレーションの検査
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/djlint --lint --quiet app/templates booking/templates
	@$(BIN)/python .ci/schema.py

bench: $(STAMP) ## 速さを測って表にします（YEARS=10 で10年分）
	@$(BIN)/python -m bench

browser: ## 画面テスト用の chromium を入れます（Debian・Ubuntu）
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null; then echo 'chromium は入っています。'; \
	elif ! command -v apt-get >/dev/null; then echo 'apt-get がありません。chromium を手で入れて、PATH から見えるようにしてください。' >&2; exit 1; \
	elif [ "$$(id -u)" = 0 ]; then apt-get update -q && apt-get install -qy --no-install-recommends chromium; \
	elif sudo -n true 2>/dev/null; then sudo -n apt-get update -q && sudo -n apt-get install -qy --no-install-recommends chromium; \
	else echo '管理者の権限がありません。管理者に「apt-get install chromium」を頼んでください。' >&2; exit 1; fi
