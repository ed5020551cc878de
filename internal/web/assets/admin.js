(() => {
	"use strict";

	// Times: the reader's own zone. The title keeps UTC.
	const tongue = navigator.languages.find((l) => l.startsWith("en")) || "en-GB";
	const form = new Intl.DateTimeFormat(tongue, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
	for (const t of document.querySelectorAll("time")) {
		const at = new Date(t.dateTime);
		if (isNaN(at)) continue;
		t.title = t.textContent;
		t.textContent = form.format(at);
	}

	// Keys: they only go to links and put the focus on buttons and fields, so
	// that nothing is ever done by a single key. They are silent while somebody
	// types, and while Ctrl, Alt or Meta is held.
	const help = document.getElementById("keys");
	if (!help) return; // they are turned off
	const items = () => [...document.querySelectorAll("[data-item]")].filter((e) => e.checkVisibility());
	const present = () => document.activeElement.closest("[data-item]");

	function step(by) {
		const list = items();
		if (!list.length) return;
		const at = list.indexOf(present());
		const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1);
		const link = list[next].querySelector("a, summary, button") || list[next];
		link.focus();
		list[next].scrollIntoView({ block: "nearest" });
	}

	// reach goes to what a key stands for: in the item that has the focus, else
	// in the page, where the first is meant.
	function reach(key) {
		const to = (present() || document).querySelector(`[data-key="${key}"]`) || document.querySelector(`[data-key="${key}"]`);
		if (!to) return false;
		if (to.matches("a")) {
			to.click();
			return true;
		}
		for (let fold = to.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
		(to.matches("details") ? to.querySelector("input:not([type=hidden]), textarea, select") : to).focus();
		return true;
	}

	addEventListener("keydown", (e) => {
		if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing || e.repeat && !"jk".includes(e.key)) return;
		if (e.target.closest("input, textarea, select, [contenteditable]")) return;
		if (e.key === "?") help.togglePopover();
		else if (e.key === "j") step(1);
		else if (e.key === "k") step(-1);
		else if (!/^[a-z]$/.test(e.key) || !reach(e.key)) return;
		e.preventDefault();
	});
})();
