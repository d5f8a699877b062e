// The calendar by keyboard and by dragging. Both only lead to the page that asks; without script the links do the same.
(() => {
  "use strict";
  document.querySelectorAll(".with-script").forEach((part) => { part.hidden = false; });
  addEventListener("beforeprint", () => document.querySelectorAll("details.rest").forEach((rest) => { rest.open = true; }));
  document.querySelector("[data-print]")?.addEventListener("click", () => print());
  const status = document.querySelector("[data-say]");
  const say = (words) => { if (status) status.textContent = words; };
  const plain = (e) => !e.ctrlKey && !e.metaKey && !e.altKey && !e.isComposing && !e.target.closest("input, select, textarea");

  // Whoever the address points at is not left folded away; the browser gives them the focus.
  const pointed = location.hash.startsWith("#visit-") && document.getElementById(location.hash.slice(1));
  if (pointed) pointed.closest("details")?.setAttribute("open", "");

  // M on a reservation: its own link does it.
  document.addEventListener("keydown", (e) => {
    if (e.key.toLowerCase() !== "m" || !plain(e)) return;
    const link = e.target.closest("[data-visit]")?.querySelector(".shift");
    if (link) { e.preventDefault(); link.click(); }
  });

  // Another time is looked for: arrows walk the free ones, and what lies under the focus is said.
  const band = document.querySelector("[data-moving]");
  const targets = [...document.querySelectorAll("a.target")];
  const at = (link) => {
    const cell = link.closest("td");
    return { row: cell.parentElement.rowIndex, column: cell.cellIndex };
  };
  const nearest = (found, far) => found.reduce((best, link) => (best && far(best) <= far(link) ? best : link), null);
  const beyond = (link, key) => {
    const here = at(link);
    const lies = { ArrowDown: (p) => p.row - here.row, ArrowUp: (p) => here.row - p.row, ArrowRight: (p) => p.column - here.column, ArrowLeft: (p) => here.column - p.column }[key];
    const aside = key === "ArrowDown" || key === "ArrowUp" ? (p) => Math.abs(p.column - here.column) : (p) => Math.abs(p.row - here.row);
    // Down and up stay with a counter as long as it has anything; right and left go to the next counter, at about the same time.
    const weight = key === "ArrowDown" || key === "ArrowUp" ? [1, 1000] : [1000, 1];
    return nearest(targets.filter((other) => lies(at(other)) > 0), (other) => weight[0] * lies(at(other)) + weight[1] * aside(at(other)));
  };
  const ends = { Home: () => targets[0], End: () => targets[targets.length - 1] };
  const steps = { PageUp: "prev", PageDown: "next" };
  if (band) {
    targets.forEach((link) => link.addEventListener("focus", () => say(link.dataset.words)));
    document.addEventListener("keydown", (e) => {
      if (!plain(e)) return;
      if (e.key === "Escape") { e.preventDefault(); band.querySelector("[data-leave]").click(); return; }
      if (steps[e.key]) { e.preventDefault(); document.querySelector(`.steps [rel=${steps[e.key]}]`).click(); return; }
      const from = targets.includes(e.target) ? e.target : null;
      const to = ends[e.key] ? ends[e.key]() : e.key.startsWith("Arrow") ? (from ? beyond(from, e.key) : targets[0]) : null;
      if (!to) return;
      e.preventDefault();
      to.focus();
    });
    const own = document.querySelector(".its-own")?.closest("td");
    const first = own ? nearest(targets, (link) => 1000 * Math.abs(at(link).column - own.cellIndex) + Math.abs(at(link).row - own.parentElement.rowIndex)) : targets[0];
    (first || band.querySelector("h2")).focus();
  }

  // Dragging: the page on which another time is looked for says where a reservation may be put down.
  const cells = [...document.querySelectorAll(".calendar.day td[data-time]")];
  const place = (cell) => `${cell.dataset.counter} ${cell.dataset.time}`;
  let held = null;
  const ask = async (address) => {
    const answer = await fetch(address, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok || !page.querySelector("[data-moving]")) throw new Error("no answer");
    return new Map([...page.querySelectorAll("a.target")].map((link) => [place(link.closest("td")), link]));
  };
  const show = (where) => cells.forEach((cell) => cell.classList.add(where.has(place(cell)) ? "open" : "shut"));
  const let_go = () => {
    held?.item.classList.remove("held");
    cells.forEach((cell) => cell.classList.remove("open", "shut", "over"));
    held = null;
  };
  document.addEventListener("dragstart", (e) => {
    const item = e.target.closest?.("[data-visit]");
    if (!item) return;
    e.dataTransfer.effectAllowed = "move";
    e.dataTransfer.setData("text/plain", "");
    item.classList.add("held");
    const mine = held = { item, where: ask(item.querySelector(".shift").href) };
    mine.where.then((where) => { if (held === mine) show(where); }, () => {});
    say("空いている時間に置いてください。");
  });
  cells.forEach((cell) => {
    cell.addEventListener("dragover", (e) => { if (held) { e.preventDefault(); e.dataTransfer.dropEffect = "move"; cell.classList.add("over"); } });
    cell.addEventListener("dragleave", () => cell.classList.remove("over"));
    cell.addEventListener("drop", async (e) => {
      if (!held) return;
      e.preventDefault();
      const where = held.where;
      try {
        const link = (await where).get(place(cell));
        if (link) location.assign(link.getAttribute("href"));
        else tell("その時間には移せません。この予約の手続きを受ける空きがありません。");
      } catch {
        tell("空きを調べられませんでした。通信を確かめて、もう一度動かしてください。何も変わっていません。");
      }
    });
  });
  document.addEventListener("dragend", let_go);

  // What went wrong with a drop is seen as well as said.
  const tell = (words) => {
    const note = document.querySelector(".drop-note") || document.querySelector(".calendar.day").parentElement.insertAdjacentElement("beforebegin", Object.assign(document.createElement("p"), { className: "band warn drop-note" }));
    note.textContent = words;
    say(words);
    note.scrollIntoView({ block: "nearest" });
  };
})();
