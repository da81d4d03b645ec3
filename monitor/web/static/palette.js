// The command palette (Ctrl or Cmd and K): go anywhere, do what this page offers, find anything.
// A combobox in a modal dialog, as https://www.w3.org/WAI/ARIA/apg/patterns/combobox/ says; /console/search does the same without it.
"use strict";

const WAIT_MS = 150;
const MOST = 12;
const palette = { dialog: null, input: null, list: null, said: null, options: [], active: -1, timer: 0, asked: 0 };

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function build() {
  palette.input = element("input", {
    type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list",
    "aria-label": "Go to, do or find", placeholder: "Go to, do or find…", autocomplete: "off", spellcheck: "false", maxlength: "200",
  });
  palette.list = element("ul", { id: "palette-list", role: "listbox", "aria-label": "What fits" });
  palette.said = element("p", { role: "status", class: "visually-hidden" });
  palette.dialog = element("dialog", { class: "palette", "aria-label": "Command palette" }, palette.input, palette.list, palette.said);
  palette.input.addEventListener("input", typed);
  palette.input.addEventListener("keydown", steer);
  palette.dialog.addEventListener("click", (event) => { if (event.target === palette.dialog) palette.dialog.close(); });
  document.body.append(palette.dialog);
}

function open() {
  if (!palette.dialog) build();
  if (palette.dialog.open) return palette.dialog.close();
  if (document.querySelector("dialog[open]")) return;
  palette.input.value = "";
  palette.dialog.showModal();
  palette.input.focus();
  show(local(""));
}

function local(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (name) => wanted.every((word) => name.toLowerCase().includes(word));
  const seen = new Set();
  const doings = [...document.querySelectorAll("main [aria-keyshortcuts]")]
    .filter((one) => isFolded(one) || (one.checkVisibility?.() ?? true))
    .map((one) => ({ kind: "Do", name: (one.labels?.[0] ?? one).firstChild?.textContent.trim() ?? "", run: () => press(one) }));
  const pages = [...document.querySelectorAll("[data-go], #menu a")]
    .filter((one) => !seen.has(one.href) && seen.add(one.href))
    .map((one) => ({ kind: "Go to", name: one.textContent.trim(), run: () => location.assign(one.href) }));
  const all = wanted.length > 0 ? [...doings, ...pages] : [...pages, ...doings]; // Enter alone changes nothing
  return all.filter((one) => one.name && fits(one.name));
}

function press(control) {
  palette.dialog.close();
  unfold(control);
  if (control.matches("input, textarea, select")) control.focus();
  else control.click();
}

function typed() {
  const words = palette.input.value.trim();
  const here = local(words);
  show(here);
  clearTimeout(palette.timer);
  palette.asked += 1;
  if (words.length < 2) return;
  const mine = palette.asked;
  palette.timer = setTimeout(async () => {
    const found = await find(words);
    if (mine === palette.asked && palette.dialog.open) show([...found, ...here.filter((one) => !found.some((other) => other.name === one.name))]);
  }, WAIT_MS);
}

async function find(words) {
  const answer = await fetch(`/api/v1/search?q=${encodeURIComponent(words)}`, { headers: { "x-refresh": "1" } }).catch(() => null);
  const all = { kind: "Search", name: `Everything for “${words}”`, run: () => location.assign(`/console/search?q=${encodeURIComponent(words)}`) };
  if (!answer?.ok) return [all];
  const { jump, results } = await answer.json();
  const hits = results.map((hit) => ({ kind: hit.kind, name: hit.name, title: hit.title, path: hit.path, run: () => location.assign(hit.path) }));
  return [...hits.filter((hit) => hit.path === jump), ...hits.filter((hit) => hit.path !== jump).slice(0, MOST), all];
}

function show(options) {
  palette.options = options;
  const lines = options.map((one, index) => {
    const title = one.title && one.title !== one.name ? element("span", { class: "quiet" }, one.title) : "";
    const line = element("li", { role: "option", id: `palette-${index}`, "aria-selected": "false" },
      element("span", { class: "small quiet kind" }, one.kind), element("span", { class: "name" }, one.name), title);
    line.addEventListener("click", () => one.run());
    return line;
  });
  palette.list.replaceChildren(...lines);
  palette.said.textContent = options.length === 0 ? "Nothing fits." : `${options.length} fit.`;
  mark(options.length > 0 ? 0 : -1);
}

function mark(index) {
  palette.active = index;
  [...palette.list.children].forEach((line, at) => line.setAttribute("aria-selected", String(at === index)));
  if (index < 0) palette.input.removeAttribute("aria-activedescendant");
  else palette.input.setAttribute("aria-activedescendant", `palette-${index}`);
  palette.list.children[index]?.scrollIntoView({ block: "nearest" });
}

function steer(event) {
  const count = palette.options.length;
  if (event.key === "ArrowDown" && count) mark((palette.active + 1) % count);
  else if (event.key === "ArrowUp" && count) mark((palette.active - 1 + count) % count);
  else if (event.key === "Enter" && palette.active >= 0) palette.options[palette.active].run();
  else return;
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open();
  }
});
