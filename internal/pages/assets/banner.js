// The banner: <script async src="https://STATUS/banner.js"></script> in any page.
// It shows active issues, then maintenance that runs or is near, and is silent
// about everything that fails. $STATE is replaced with what is known right now.
(() => {
"use strict";
const w = window, d = document, name = "statusbridge", tag = name + "-banner", key = name + ":seen";
if (w[name]?.destroy) return;
const me = d.currentScript, set = me?.dataset ?? {};
let state = $STATE;
let seen = {}, shown, host, box, timer, due, over;
const ahead = (set.ahead || 72) * 36e5, pace = Math.max(15, set.interval || 60) * 1e3;
let wait = pace;
const wanted = (set.components || "").split(/[\s,]+/).filter(Boolean);

const look = `:host{all:initial!important;display:block!important;position:fixed!important;inset:auto 0 0!important;z-index:2147483000!important;pointer-events:none!important}
:host([place=top]){inset:0 0 auto!important}
:host([place=inline]){position:static!important}
div{display:grid;gap:8px;padding:12px;max-width:720px;margin:auto;color-scheme:light dark}
div:empty{display:none}
:host([theme=light]) div{color-scheme:light}
:host([theme=dark]) div{color-scheme:dark}
p{display:flex;align-items:center;gap:12px;margin:0;padding:8px 8px 8px 16px;pointer-events:auto;background:#fff;color:#16202b;background:light-dark(#fff,#171d25);color:light-dark(#16202b,#e9eef3);border:1px solid #8888;border-radius:10px;box-shadow:0 6px 24px #0003;font:15px/1.4 system-ui,sans-serif;overflow-wrap:anywhere}
p::before{content:"i";flex:none;width:24px;border-radius:9px;text-align:center;font:700 15px/24px system-ui;color:#fff;background:#6b7480}
.slow::before{content:"–";background:#a66a00}
.part::before{content:"!";background:#d4500c}
.down::before{content:"×";background:#cc2b24}
.work::before{content:"◷";background:#2563d9}
span{flex:1}
small{display:block;font-size:13px}
a{color:inherit;font-weight:600;text-underline-offset:3px;line-height:24px}
button{border:0;background:none;color:inherit;font-size:22px;line-height:1;padding:8px 12px;border-radius:6px;cursor:pointer}
button:hover{background:#8883}
:focus-visible{outline:3px solid}
@media(prefers-reduced-motion:no-preference){p{animation:i .2s}@keyframes i{from{opacity:0}}}
@media print{:host{display:none!important}}`;

const tell = (what, detail) => d.dispatchEvent(new CustomEvent(name + ":" + what, { detail }));
const make = (type, text) => {
const e = d.createElement(type);
if (text) e.textContent = text;
return e;
};
const anchor = (text, url) => {
const a = make("a", text);
a.target = "_blank";
a.rel = "noopener";
if (/^https?:\/\//i.test(url)) a.href = url;
return a;
};
const time = (t, form) => new Intl.DateTimeFormat(set.lang || [], form).format(t);
const when = (i) => {
const from = Date.parse(i.from), until = Date.parse(i.until), clock = { hour: "2-digit", minute: "2-digit" }, day = { weekday: "short", day: "numeric", month: "short", ...clock };
if (!from) return i.state;
const end = until ? " – " + time(until, until - from < 864e5 ? clock : day) : "";
return i.state + " · " + time(from, day) + end;
};

// Issues first. What ended by the clock goes, also while nobody answers.
const items = (x) => [].concat(x ?? []).filter((i) => i?.id && i.title && seen[i.id] !== i.rev && !(Date.parse(i.until) < Date.now()) && !(Date.parse(i.from) > Date.now() + ahead) && (!wanted.length || !i.components?.length || wanted.some((c) => i.components.includes(c))));

const row = (i) => {
const p = make("p"), text = make("span"), shut = make("button", "×"), title = ("" + i.title).slice(0, 200);
p.className = i.class;
text.append(anchor(title, i.url), make("small", when(i)));
shut.ariaLabel = "Dismiss: " + title;
shut.onclick = () => {
seen[i.id] = i.rev;
try {
localStorage.setItem(key, JSON.stringify(seen));
} catch {}
tell("dismiss", i);
draw();
};
p.append(text, shut);
return p;
};

const draw = () => {
try {
const all = [...items(state?.issues), ...items(state?.maintenances)], sum = JSON.stringify(all);
if (sum === shown) return;
shown = sum;
const rows = all.slice(0, 3).map(row);
if (all[3]) {
const more = make("p");
more.append(anchor(all.length - 3 + " more on the status page", state.url));
rows.push(more);
}
box.replaceChildren(...rows);
tell("render", all);
} catch {}
};

// The clock ticks always; the status page is asked only while somebody looks.
const plan = () => { due = Date.now() + wait * (.8 + Math.random() * .4); };
const tick = async () => {
draw();
if (d.hidden || Date.now() < due) return;
due = Infinity;
try {
const answer = await fetch(new URL(set.src || "/banner.json", me?.src || state.url), { credentials: "omit", cache: "no-cache", signal: AbortSignal.timeout(1e4) });
const next = await answer.json();
if (!answer.ok || next.v !== 1) throw answer;
state = next;
wait = pace;
} catch {
wait = Math.min(wait * 2, 18e5);
tell("error");
}
plan();
if (!over) draw();
};

const start = () => {
if (over) return;
try {
seen = Object(JSON.parse(localStorage.getItem(key)));
} catch {}
try {
if (!customElements.get(tag)) customElements.define(tag, class extends HTMLElement {});
const found = d.querySelector(tag), sheet = new CSSStyleSheet();
host = found || make(tag);
host.setAttribute("place", set.position || (found ? "inline" : "bottom"));
host.setAttribute("theme", set.theme);
const root = host.attachShadow({ mode: "open" });
sheet.replaceSync(look);
root.adoptedStyleSheets = [sheet];
box = make("div");
box.role = "status";
root.append(box);
if (!found) d.body.append(host);
} catch {
return;
}
// The status region is there before its text is, so that it is read out.
plan();
setTimeout(draw, 99);
timer = setInterval(tick, 5e3);
d.addEventListener("visibilitychange", tick);
};
w[name] = {
destroy() {
over = 1;
clearInterval(timer);
d.removeEventListener("visibilitychange", tick);
host?.remove();
delete w[name];
},
};
if (d.body) start();
else d.addEventListener("DOMContentLoaded", start);
})();
