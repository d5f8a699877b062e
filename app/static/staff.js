// The staff site's few lines of behaviour. Every page works without them; they make the keyboard quick.
(() => {
  "use strict";
  const token = () => document.querySelector("input[name=csrf_token]")?.value || "";
  const post = (url, fields) => fetch(url, {
    method: "POST", body: new URLSearchParams(fields), credentials: "same-origin",
    headers: { "X-CSRFToken": token(), "X-Requested-With": "XMLHttpRequest", Accept: "application/json" },
  });
  const typing = (el) => el.matches("input, select, textarea, [contenteditable]");

  // "/" goes to the one field that finds everything; Ctrl+Enter saves a form; Enter moves on.
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && !typing(e.target) && !e.ctrlKey && !e.metaKey) {
      const field = document.getElementById("jump");
      if (field) { e.preventDefault(); field.focus(); field.select(); }
    }
    const form = e.target.closest?.("form.record");
    if (!form || e.key !== "Enter" || e.isComposing) return;
    if (e.ctrlKey) { e.preventDefault(); form.requestSubmit(); return; }
    if (e.target.matches("input:not([type=submit]), select") && !e.defaultPrevented) {
      e.preventDefault();
      const fields = [...form.querySelectorAll("input:not([type=hidden]), select, textarea, button")].filter((f) => !f.disabled);
      fields[fields.indexOf(e.target) + 1]?.focus();
    }
  });

  // A scanner types wherever the focus is; what it types belongs into its field.
  const scan = document.querySelector("[data-scan]");
  if (scan) addEventListener("keydown", (e) => {
    if (!typing(e.target) && e.key.length === 1 && e.key !== "/" && !e.ctrlKey && !e.metaKey && !e.altKey) scan.focus();
  });

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (e) => {
    const ask = e.submitter?.matches("[data-confirm]") && !confirm(e.submitter.dataset.confirm || `「${e.submitter.textContent.trim()}」を実行します。よろしいですか。`);
    if (ask || e.target.dataset.sent) { e.preventDefault(); return; }
    // The place on this page (#main, #name) is not the next page's: its first error takes the focus.
    if (!e.target.hasAttribute("action")) e.target.action = location.pathname + location.search;
    if (e.target.method === "post" && !location.pathname.endsWith("/export")) {
      e.target.dataset.sent = "1";
      setTimeout(() => delete e.target.dataset.sent, 4000);
    }
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((f) => delete f.dataset.sent));

  // Esc closes what is folded out over the page, and gives the focus back to what opened it.
  addEventListener("keydown", (e) => {
    const open = e.key === "Escape" && document.querySelector("details.who[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
  });

  // The way back from a record leads to the list as it was left: its filters, its order, its page and the place on it.
  const kept = (path) => { try { return JSON.parse(sessionStorage.getItem(`list ${path}`)) || {}; } catch { return {}; } };
  if (document.querySelector(".filters, .scroll.whole")) {
    const { pathname, search } = location;
    const [before, isBack] = [kept(pathname), sessionStorage.getItem("back") === pathname];
    sessionStorage.removeItem("back");
    if (isBack && before.search === search) scrollTo(0, before.at || 0);
    addEventListener("pagehide", () => sessionStorage.setItem(`list ${pathname}`, JSON.stringify({ search, at: scrollY })));
  }
  document.querySelectorAll("a[data-back]").forEach((link) => {
    const path = link.pathname;
    link.search = kept(path).search || "";
    link.addEventListener("click", () => sessionStorage.setItem("back", path));
  });

  // Errors are where the eye and the screen reader go first.
  const first = document.querySelector("form.record [aria-invalid=true]");
  (first || document.getElementById("errors"))?.focus();
  const isNarrow = matchMedia("(max-width: 760px)");
  if (isNarrow.matches) document.querySelectorAll("details.menu, details.fold").forEach((part) => part.removeAttribute("open"));
  isNarrow.addEventListener("change", () => document.querySelectorAll("details.menu, details.fold").forEach((part) => { part.open = !isNarrow.matches; }));

  // A list that is not wider than the window needs no box to move in: its head then stays at the edge of the window.
  const whole = document.querySelector(".scroll.whole");
  if (whole) new ResizeObserver(() => whole.classList.toggle("fits", whole.firstElementChild.offsetWidth <= whole.parentElement.clientWidth)).observe(whole);

  // Ticked rows: the button says how many it will delete.
  document.querySelectorAll("form.ticked").forEach((form) => {
    const button = form.querySelector("[data-ticked]");
    form.addEventListener("change", () => {
      const n = form.querySelectorAll("input[name=id]:checked").length;
      button.disabled = n === 0;
      button.textContent = n ? button.dataset.ticked.replace("{n}", n) : "選んだ行を削除する";
    });
  });

  // Relations: type a number or part of a name, the server answers with rows in scope.
  document.querySelectorAll(".picker").forEach((box) => {
    const [key, words, list] = [box.querySelector("[type=hidden]"), box.querySelector("[type=text]"), box.querySelector("ul")];
    let timer, at = -1, asked = 0;
    const close = () => { list.hidden = true; words.setAttribute("aria-expanded", "false"); words.removeAttribute("aria-activedescendant"); at = -1; };
    const choose = (li) => { key.value = li.dataset.id; words.value = li.dataset.words; close(); };
    const mark = (n) => {
      const items = [...list.querySelectorAll("[role=option]:not([aria-disabled])")];
      if (!items.length) return;
      at = (n + items.length) % items.length;
      items.forEach((li, i) => li.setAttribute("aria-selected", String(i === at)));
      words.setAttribute("aria-activedescendant", items[at].id);
      items[at].scrollIntoView({ block: "nearest" });
    };
    const show = (rows, message) => {
      list.replaceChildren(...rows.map((row, i) => {
        const li = Object.assign(document.createElement("li"), { id: `${list.id}-${i}` });
        li.setAttribute("role", "option");
        Object.assign(li.dataset, { id: row.id, words: row.words });
        li.append(row.words);
        if (row.hint) li.append(Object.assign(document.createElement("small"), { textContent: row.hint }));
        li.addEventListener("mousedown", (e) => { e.preventDefault(); choose(li); });
        return li;
      }));
      if (!rows.length) {
        const none = Object.assign(document.createElement("li"), { textContent: message || "当てはまるものがありません。" });
        none.setAttribute("role", "option");
        none.setAttribute("aria-disabled", "true");
        list.append(none);
      }
      list.hidden = false;
      words.setAttribute("aria-expanded", "true");
    };
    const ask = async () => {
      const mine = ++asked;
      const answer = await post(box.dataset.url, { q: words.value }).catch(() => null);
      if (mine !== asked) return;
      if (!answer?.ok) { show([], "候補を読み込めません。通信を確かめて、もう一度入力してください。"); return; }
      const found = await answer.json();
      at = -1;
      show(found.rows, found.message);
    };
    words.addEventListener("input", () => {
      key.value = "";
      clearTimeout(timer);
      timer = setTimeout(ask, 200);
    });
    words.addEventListener("keydown", (e) => {
      if (e.isComposing) return;
      if (e.key === "ArrowDown" && list.hidden) { e.preventDefault(); ask(); }
      else if (e.key === "ArrowDown") { e.preventDefault(); mark(at + 1); }
      else if (e.key === "ArrowUp") { e.preventDefault(); mark(at - 1); }
      else if (e.key === "Enter" && at >= 0) { e.preventDefault(); choose(list.children[at]); }
      else if (e.key === "Escape" && !list.hidden) { e.preventDefault(); close(); }
    });
    words.addEventListener("blur", () => setTimeout(close, 150));
  });

  // Masters: a cell is edited in its place; a clash shows the other person's value.
  const table = document.querySelector("table.sheetlike");
  if (!table) return;
  const message = document.getElementById("cell-message");
  const say = (words, good, link) => {
    message.textContent = words;
    if (link) message.append(" ", Object.assign(document.createElement("a"), { href: link.href, textContent: link.words }));
    message.className = `band ${good ? "good" : "bad"}`;
    message.hidden = false;
  };
  const edit = (button) => {
    const cell = button.closest("td"), row = button.closest("tr");
    const holder = document.getElementById(`cell-${button.dataset.name}`).content.cloneNode(true);
    const field = holder.querySelector("input:not([type=hidden]), select, textarea");
    field.removeAttribute("id"); field.removeAttribute("required");
    field.setAttribute("aria-label", button.getAttribute("aria-label"));
    if (field.type === "checkbox") field.checked = button.dataset.raw === "1"; else field.value = button.dataset.raw;
    if (field.value !== button.dataset.raw && field.matches("select")) field.add(new Option(button.textContent, button.dataset.raw, true, true)); // retired
    const back = (focus) => { cell.replaceChildren(button); if (focus) button.focus(); };
    let done = false;
    const save = async (stay) => { // Enter stays at the cell; whoever has moved on is not called back
      if (done) return;
      done = true;
      const value = field.type === "checkbox" ? (field.checked ? "1" : "") : field.value;
      if (value === button.dataset.raw) { back(stay); return; }
      let next; // cells of a row are saved one after the other: each needs the version that the last one left
      const before = row.turn;
      row.turn = new Promise((resolve) => { next = resolve; });
      await before;
      const answer = await post(table.dataset.update, { pk: row.dataset.pk, row_stamp: row.dataset.stamp, column: button.dataset.name, value }).catch(() => null);
      const said = await answer?.json().catch(() => null) ?? { message: answer ? "保存していません。画面を開き直してください。" : "保存していません。通信を確かめて、もう一度 Enter を押してください。" };
      const saved = Boolean(answer?.ok && said.row_stamp);
      say(said.message, saved, said.link);
      cell.classList.remove("saved", "refused");
      cell.classList.add(saved ? "saved" : "refused");
      if (said.row_stamp) row.dataset.stamp = said.row_stamp;
      next();
      if (said.row_stamp) {
        const [words, label] = [said.words || "—", button.getAttribute("aria-label")];
        button.dataset.raw = said.raw;
        button.setAttribute("aria-label", label.replace(button.dataset.words, said.words || "空"));
        button.dataset.words = said.words || "空";
        button.textContent = words;
        back(stay);
      } else if (!answer || answer.status === 422) { done = false; field.focus(); } else back(stay);
    };
    field.addEventListener("keydown", (e) => {
      if (e.key === "Enter" && !e.isComposing) { e.preventDefault(); save(true); }
      if (e.key === "Escape") { done = true; back(true); }
    });
    field.addEventListener("blur", () => save(false));
    cell.replaceChildren(field);
    field.focus();
    field.select?.();
  };
  table.addEventListener("click", (e) => { const b = e.target.closest("button.cell"); if (b) edit(b); });
})();
