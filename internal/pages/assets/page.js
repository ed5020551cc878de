(() => {
"use strict";
const d = document, html = d.documentElement;
// Times: the visitor's own zone and words. The title keeps UTC.
const clock = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
const day = { day: "numeric", month: "short", ...clock };
const forms = [clock, day, { year: "numeric", ...day }];
// The visitor's kind of the page's language, else the language as it is.
const tongue = navigator.languages.find((l) => l.split("-")[0] === html.lang.split("-")[0]) || html.lang;
// A form takes long to make and is used often.
const write = (n, at) => (forms[n].format ? forms[n] : forms[n] = new Intl.DateTimeFormat(tongue, forms[n])).format(at);
const localise = (scope) => {
const year = new Date().getFullYear();
let before = "";
for (const t of scope.querySelectorAll("time")) {
const at = new Date(t.dateTime);
if (isNaN(at)) continue;
const same = before === at.toDateString() && t.dataset.form === "t";
t.textContent = write(same ? 0 : at.getFullYear() === year ? 1 : 2, at);
before = at.toDateString();
}
};

// Live: ask for the versions of all pages, fetch this one when its own moved.
let version = html.dataset.version, wait = 3e4, timer, asked = Date.now();
const get = async (path) => {
const answer = await fetch(path, { cache: "no-cache", signal: AbortSignal.timeout(1e4) });
if (!answer.ok) throw answer.status;
return answer;
};
const swap = (next) => {
const own = (x) => x.querySelector("link[rel=stylesheet]").getAttribute("href");
if (own(next) !== own(d)) return location.reload();
const main = d.getElementById("main"), fresh = next.getElementById("main");
for (const open of main.querySelectorAll("details[id]")) {
const same = next.getElementById(open.id);
if (same) same.open = open.open;
}
const focus = main.contains(d.activeElement) && d.activeElement;
const said = d.title;
localise(fresh);
main.replaceChildren(...d.adoptNode(fresh).childNodes);
if (focus && focus !== main) (focus.id && d.getElementById(focus.id) || focus.href && main.querySelector(`a[href="${CSS.escape(focus.getAttribute("href"))}"]`) || main).focus({ preventScroll: true });
d.title = next.title;
d.querySelector("link[rel=icon]").href = next.querySelector("link[rel=icon]").getAttribute("href");
if (said !== d.title) d.getElementById("news").textContent = d.title;
};
const look = async () => {
asked = Date.now();
try {
const now = (await (await get("/version.json")).json()).pages[location.pathname];
if (now !== version) {
const next = new DOMParser().parseFromString(await (await get(location.pathname)).text(), "text/html");
const fresh = next.documentElement.dataset.version;
if (fresh && fresh !== version) swap(next);
version = fresh || version;
}
const checked = d.getElementById("checked");
if (checked) checked.textContent = checked.dataset.say.replace("@", write(0, new Date()));
wait = 3e4;
} catch {
wait = Math.min(wait * 2, 6e5);
}
plan();
};
const plan = (after = wait * (.8 + Math.random() * .4)) => {
clearTimeout(timer);
if (!d.hidden) timer = setTimeout(look, after);
};
if (version) {
plan();
d.addEventListener("visibilitychange", () => plan(Math.max(0, asked + wait - Date.now())));
}

// Bars: what a day was, also for fingers.
let tip;
const hide = () => { tip?.remove(); tip = null; };
const show = (e) => {
hide();
const bar = e.target;
if (bar.tagName !== "I" || !bar.closest(".bars")) return;
const told = bar.closest("[title], [data-day]");
if (told.title) { told.dataset.day = told.title; told.removeAttribute("title"); }
tip = d.createElement("div");
tip.className = "tip";
tip.ariaHidden = "true";
tip.textContent = told.dataset.day;
d.body.append(tip);
const at = bar.getBoundingClientRect(), size = tip.getBoundingClientRect();
tip.style.left = Math.max(8, Math.min(at.left + at.width / 2 - size.width / 2, html.clientWidth - size.width - 8)) + scrollX + "px";
tip.style.top = at.bottom + scrollY + 6 + "px";
};
d.addEventListener("pointerover", show);
d.addEventListener("pointerdown", show);
d.addEventListener("scroll", hide, { passive: true });

// Subscribe: Escape and a click elsewhere close it.
const sheet = d.getElementById("subscribe");
const shut = (focus) => {
if (!sheet?.open) return;
sheet.open = false;
if (focus) sheet.firstElementChild.focus();
};
d.addEventListener("keydown", (e) => { if (e.key === "Escape") { hide(); shut(sheet?.contains(d.activeElement)); } });
d.addEventListener("click", (e) => { if (!sheet?.contains(e.target)) shut(); });

// After the first paint, and in pieces: making a form takes longer than all the rest.
requestAnimationFrame(() => [[write, 1, Date.now()], [write, 0, Date.now()], [localise, d]].forEach(([f, ...x]) => setTimeout(f, 0, ...x)));
})();
