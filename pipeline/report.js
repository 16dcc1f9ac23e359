"use strict";
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const byId = (id) => document.getElementById(id);
  const search = byId("search"), outcome = byId("outcome"), reason = byId("reason");
  const rows = Array.from(byId("rows").tBodies[0].rows, (row) => ({
    row, outcome: row.dataset.outcome, reason: row.dataset.reason, text: row.textContent.toLowerCase(),
  }));
  const number = (n) => n.toLocaleString("en");

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const r of rows) {
      const match = (!outcome.value || r.outcome === outcome.value) &&
        (!reason.value || r.reason === reason.value) && words.every((word) => r.text.includes(word));
      r.row.hidden = !match;
      if (match) shown++;
    }
    byId("shown").textContent = "Showing " + number(shown) + " of " + number(rows.length) + " rows listed.";
    byId("none").hidden = shown > 0;
  };
  const showAll = () => {
    form.reset();
    apply();
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  for (const button of document.querySelectorAll("[data-show]")) {
    const has = Array.from(reason.options).some((option) => option.value === button.dataset.show);
    button.disabled = !has;
    button.addEventListener("click", () => {
      form.reset();
      reason.value = button.dataset.show;
      apply();
      byId("list").scrollIntoView();
      reason.focus({ preventScroll: true });
    });
  }
  window.addEventListener("hashchange", () => {
    const row = byId(location.hash.slice(1));
    if (row && row.hidden) {
      showAll();
      row.scrollIntoView();
    }
  });
  for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
  apply();
})();
