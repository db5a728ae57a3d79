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

  // Copy: a button names the element whose text it copies, or the address of a text.
  const COPIED_MS = 1500;
  const put = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without HTTPS there is no clipboard interface; the old way still works.
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "skip";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
  };
  const text = async (button) => {
    const source = document.getElementById(button.dataset.copies);
    if (source) return source.textContent;
    const answer = await fetch(button.dataset.copyFrom);
    return answer.ok ? answer.text() : null;
  };
  const copy = async (button) => {
    const copied = await text(button);
    if (copied === null) return;
    await put(copied, button);
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
    const button = event.target.closest("[data-copies], [data-copy-from]");
    if (button) copy(button);
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      closeMenus();
      document.getElementById(opener.dataset.opens)?.showModal();
    }
    // Menus close when something else is clicked.
    closeMenus((menu) => !menu.contains(event.target));
  });

  // Waiting for the first event: ask until it is there, then go to it. Nobody is asked for a hidden page.
  const ASK_EVERY_MS = 2000;
  const waiting = document.querySelector("[data-waiting]");
  const ask = async () => {
    if (document.visibilityState === "hidden") return;
    // The login page, where the session has ended, is no answer.
    const answer = await fetch(waiting.dataset.waiting, { redirect: "manual" }).catch(() => null);
    if (answer?.status === 200) location.assign((await answer.json()).url);
  };
  if (waiting) {
    waiting.querySelector("[data-waiting-words]").textContent = "Listening. The event appears here as soon as it arrives.";
    setInterval(ask, ASK_EVERY_MS);
  }

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

  // Ticked rows: how many, all of them at once, and a span of them with Shift.
  const form = document.querySelector(".bulk-form");
  const ticks = () => (form ? [...form.querySelectorAll("[name=id]")] : []);
  const count = () => {
    const all = ticks();
    const ticked = all.filter((tick) => tick.checked).length;
    const every = form.querySelector("[data-all]");
    every.checked = ticked === all.length;
    every.indeterminate = ticked > 0 && ticked < all.length;
    form.querySelector(".bulk-count").textContent = ticked ? `${ticked} selected` : "";
  };
  if (form) {
    let last = null;
    form.addEventListener("click", (event) => {
      const tick = event.target;
      if (tick.matches("[data-all]")) for (const each of ticks()) each.checked = tick.checked;
      if (tick.name === "id") {
        const all = ticks();
        if (event.shiftKey && last) {
          const [from, to] = [all.indexOf(last), all.indexOf(tick)].sort((a, b) => a - b);
          for (const each of all.slice(from, to + 1)) each.checked = tick.checked;
        }
        last = tick;
      }
      count();
    });
    // What a browser kept ticked over going back.
    addEventListener("pageshow", count);
  }

  // Keys; the page lists them at "?".
  const rows = () =>
    [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null || row.tagName === "TR");
  const handle = (row) => (row.tagName === "TR" ? row.querySelector("a") : row);
  const current = () => document.activeElement.closest("[data-row]");
  const walk = (step) => {
    const all = rows();
    const here = all.indexOf(current());
    const row = all[here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step];
    if (!row) return;
    handle(row).focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const open = () => current() && handle(current()).click();
  const follow = (relation) => document.querySelector(`a[rel="${relation}"]`)?.click();
  const tick = () => current()?.querySelector("[name=id]")?.click();
  const decide = (status) => {
    const button = document.querySelector(`.bulk-form [name=status][value=${status}], .actions [value=${status}]`);
    if (!button) return;
    if (form && !ticks().some((each) => each.checked)) {
      const own = current()?.querySelector("[name=id]");
      if (!own) return;
      own.checked = true;
    }
    button.form.requestSubmit(button);
  };
  const search = (event) => {
    const field = document.querySelector("[data-search]");
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  };
  const KEYS = {
    "/": search,
    j: () => walk(1),
    k: () => walk(-1),
    o: open,
    x: tick,
    r: () => decide("resolved"),
    i: () => decide("ignored"),
    u: () => decide("unresolved"),
    "[": () => follow("prev"),
    "]": () => follow("next"),
    c: () => document.querySelector("[data-key=c]")?.click(),
    "?": () => document.getElementById("keys")?.showModal(),
    Escape: () => closeMenus(),
  };
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input:not([type=checkbox]), textarea, select");
    if (field) {
      if (event.key === "Escape") field.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (Object.hasOwn(KEYS, event.key)) KEYS[event.key](event);
  });

  // What was just done is said once, not again after a reload.
  for (const said of document.querySelectorAll("[data-once]")) {
    const address = new URL(location.href);
    address.searchParams.delete(said.dataset.once);
    history.replaceState(history.state, "", address);
  }

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
