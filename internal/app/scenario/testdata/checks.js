// What the page checks ask of a page from within. The tests put it into a page
// beside axe-core, through the DevTools: no policy of the page applies to it.
window.checks ??= (() => {
const d = document;
const numbers = new WeakMap();
let next = 0;

const words = (e) => (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.innerText || e.querySelector?.("img")?.alt || e.title || (e.localName === "input" && e.value) || "").trim().replace(/\s+/g, " ");
const call = (e) => `<${e.localName}> ${words(e).slice(0, 50) || e.id || e.name || e.className}`;
const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;

// A ring of its own, or of the label that stands for it.
const ringed = (e) => [e, ...[...(e.labels ?? [])].flatMap((l) => [l, ...l.children])].some((x) => {
const s = getComputedStyle(x);
return (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 && !/, 0\)$|transparent/.test(s.outlineColor)) || s.boxShadow !== "none";
});

// Covered: another thing lies on it, or it is not in view at all.
const covered = (e) => {
const parts = [e, ...(e.labels ?? [])].flatMap((x) => [...x.getClientRects()]).filter((r) => r.width && r.height);
return !parts.some((r) => {
const top = e.getRootNode().elementFromPoint(r.x + r.width / 2, r.y + Math.min(r.height / 2, 10));
// What a person opened, that person can close again.
const opened = top?.closest("details[open]");
return top && (opened && !opened.contains(e) || e.contains(top) || top.contains(e) || [...(e.labels ?? [])].some((l) => l.contains(top)));
});
};

// Everything that Tab should reach. Of radio buttons of one name it reaches one.
const controls = () => [...d.querySelectorAll("a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex]")].filter((e) => e.tabIndex >= 0 && !e.disabled && shown(e) && !(e.type === "radio" && [...(e.form ?? d).querySelectorAll(`input[type=radio][name="${e.name}"]`)].some((o) => o !== e && (o.checked || !e.checked && e.compareDocumentPosition(o) & 2))));

const times = () => [...d.querySelectorAll("time")].map((t) => ({ at: t.getAttribute("datetime") ?? "", title: t.title, text: t.textContent.trim() }));

// violations adds to found what axe finds in a part of the page, and counts the
// rules that hold.
const violations = async (context, rules, found) => {
const runOnly = rules.length ? { type: "rule", values: rules } : { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };
const result = await axe.run(context, { runOnly, resultTypes: ["violations"], preload: false });
for (const v of result.violations) found.push(`axe ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + [...n.any, ...n.all, ...n.none].slice(0, 1).map((c) => ` (${c.message})`)).join("; ")}`);
return result.passes.length;
};

return {
// openAll opens what folds.
openAll() {
for (const e of d.querySelectorAll("details")) e.open = true;
},
// axe returns the violations, also within open popovers: of these rules, or of
// all of WCAG 2.2 AA and the best practices.
async axe(...rules) {
const found = [];
scrollTo(0, 0); // else a header that stays in place covers a part
const passed = await violations(d, rules, found);
for (const e of d.querySelectorAll("[popover]")) {
if (!getComputedStyle(e).position.includes("fixed")) continue;
e.showPopover();
await violations({ include: e }, rules, found);
e.hidePopover();
}
if (!passed) found.push("axe found nothing to check");
return found;
},
// axeMain is axe, of what is within <main> alone: the frame around it is the
// same on all pages.
async axeMain() {
const found = [];
if (!await violations("main", [], found)) found.push("axe found nothing to check");
return found;
},
// stop describes where the focus is, null when it is nowhere.
stop() {
let e = d.activeElement;
while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
if (!e || e === d.body || e === d.documentElement) return null;
if (!numbers.has(e)) numbers.set(e, ++next);
return {
n: numbers.get(e), name: words(e), call: call(e), ringed: ringed(e), covered: covered(e),
parts: /^(date|time|month|week|datetime-local)$/.test(e.type),
skips: e.localName === "a" && /^#./.test(e.getAttribute("href") ?? "") && !!d.getElementById(e.getAttribute("href").slice(1)),
main: !!e.closest("main"),
};
},
controls: () => controls().map((e) => (numbers.has(e) ? "" : call(e))).filter(Boolean),
// wide tells what makes the page scroll sideways.
wide() {
const width = d.documentElement.clientWidth;
if (d.documentElement.scrollWidth <= width) return [];
const held = (e) => e && e !== d.body && (getComputedStyle(e).overflowX !== "visible" || held(e.parentElement));
return [`scrolls sideways: ${d.documentElement.scrollWidth} of ${width} px: ` + [...d.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > width + 1 && !held(e.parentElement)).slice(0, 3).map(call)];
},
// small tells which targets are below 24 px. Links within text may be.
small: () => [...d.querySelectorAll("button,input:not([type=hidden]),select,textarea,summary,[role=button],nav a")].filter(shown).filter((e) => {
const boxes = [e, ...(e.labels ?? [])].map((x) => x.getBoundingClientRect());
return !boxes.some((q) => q.width >= 24 && q.height >= 24);
}).map((e) => `target below 24 px: ${call(e)} ${Math.round(e.getBoundingClientRect().width)}×${Math.round(e.getBoundingClientRect().height)}`),
times,
// localised is times, once a script had its time to localise them.
async localised() {
for (let n = 0; n < 100 && times().some((t) => /UTC/.test(t.text)); n++) await new Promise((r) => setTimeout(r, 50));
return times();
},
// outline is what a page offers: headings, and controls by name.
outline: () => [...d.querySelectorAll("h1,h2,h3,h4,a[href],button,input:not([type=hidden]),select,textarea,summary")].filter(shown).map((e) => (e.querySelector("time") ? `<${e.localName}>` : call(e))),
scripts: () => [...d.scripts].filter((s) => s.src).length,
};
})();
