// Folded parts of long pages: open on a wide screen, shut on a phone, and as the reader left them. Without it they fold as sent.
"use strict";

const FOLDS = "details[data-fold]";
const wide = matchMedia("(min-width: 60rem)");

function foldKey(fold) {
  return `monitor-fold-${wide.matches ? "wide" : "narrow"}-${fold.dataset.fold}`;
}

function remembered(fold) {
  try {
    return localStorage.getItem(foldKey(fold));
  } catch {
    return null; // private mode: nothing is remembered
  }
}

function settle() {
  for (const fold of document.querySelectorAll(FOLDS)) {
    const left = remembered(fold);
    if (left !== null) fold.open = left === "open";
    else if (wide.matches) fold.open = fold.matches(".fold");
  }
  reveal();
}

// Opens what holds the element that the address names.
function reveal() {
  const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (!target) return;
  let shut = false;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) {
    shut ||= !fold.open;
    fold.open = true;
  }
  if (shut) target.scrollIntoView();
}

document.addEventListener("click", (event) => {
  const fold = event.target.closest?.("summary")?.parentElement;
  if (!fold?.matches(FOLDS)) return;
  try {
    localStorage.setItem(foldKey(fold), fold.open ? "shut" : "open"); // it turns after this event
  } catch { /* private mode: it holds until the page is left */ }
});
addEventListener("hashchange", reveal);
document.addEventListener("click", (event) => {
  if (event.target.closest?.('a[href^="#"]')) setTimeout(reveal); // the address may name it already
});
wide.addEventListener("change", settle);
settle();
