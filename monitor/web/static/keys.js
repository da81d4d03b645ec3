// Keys of the console: g and a letter goes somewhere, j and k walk a list, letters named by aria-keyshortcuts press or focus.
// /console/help lists them and can switch them off for this browser.
"use strict";

const SWITCH = "monitor-keys";
const LINES = "main tbody th[scope=row] a, main .plain-list > li > a, main .banner h3 > a";
const SEQUENCE_MS = 1500;
let wentAt = 0; // when g was pressed

function keysAreOn() {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true; // private mode: nothing was ever switched off
  }
}

function offerSwitch(root) {
  const place = root.querySelector("[data-keys-switch]");
  if (!place) return;
  const box = place.querySelector("input");
  place.hidden = false;
  box.checked = keysAreOn();
  box.addEventListener("change", () => {
    try {
      localStorage.setItem(SWITCH, box.checked ? "on" : "off");
    } catch { /* private mode: it holds until the page is left */ }
  });
}

function isShown(element) {
  return element.checkVisibility ? element.checkVisibility() : element.getClientRects().length > 0;
}

function isWriting(element) {
  return element.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") !== null;
}

function walk(step) {
  const lines = [...document.querySelectorAll(LINES)].filter(isShown);
  const at = lines.indexOf(document.activeElement);
  const next = lines[at < 0 ? (step > 0 ? 0 : lines.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

// Goes to a field, or presses a button; returns whether there was one.
function act(key) {
  const all = [...document.querySelectorAll(`[aria-keyshortcuts="${CSS.escape(key)}"]`)];
  const named = all.find(isShown) ?? all.find(isFolded);
  if (!named) return false;
  unfold(named);
  if (isWriting(named)) {
    named.focus();
    named.select?.();
  } else named.click();
  return true;
}

async function showKeys() {
  if (location.pathname === "/console/help") return;
  const answer = await fetch("/console/help", { headers: { "x-refresh": "1" }, redirect: "error" }).catch(() => null);
  if (!answer?.ok) return location.assign("/console/help");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const dialog = document.createElement("dialog");
  dialog.className = "sheet";
  dialog.setAttribute("aria-label", "Keys");
  const shut = document.createElement("form");
  shut.method = "dialog";
  shut.className = "actions";
  const button = document.createElement("button");
  button.className = "second";
  button.textContent = "Close";
  shut.append(button);
  dialog.append(page.getElementById("keys"), shut);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  offerSwitch(dialog);
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (isWriting(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (!keysAreOn()) return;
  const key = event.key;
  const follows = Date.now() - wentAt < SEQUENCE_MS;
  wentAt = 0;
  if (follows) {
    const entry = [...document.querySelectorAll("[data-go]")].find((one) => one.dataset.go === key);
    if (entry) location.assign(entry.href);
  } else if (key === "g") wentAt = Date.now();
  else if (key === "j" || key === "k") walk(key === "j" ? 1 : -1);
  else if (key === "?") showKeys();
  else if (key.length !== 1 || !act(key)) return;
  event.preventDefault();
});

offerSwitch(document);
