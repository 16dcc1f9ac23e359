// What pages can do better where scripts run: times in the reader's zone.
"use strict";

const language = document.documentElement.lang;
const day = { day: "numeric", month: "long", year: "numeric" };
const moment = { ...day, hour: "2-digit", minute: "2-digit", timeZoneName: "short" };

function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const form = time.classList.contains("moment") ? moment : day;
    time.textContent = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, form).format(at);
  }
}
localTimes(document);
