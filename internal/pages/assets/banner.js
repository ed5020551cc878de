// The banner: <script async src="https://STATUS/banner.js"></script> in any page.
// It shows active issues, then maintenance that runs or is near, and is silent
// about everything that fails. docs/banner.md describes what a page can set.
//
// $STATE is replaced with what is known right now, or with null in the build
// that never changes; $LOOK with banner.css.
(() => {
"use strict";
const w = window, d = document, name = "statusbridge", tag = name + "-banner", key = name + ":seen";
if (w[name]?.destroy?.call) return;
const me = d.currentScript, set = me?.dataset ?? {}, lang = set.lang?.toLowerCase();
const ahead = (set.ahead || 72) * 36e5, pace = Math.max(15, set.interval || 60) * 1e3;
const wanted = (set.components || "").split(/[\s,]+/).filter(Boolean);
let state = $STATE, seen = {}, rows = {}, wait = pace, due = 0, ready, shown, found, host, root, box, timer, over;

const tell = (what, detail) => d.dispatchEvent(new CustomEvent(name + ":" + what, { detail }));
const make = (type, text) => {
	const e = d.createElement(type);
	if (text) e.textContent = text;
	return e;
};
// _blank alone keeps the opener away in every browser since 2021.
const anchor = (text, url) => {
	const a = make("a", text);
	a.target = "_blank";
	a.dir = "auto";
	if (/^https?:\/\//i.test(url)) a.href = url;
	return a;
};
const time = (t, form) => new Intl.DateTimeFormat(state.lang || [], form).format(t);
const when = (i) => {
	const from = Date.parse(i.from), until = Date.parse(i.until), clock = { hour: "2-digit", minute: "2-digit" }, day = { weekday: "short", day: "numeric", month: "short", ...clock };
	if (!from) return i.state;
	return i.state + " · " + time(from, day) + (until ? " – " + time(until, until - from < 864e5 ? clock : day) : "");
};
const load = () => {
	try {
		seen = Object(JSON.parse(localStorage.getItem(key)));
	} catch {}
};

// Issues first. What ended by the clock goes, also while nobody answers.
const items = (x) => [].concat(x ?? []).filter((i) => i?.id && i.title && seen[i.id] !== i.rev && !(Date.parse(i.until) < Date.now()) && !(Date.parse(i.from) > Date.now() + ahead) && (!wanted.length || !i.components?.length || wanted.some((c) => i.components.includes(c))));

const row = (i) => {
	const p = make("p"), text = make("span"), shut = make("button", "×"), title = ("" + i.title).slice(0, 200);
	p.className = i.class;
	text.append(anchor(title, i.url), make("small", when(i)));
	shut.setAttribute("aria-label", state.dismiss + ": " + title);
	shut.onclick = () => {
		const next = p.nextSibling ?? p.previousSibling, focused = root.activeElement === shut;
		load();
		seen[i.id] = i.rev;
		try {
			localStorage.setItem(key, JSON.stringify(seen));
		} catch {}
		tell("dismiss", i);
		draw();
		// Who works by keyboard is not thrown back to the top.
		if (focused) next?.querySelector("button")?.focus();
	};
	p.append(text, shut);
	return p;
};

// Not of arrays: old libraries change how those are written.
const print = (i) => state.lang + JSON.stringify(i);

// Rows that stay as they are stay in place, with the focus that may be in them.
const draw = () => {
	try {
		const all = [...items(state?.issues), ...items(state?.maintenances)], sum = all.map(print).join();
		if (!ready || over || sum === shown) return;
		shown = sum;
		const next = {};
		for (const i of all.slice(0, 3)) {
			const same = print(i);
			next[same] = rows[same] ?? row(i);
		}
		if (all[3]) {
			const more = next.more = make("p");
			more.append(anchor(state.more.replace("{n}", all.length - 3), state.url));
		}
		for (const old of Object.keys(rows)) if (rows[old] !== next[old]) rows[old].remove();
		rows = next;
		Object.values(rows).forEach((r, n) => box.children[n] === r || box.insertBefore(r, box.children[n]));
		tell("render", all);
	} catch {}
};

// The clock ticks always; the status page is asked only while somebody looks,
// and no more once the policy of the page has forbidden it.
const plan = () => { due = Date.now() + wait * (.8 + Math.random() * .4); };
const forbidden = (e) => { if (e.blockedURI === file()) wait = Infinity; };
const file = () => new URL(set.src || (lang && lang !== state?.lang ? "/banner." + lang + ".json" : state?.self || "/banner.json"), me?.src || state.url).href;
const tick = async () => {
	draw();
	if (d.hidden || Date.now() < due) return;
	due = Infinity;
	try {
		const answer = await fetch(file(), { credentials: "omit", cache: "no-cache", signal: AbortSignal.timeout(1e4) });
		const next = await answer.json();
		if (!answer.ok || next.v !== 1) throw answer;
		state = next;
		wait = pace;
	} catch (e) {
		if (wait < 18e5) wait *= 2;
		if (!over) tell("error", e);
	}
	plan();
	ready = 1;
	draw();
};

const start = () => {
	if (over) return;
	load();
	try {
		if (!customElements.get(tag)) customElements.define(tag, class extends HTMLElement {});
		found = d.querySelector(tag);
		host = found || make(tag);
		host.setAttribute("place", set.position || (found ? "inline" : "bottom"));
		host.setAttribute("theme", set.theme);
		root = host.shadowRoot || host.attachShadow({ mode: "open" });
		try {
			const sheet = new CSSStyleSheet();
			sheet.replaceSync($LOOK);
			root.adoptedStyleSheets = [sheet];
		} catch {
			const style = make("style", $LOOK);
			style.nonce = set.nonce;
			root.append(style);
		}
		box = make("div");
		box.setAttribute("role", "status");
		root.append(box);
		if (!found) d.body.append(host);
	} catch {
		return;
	}
	// The status region is there before its text is, so that it is read out.
	if (state && (!lang || lang === state.lang)) {
		ready = 1;
		plan();
	}
	setTimeout(tick, 99);
	timer = setInterval(tick, 5e3);
	d.addEventListener("visibilitychange", tick);
	d.addEventListener("securitypolicyviolation", forbidden);
};
w[name] = {
	destroy() {
		over = 1;
		clearInterval(timer);
		d.removeEventListener("visibilitychange", tick);
		d.removeEventListener("securitypolicyviolation", forbidden);
		if (found) root.replaceChildren();
		else host?.remove();
		delete w[name];
	},
};
if (d.body) start();
else d.addEventListener("DOMContentLoaded", start);
})();
