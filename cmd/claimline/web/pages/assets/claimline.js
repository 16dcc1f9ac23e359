// What pages can do better where scripts run: times in the reader's zone, and progress that moves.
"use strict";

const language = document.documentElement.lang;
const locale = language === "en" ? "en-GB" : language;
const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const glued = (text) => text.replaceAll(" ", "\u00a0");

function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]:not(.wall)")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    let text = glued(day.format(at));
    if (time.classList.contains("moment")) {
      text += language === "sv" ? ` kl.\u00a0${glued(clock.format(at)).replace(":", ".")}` : `, ${glued(clock.format(at))}`;
    }
    time.textContent = text;
  }
}
localTimes(document);

const numbers = new Intl.NumberFormat(locale);

function follow(progress) {
  const bar = document.getElementById("bar");
  const source = new EventSource(progress.dataset.events);
  const state = document.getElementById("state");
  source.addEventListener("import", (event) => {
    const now = JSON.parse(event.data);
    bar.max = now.progress.total || 1;
    bar.value = now.progress.done;
    document.getElementById("done").textContent = `${numbers.format(now.progress.done)} / ${numbers.format(now.progress.total)}`;
    if (!state.classList.contains(now.state) && !["planning", "queued", "applying"].includes(now.state)) {
      source.close();
      location.replace(location.pathname);
    }
  });
}

const progress = document.getElementById("progress");
if (progress) follow(progress);

function busy(button) {
  button.setAttribute("aria-busy", "true");
  button.textContent = button.dataset.busy;
}
for (const button of document.querySelectorAll("button[data-busy]")) {
  button.form.addEventListener("submit", () => busy(button));
}

// What takes long is done step by step, and goes on by itself.
for (const form of document.querySelectorAll("form[data-steps]")) {
  const steps = document.createElement("input");
  Object.assign(steps, { type: "hidden", name: "steps", value: "yes" });
  form.append(steps);
}
for (const form of document.querySelectorAll("form[data-go-on]")) form.requestSubmit();

// A file can be dropped anywhere on the form that asks for it.
for (const input of document.querySelectorAll("input.drop")) {
  const form = input.form;
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    input.classList.add("over");
  });
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) input.classList.remove("over");
  });
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    input.classList.remove("over");
    if (event.dataTransfer.files.length > 0) input.files = event.dataTransfer.files;
  });
}

for (const all of document.querySelectorAll("input[data-all]")) {
  const named = `input[name="${all.dataset.all}"]`;
  const boxes = [...all.form.elements].filter((input) => input.matches(named));
  const listed = [...all.closest("table").querySelectorAll(named)];
  const chosen = document.querySelector(`[data-chosen="${all.dataset.all}"]`);
  const text = chosen.textContent;
  const count = () => {
    const n = boxes.filter((box) => box.checked).length;
    chosen.hidden = n === 0;
    chosen.textContent = text.replace("0", numbers.format(n));
    all.checked = listed.every((box) => box.checked);
    all.indeterminate = listed.some((box) => box.checked) && !all.checked;
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of listed) box.checked = all.checked;
    count();
  });
  for (const box of boxes) box.addEventListener("change", count);
  count();
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(source);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      if (!document.execCommand("copy")) return; // it is selected, at least
    }
    button.textContent = button.dataset.copied;
  });
}

const zones = document.getElementById("zones");
if (zones && Intl.supportedValuesOf) {
  for (const zone of Intl.supportedValuesOf("timeZone")) zones.append(new Option("", zone));
}
