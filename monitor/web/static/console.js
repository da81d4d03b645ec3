// Keeps console pages fresh without disturbing whoever reads or types. Pages work without it.
// A part with data-live="name" is read again when something changed: told by /console/events, else asked now and then.
"use strict";

const AGES_MS = 30000; // followed pages are asked again so that "4 min ago" stays true
const ASK_MS = 5000; // pages that cannot follow the news
const GATHER_MS = 150;
const BUSY_MS = 2000; // how soon a part is tried again that somebody was typing in
const live = { source: null, mark: document.querySelector('meta[name="live"]')?.content ?? "", refused: false };
let askedAt = Date.now();
let asking = false;
let again = false; // something changed while the answer was under way
let waiting = 0; // the timer that gathers changes

function isTyping(part) {
  const active = document.activeElement;
  if (part.contains(active) && active.matches("input, textarea, select")) return true;
  const chosen = document.getSelection();
  return Boolean(chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode));
}

// Makes `old` equal to `fresh`, exchanging as little as possible so that focus, scroll and open details stay.
function bring(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  const twins = old.children.length > 0 && old.children.length === fresh.children.length && sameShell(old, fresh);
  if (twins) {
    const pairs = [...old.children].map((child, index) => [child, fresh.children[index]]);
    for (const [child, other] of pairs) bring(child, other);
    return;
  }
  const focused = old.contains(document.activeElement) ? address(document.activeElement) : "";
  old.replaceWith(fresh);
  if (focused) [...fresh.querySelectorAll("a, button, summary")].find((one) => address(one) === focused)?.focus();
}

function sameShell(old, fresh) {
  const shell = (node) => {
    const copy = node.cloneNode(false);
    copy.removeAttribute("open");
    return copy.outerHTML + [...node.childNodes].map((one) => (one.nodeType === 3 ? one.data.trim() : "\u0001")).join("");
  };
  return old.tagName === fresh.tagName && shell(old) === shell(fresh);
}

function address(element) {
  return element.getAttribute("href") ?? `${element.form?.action ?? ""} ${element.textContent.trim()}`;
}

function keepOpen(old, fresh) {
  const words = (one) => one.dataset.fold ?? one.querySelector("summary")?.textContent;
  const shut = [...fresh.querySelectorAll("details")];
  for (const one of old.querySelectorAll("details")) {
    const twin = shut.find((other) => words(other) === words(one));
    if (twin) twin.open = one.open;
  }
}

// Opens the folded parts that hold an element; keys.js and palette.js lead there.
function unfold(element) {
  for (let fold = element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}

function isFolded(element) {
  return element.closest("details:not([open])") !== null;
}

function concerns(part, topics) {
  const wanted = part.dataset.topics;
  return topics === undefined || wanted === undefined || wanted.split(" ").some((topic) => topics.includes(topic));
}

function openIncidents() {
  return [...document.querySelectorAll("[data-incident]")].map((one) => one.dataset.incident);
}

// Returns how many parts were left alone because somebody types in them.
function freshen(page) {
  let left = 0;
  const known = new Set(openIncidents());
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    if (!fresh) continue;
    if (isTyping(part)) left += 1;
    else {
      keepOpen(part, fresh);
      bring(part, fresh);
    }
  }
  const [asOf, now] = [document.getElementById("as-of"), page.getElementById("as-of")];
  if (asOf && now && left === 0 && document.querySelector("main [data-live]")) bring(asOf, now);
  const news = [...document.querySelectorAll("[data-incident]")].filter((one) => !known.has(one.dataset.incident));
  if (news.length > 0) document.getElementById("announcer").textContent = `New: ${news.map((one) => one.querySelector("p").textContent.trim()).join("; ")}`;
  return left;
}

function say(words, link) {
  const place = document.getElementById("live-state");
  if (!place || place.textContent === words) return;
  place.textContent = words;
  place.hidden = words === "";
  if (link) {
    const way = document.createElement("a");
    way.href = link;
    way.textContent = "Sign in";
    place.append(" ", way);
  }
}

async function ask() {
  waiting = 0;
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  askedAt = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { "x-refresh": "1" }, redirect: "manual" });
    if (answer.type === "opaqueredirect") return over();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    offerCopies(page);
    if (freshen(page) > 0) setTimeout(() => want(undefined), BUSY_MS);
    say("");
  } catch {
    const shown = document.querySelector(".foot time")?.textContent;
    say(`The monitor cannot be reached. What you see is from ${shown ?? "before"}.`);
  } finally {
    asking = false;
    if (again) want(undefined);
    again = false;
  }
}

function over() {
  unfollow();
  live.refused = true;
  askedAt = Infinity;
  say("You are signed out. What you see is no longer kept fresh.", `/console/sign-in?next=${encodeURIComponent(location.pathname)}`);
}

function want(topics) {
  const concerned = [...document.querySelectorAll("[data-live]")].some((part) => concerns(part, topics));
  if (!concerned || document.hidden || askedAt === Infinity) return;
  if (waiting) return;
  waiting = setTimeout(ask, GATHER_MS);
}

function follow() {
  if (!live.mark || live.source || live.refused || document.hidden || !window.EventSource) return;
  const source = new EventSource(`/console/events?after=${encodeURIComponent(live.mark)}`);
  live.source = source;
  source.addEventListener("changed", (event) => {
    live.mark = event.lastEventId;
    want(JSON.parse(event.data).topics);
  });
  source.addEventListener("over", over);
  source.addEventListener("error", () => {
    if (source.readyState !== 2) return; // it connects again by itself
    live.source = null;
    live.refused = true; // too many windows: this one asks instead
    setTimeout(() => { live.refused = askedAt === Infinity; follow(); }, 10 * AGES_MS);
  });
}

function unfollow() {
  live.source?.close();
  live.source = null;
}

function offerCopies(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  await navigator.clipboard.writeText(field.value);
  button.textContent = "Copied";
  button.focus(); // else the keys would write into the words
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return unfollow(); // one stream a window in view: browsers open few connections
  follow();
  want(undefined);
});
addEventListener("pagehide", unfollow);
addEventListener("pageshow", (event) => { if (event.persisted) follow(); });

offerCopies(document);
follow();
setInterval(() => {
  const following = live.source?.readyState === 1;
  if (Date.now() - askedAt >= (following ? AGES_MS : ASK_MS)) want(undefined);
}, 1000);
