"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  for (const element of document.querySelectorAll(".scripted")) element.hidden = false;

  for (const button of document.querySelectorAll(".copy")) {
    const code = button.previousElementSibling, usual = button.textContent, { copied, selected } = button.dataset;
    const said = (text) => {
      button.textContent = text;
      setTimeout(() => { button.textContent = usual; }, 2000);
    };
    button.addEventListener("click", () => {
      getSelection().selectAllChildren(code);
      if (!navigator.clipboard) return said(selected);
      navigator.clipboard.writeText(code.textContent).then(() => said(copied), () => said(selected));
    });
  }

  const form = byId("filter");
  if (!form) return;
  const search = byId("search"), show = byId("show"), reason = byId("reason");
  const rows = Array.from(byId("rows").tBodies[0].rows);
  const texts = new Map(); // of rows, once somebody searches
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  const number = (n) => n.toLocaleString(document.documentElement.lang);
  const problems = rows.some((row) => "problem" in row.dataset);
  if (!problems) show.querySelector("[value=problems]").remove();
  const first = problems ? "problems" : "all"; // what a page without a filter in its address shows
  const has = (list, value) => Array.from(list.options).some((option) => option.value === value);

  const step = 500; // rows shown at once: more would make the page slow
  let most = step;

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, more = 0;
    for (const row of rows) {
      const match = (show.value === "all" || (show.value === "problems" ? "problem" in row.dataset : row.dataset.outcome === show.value)) &&
        (!reason.value || row.dataset.reason === reason.value) && words.every((word) => textOf(row).includes(word));
      const visible = match && shown < most;
      if (row.hidden === visible) row.hidden = !visible;
      if (visible) shown++;
      else if (match) more++;
    }
    const { all, more: beyond } = byId("shown").dataset;
    byId("shown").textContent = (more ? beyond : all).replace("{1}", number(shown)).replace("{2}", number(rows.length)).replace("{3}", number(more));
    byId("none").hidden = shown > 0;
    byId("more").hidden = more === 0;
  };
  const set = (filter) => {
    show.value = has(show, filter.get("show")) ? filter.get("show") : "all";
    reason.value = has(reason, filter.get("reason")) ? filter.get("reason") : "";
    search.value = filter.get("search") || "";
    most = step;
    apply();
  };
  // keep writes the filter to the address, so that a link to it shows the same rows.
  const keep = () => {
    const filter = new URLSearchParams({ show: show.value });
    if (reason.value) filter.set("reason", reason.value);
    if (search.value.trim()) filter.set("search", search.value.trim());
    history.replaceState(null, "", "#" + filter);
  };
  // follow does what the address says: a filter, or a line, which is then shown whatever the filter was.
  const follow = (opened) => {
    const hash = location.hash.slice(1);
    if (hash.includes("=")) {
      set(new URLSearchParams(hash));
      byId("list").scrollIntoView();
      return;
    }
    if (opened) set(new URLSearchParams({ show: first }));
    const row = hash.startsWith("line-") && byId(hash);
    if (!row) return;
    if (row.hidden) set(new URLSearchParams({ show: "all" }));
    if (row.hidden) {
      most = rows.indexOf(row) + step;
      apply();
    }
    row.scrollIntoView();
  };

  form.addEventListener("input", () => { most = step; apply(); keep(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    set(new URLSearchParams({ show: "all" }));
    keep();
  });
  for (const link of document.querySelectorAll("[data-filter]")) {
    link.href = "#" + link.dataset.filter;
    link.addEventListener("click", () => { if (link.href === location.href) follow(false); });
  }
  byId("more").addEventListener("click", () => { most += step; apply(); });
  let before = most;
  window.addEventListener("beforeprint", () => { before = most; most = Infinity; apply(); });
  window.addEventListener("afterprint", () => { most = before; apply(); });
  window.addEventListener("hashchange", () => follow(false));
  follow(true);
})();
