// Keeps console pages fresh without disturbing whoever reads or types. Pages work without it.
"use strict";

const EVERY_MS = 5000;
const parts = [...document.querySelectorAll("[data-live]")];

function isBusy(part) {
  const active = document.activeElement;
  const chosen = document.getSelection();
  return (
    (part.contains(active) && active !== document.body) ||
    (chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode)) ||
    part.querySelector("details[open]:not([data-was-open])") !== null
  );
}

function replace(part, fresh) {
  if (fresh && !isBusy(part) && fresh.innerHTML !== part.innerHTML) {
    part.replaceChildren(...fresh.childNodes);
    offerCopies(part);
  }
}

async function refresh() {
  if (document.hidden || parts.length === 0) return;
  let answer;
  try {
    answer = await fetch(location.href, { headers: { "x-refresh": "1" }, redirect: "error" });
  } catch {
    return; // away or signed out: what is shown stays, and the footer says how old it is
  }
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    replace(part, page.querySelector(`[data-live="${part.dataset.live}"]`));
  }
  const foot = document.querySelector(".foot");
  const fresh = page.querySelector(".foot");
  if (foot && fresh && !foot.contains(document.activeElement)) foot.innerHTML = fresh.innerHTML;
}

function offerCopies(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const field = document.getElementById(button.dataset.copy);
      field.select();
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    });
  }
}

for (const open of document.querySelectorAll("details[open]")) open.dataset.wasOpen = "";
offerCopies(document);
if (parts.length > 0) setInterval(refresh, EVERY_MS);
