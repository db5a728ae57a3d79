// Comfort only: every page works without it. Nothing moves when it starts.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const closeMenus = (which = () => true) => {
    for (const menu of document.querySelectorAll("details.menu[open], details.pick[open]")) {
      if (which(menu)) menu.open = false;
    }
  };

  // Copy: a button names the element whose text it copies.
  const COPIED_MS = 1500;
  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copies);
    if (!source) return;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      // Without HTTPS there is no clipboard interface; the old way still works.
      const area = document.createElement("textarea");
      area.value = source.textContent;
      area.className = "skip";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    if (button.classList.contains("done")) return;
    const words = button.firstElementChild ? null : button.textContent;
    if (words) button.textContent = "Copied";
    button.classList.add("done");
    setTimeout(() => {
      if (words) button.textContent = words;
      button.classList.remove("done");
    }, COPIED_MS);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) copy(button);
    // Menus close when something else is clicked.
    closeMenus((menu) => !menu.contains(event.target));
  });

  // A link into a folded part opens what it lies in.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let at = target.parentElement; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
    }
    target.scrollIntoView({ block: "nearest" });
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  // Keys: j and k walk through rows, o opens, / searches, Escape leaves the field.
  const rows = () =>
    [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null || row.tagName === "TR");
  const handle = (row) => (row.tagName === "TR" ? row.querySelector("a") : row);
  const walk = (step) => {
    const all = rows();
    const here = all.findIndex((row) => handle(row) === document.activeElement);
    const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step;
    const row = all[next];
    if (!row) return;
    handle(row).focus();
    row.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select");
    if (field) {
      if (event.key === "Escape") field.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "j") walk(1);
    else if (event.key === "k") walk(-1);
    else if (event.key === "o") {
      const row = document.activeElement.closest("[data-row]");
      if (row) handle(row).click();
    } else if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    }
  });

  // Times: the words that the server wrote, kept true; the local time joins UTC on hover.
  const MINUTE_MS = 60_000;
  const HOUR_MS = 60 * MINUTE_MS;
  const DAY_MS = 24 * HOUR_MS;
  const skew = (() => {
    const made = Date.parse(document.body.dataset.now || "");
    return Number.isNaN(made) ? 0 : Date.now() - made;
  })();
  const words = (age) => {
    if (age < -MINUTE_MS || age >= 7 * DAY_MS) return null;
    if (age >= DAY_MS) return `${Math.floor(age / DAY_MS)} d ago`;
    if (age >= HOUR_MS) return `${Math.floor(age / HOUR_MS)} h ago`;
    if (age >= MINUTE_MS) return `${Math.floor(age / MINUTE_MS)} min ago`;
    return "just now";
  };
  const refresh = () => {
    for (const time of document.querySelectorAll("time[data-relative]")) {
      const text = words(Date.now() - skew - Date.parse(time.dateTime));
      if (text && text !== time.textContent) time.textContent = text;
    }
  };
  setInterval(refresh, MINUTE_MS);
  document.addEventListener("mouseover", (event) => {
    const time = event.target.closest("time");
    if (!time || time.dataset.local) return;
    time.dataset.local = "1";
    time.title += `\n${new Date(time.dateTime).toLocaleString()} here`;
  });
})();
