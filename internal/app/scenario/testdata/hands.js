// What a person at a screen does to a page, for the browser flows: find things
// by what is written on them. Presses and keys themselves are the browser's own.
window.hands ??= (() => {
const d = document;
const words = (e) => (e.getAttribute("aria-label") || e.textContent).trim().replace(/\s+/g, " ");
const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
const near = (e, text) => !text || !!e.closest("article, li, section, form")?.textContent.replace(/\s+/g, " ").includes(text);
const things = () => [...d.querySelectorAll("a[href], button, summary, label")].filter(shown);

// Whether pressing it loads another page.
const loads = (e) => {
if (e.localName === "a") return e.href.split("#")[0] !== location.href.split("#")[0];
return e.localName === "button" && e.type === "submit" && e.formTarget !== "_blank";
};

return {
// spot brings a thing into view and tells where to press it.
spot(text, close) {
const e = things().find((e) => words(e).startsWith(text) && near(e, close));
if (!e) return { problem: `there is no ${text}${close ? ` near ${close}` : ""}, only ${things().map(words).join(" | ")}` };
const far = e.getClientRects()[0].bottom > innerHeight;
if (far) e.scrollIntoView({ block: "center", behavior: "instant" });
const r = e.getClientRects()[0];
const at = { x: r.x + Math.min(r.width / 2, 40), y: r.y + r.height / 2, width: r.width, height: r.height };
const top = d.elementFromPoint(at.x, at.y);
if (!top || !(e.contains(top) || top.contains(e))) return { problem: `${text} is covered by <${top?.localName} class="${top?.className}">` };
if (loads(e) && e.form && !e.formNoValidate && !e.form.reportValidity()) return { problem: `${text}: the browser refuses the form: ${[...e.form.elements].filter((f) => !f.checkValidity()).map((f) => `${f.name} ${f.validationMessage}`)}` };
return { ...at, far, link: e.localName === "a" && !e.classList.contains("button"), loads: loads(e) };
},
// field finds a field by its label, puts the focus there, and marks all that is in it.
field(label, close) {
const l = [...d.querySelectorAll("label")].filter(shown).find((l) => words(l).startsWith(label) && near(l, close));
const f = l?.control;
if (!f) return `there is no field ${label}, only ${[...d.querySelectorAll("label")].filter(shown).map(words).join(" | ")}`;
f.focus();
f.select?.();
return "";
},
// put sets the field that has the focus: a choice by its words, a date.
put(value) {
const f = d.activeElement;
if (f.localName !== "select") { f.value = value; return ""; }
const o = [...f.options].find((o) => words(o).includes(value));
if (!o) return `no choice ${value}, only ${[...f.options].map(words).join(" | ")}`;
f.value = o.value;
return "";
},
text: () => d.body.innerText.replace(/\s+/g, " "),
value: (name) => d.querySelector(`main [name="${name}"]:not([type=hidden])`)?.value ?? "",
};
})();
