// Everything on these pages works without a script but the first two.

// Printing.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// Back: a browser may show a page as it was left. One that asks whether to book is asked for again, since it may be booked by now.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("[data-fresh]")) location.reload();
});

// The time that is kept: how long still, said aloud when two minutes are left and when it is over.
for (const held of document.querySelectorAll("[data-until]")) {
  const left = held.querySelector("[data-left]"), until = Date.parse(held.dataset.until);
  left.setAttribute("aria-live", "off");
  const tick = () => {
    const seconds = Math.round((until - Date.now()) / 1000);
    left.setAttribute("aria-live", seconds === 120 || seconds <= 0 ? "polite" : "off");
    const time = held.dataset.leftWords.replace("{m}", Math.floor(seconds / 60)).replace("{s}", String(seconds % 60).padStart(2, "0"));
    left.textContent = seconds > 0 ? time : held.dataset.overWords;
    if (seconds > 0) setTimeout(tick, 1000);
  };
  tick();
}

// The town of a postal code, as soon as its seven digits are there and no address is.
for (const form of document.querySelectorAll("form[data-postal]")) {
  const number = form.elements.postal_code, address = form.elements.address;
  if (!number) continue;
  number.addEventListener("input", async () => {
    const digits = number.value.normalize("NFKC").replace(/[^0-9]/g, "");
    if (digits.length !== 7 || address.value.trim()) return;
    const sent = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, postal_code: digits });
    const answer = await fetch(form.dataset.postal, { method: "POST", body: sent });
    if (answer.ok && !address.value.trim()) address.value = (await answer.json()).address;
  });
}

// The puzzle of a form (ALTCHA): solved a piece at a time while its page is read, so that the page stays alive.
for (const box of document.querySelectorAll("[data-puzzle]")) {
  const puzzle = JSON.parse(box.dataset.puzzle), working = document.querySelector("[data-working]"), words = new TextEncoder();
  const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const solve = async () => {
    for (let number = 0; number <= puzzle.most; number += 1) {
      if (hex(await crypto.subtle.digest("SHA-256", words.encode(puzzle.salt + number))) === puzzle.challenge) return number;
    }
    return -1;
  };
  if (!globalThis.crypto?.subtle) continue;
  working.hidden = false;
  solve().then((number) => {
    const { algorithm, challenge, salt, signature } = puzzle;
    box.value = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
    working.hidden = true;
  });
}
