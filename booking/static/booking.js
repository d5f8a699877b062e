// Every thing on these pages works without a script but two.

// Printing.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// Back: a browser may show a page as it was left. One that asks whether to book is asked for again, since it may be booked by now.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("[data-fresh]")) location.reload();
});
