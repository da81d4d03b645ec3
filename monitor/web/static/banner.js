/* Shows what is wrong or planned on a shop's own page. No dependencies, no cookies, no tracking.
   <script src="https://status.example/banner.js" defer></script>
   Optional attributes: data-target="#place" (where to put it; default: the top of the body). */
(function () {
  "use strict";
  var script = document.currentScript;
  if (!script) return;
  var base = new URL(script.src).origin;
  var target = script.getAttribute("data-target");
  var KEY = "saypro-banner-dismissed";
  var TONES = {
    critical: ["#b01226", "#ffffff"], major: ["#a03c00", "#ffffff"],
    minor: ["#fbf0d7", "#4a3200"], planned: ["#e5ecf9", "#1d3a75"]
  };
  var box = null;
  var timer = 0;

  function dismissed() {
    try { return JSON.parse(sessionStorage.getItem(KEY)) || []; } catch (e) { return []; }
  }
  function dismiss(ids) {
    try { sessionStorage.setItem(KEY, JSON.stringify(ids)); } catch (e) { /* private mode: gone until the next page */ }
    if (box) box.remove();
    box = null;
  }
  function element(name, text, styles) {
    var made = document.createElement(name);
    if (text) made.textContent = text;
    for (var key in styles || {}) made.style.setProperty(key, styles[key]);
    return made;
  }
  function line(notice, colour) {
    var row = element("p", "", { margin: "0", padding: "2px 0" });
    row.appendChild(element("strong", notice.title));
    var words = notice.state + ", since " + notice.since_words;
    if (notice.kind === "maintenance") words = notice.state + ", until " + notice.until_words;
    row.appendChild(element("span", " \u00b7 " + words + " \u00b7 "));
    var link = element("a", "Read more", { color: colour, "text-decoration": "underline" });
    link.href = notice.url;
    link.setAttribute("aria-label", "Read more: " + notice.title);
    row.appendChild(link);
    return row;
  }
  function show(data) {
    var hidden = dismissed();
    var notices = (data.notices || []).filter(function (n) { return hidden.indexOf(n.id) < 0; });
    if (box) box.remove();
    box = null;
    if (!notices.length) return;
    var tone = TONES[notices[0].tone] || TONES.minor;
    box = element("section", "", {
      background: tone[0], color: tone[1], font: "16px/1.45 system-ui, sans-serif", display: "flex",
      gap: "16px", "align-items": "flex-start", padding: "10px 16px", "box-sizing": "border-box"
    });
    box.setAttribute("aria-label", "Status of " + data.page.name);
    box.setAttribute("data-saypro-banner", "");
    var text = element("div", "", { flex: "1", "min-width": "0" });
    text.setAttribute("role", "status");
    notices.forEach(function (notice) { text.appendChild(line(notice, tone[1])); });
    var close = element("button", "Dismiss", {
      font: "inherit", color: "inherit", background: "transparent", border: "1px solid currentColor",
      "border-radius": "6px", padding: "4px 12px", "min-height": "36px", cursor: "pointer", flex: "none"
    });
    close.type = "button";
    close.addEventListener("click", function () {
      dismiss(hidden.concat(notices.map(function (n) { return n.id; })).slice(-50));
    });
    box.appendChild(text);
    box.appendChild(close);
    var place = target && document.querySelector(target);
    if (place) place.appendChild(box);
    else document.body.insertBefore(box, document.body.firstChild);
  }
  function load() {
    clearTimeout(timer);
    if (document.visibilityState === "visible") {
      fetch(base + "/api/v1/banner.json", { credentials: "omit", cache: "no-cache" })
        .then(function (answer) { return answer.ok ? answer.json() : null; })
        .then(function (data) { if (data) show(data); })
        .catch(function () { /* the shop's page never suffers from us */ });
    }
    timer = setTimeout(load, 60000);
  }
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "visible") load();
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", load);
  else load();
})();
