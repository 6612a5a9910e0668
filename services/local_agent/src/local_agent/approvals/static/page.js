// The page works without this. With it: keys, news as it comes, a countdown, and the original read by itself.
"use strict";

const door = document.body.dataset.door || "";

// Kept per port, unlike a cookie: the way from the plain address to this device's own page.
if (door) localStorage.setItem("door", door);
else if (location.pathname === "/" && localStorage.getItem("door")) location.replace(localStorage.getItem("door") + "/waiting");

const code = document.getElementById("code");
function takeCode() {
  if (!code || location.hash.length < 2) return;
  code.value = location.hash.slice(1, 21).replace(/[^A-Za-z0-9-]/g, "");
  history.replaceState(null, "", location.pathname);
}
takeCode();
addEventListener("hashchange", takeCode);

const said = document.getElementById("said");
function say(words) {
  said.textContent = words;
  setTimeout(() => { if (said.textContent === words) said.textContent = ""; }, 6000);
}

// A document that is parsed, not run: no string of it ever becomes markup here.
function fetched(url, then) {
  const asked = new XMLHttpRequest();
  asked.open("GET", url);
  asked.responseType = "document";
  asked.onload = () => { if (asked.status === 200 && asked.response) then(asked.response); };
  asked.send();
}

function readOriginals(root) {
  for (const fold of root.querySelectorAll("details[data-original]")) {
    const load = () => {
      if (!fold.open || fold.dataset.loaded) return;
      fold.dataset.loaded = "yes";
      fetched(fold.dataset.original, (page) => {
        const found = page.getElementById("original");
        const place = fold.querySelector(".original");
        if (found && place && !found.querySelector(".notice")) place.replaceChildren(document.adoptNode(found));
      });
    };
    fold.addEventListener("toggle", load);
    load();
  }
}

// What the owner is in the middle of is not taken from under their hands.
function busy() {
  if (document.querySelector(".acts details[open], .key[open], input[name=pick]:checked")) return true;
  const at = document.activeElement;
  return Boolean(at && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
}

let behind = false;
function renew() {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  if (busy()) {
    if (!behind) say("Something moved. It is shown once you are done here.");
    behind = true;
    return;
  }
  behind = false;
  const at = document.activeElement && document.activeElement.closest(".card");
  fetched(location.href.split("#")[0].replace("?welcome=1", ""), (page) => {
    const fresh = page.querySelector("[data-live]");
    const old = document.querySelector("[data-live]");
    if (!fresh || !old || busy()) return;
    const before = old.querySelectorAll(".card").length;
    document.title = page.title;
    old.replaceWith(document.adoptNode(fresh));
    const now = document.querySelectorAll(".card").length;
    if (now > before) say(now - before === 1 ? "A new draft waits for you." : now - before + " new drafts wait for you.");
    readOriginals(document);
    const again = at && document.getElementById(at.id);
    if (again) again.focus({ preventScroll: true });
  });
}

let pending = 0;
if (door && window.EventSource && document.querySelector("[data-live]")) {
  const events = new EventSource(door + "/events");
  events.addEventListener("moved", () => { clearTimeout(pending); pending = setTimeout(renew, 150); });
  document.addEventListener("focusout", () => { if (behind) setTimeout(() => { if (behind && !busy()) renew(); }, 300); });
  addEventListener("pagehide", () => events.close());
}

function countDown() {
  let left = false;
  for (const place of document.querySelectorAll("[data-until]")) {
    const seconds = Math.ceil((Number(place.dataset.until) - Date.now()) / 1000);
    place.textContent = seconds > 0 ? ", in " + seconds + " s" : "";
    left = left || seconds > 0;
  }
  if (left) setTimeout(countDown, 500);
  else setTimeout(countDown, 2000);
}
if (document.querySelector("[data-live]")) countDown();

function cards() { return [...document.querySelectorAll(".card")]; }
function current() { return (document.activeElement && document.activeElement.closest(".card")) || cards()[0]; }
function move(by) {
  const all = cards();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement && document.activeElement.closest(".card"));
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
  next.focus();
  next.scrollIntoView({ block: "start", behavior: "instant" });
}
function press(card, key) {
  const found = card && card.querySelector('[data-key="' + key + '"]');
  if (!found) return;
  if (found.tagName !== "SUMMARY") {
    const wanted = found.form && [...found.form.elements].find((one) => one.required && !one.value);
    if (wanted) wanted.focus();
    else found.click();
    return;
  }
  found.parentElement.open = true;
  const field = found.parentElement.querySelector("textarea, input:not([type=hidden])");
  if (field) field.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "Escape" && typing) { typing.blur(); (event.target.closest(".card") || document.body).focus(); return; }
  if (typing && typing.type !== "checkbox") return;
  switch (event.key) {
    case "j": move(1); break;
    case "k": move(-1); break;
    case "a": case "e": case "r":
      if (!document.activeElement || !document.activeElement.closest(".card")) { move(0); break; }
      press(current(), event.key); break;
    case "x": { const box = current() && current().querySelector("input[name=pick]"); if (box) box.click(); break; }
    case "u": { const undo = document.querySelector('[data-key="u"]'); if (undo) undo.click(); break; }
    default: return;
  }
  event.preventDefault();
});

readOriginals(document);
