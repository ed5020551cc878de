(() => {
	"use strict";

	// Passkeys: the one thing here that a browser does only for a script. Without
	// it, or without passkeys in the browser, the forms stay hidden, and the
	// password is the way in.
	if (!window.PublicKeyCredential || !navigator.credentials) return;

	// WebAuthn's bytes, as base64url; younger browsers could do this themselves.
	const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
	const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
	const known = (list) => (list || []).map((c) => ({ ...c, id: bytes(c.id) }));

	async function signIn(options) {
		options.challenge = bytes(options.challenge);
		options.allowCredentials = known(options.allowCredentials);
		const { id, type, response: r } = await navigator.credentials.get({ publicKey: options });
		return { id, rawId: id, type, response: {
			clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData),
			signature: text(r.signature), userHandle: r.userHandle ? text(r.userHandle) : undefined,
		} };
	}

	async function create(options) {
		options.challenge = bytes(options.challenge);
		options.user.id = bytes(options.user.id);
		options.excludeCredentials = known(options.excludeCredentials);
		const { id, type, response: r } = await navigator.credentials.create({ publicKey: options });
		return { id, rawId: id, type, response: {
			clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject),
			transports: r.getTransports ? r.getTransports() : [],
		} };
	}

	const says = {
		NotAllowedError: "No passkey was shown. You can try again, or use your password.",
		InvalidStateError: "There is a passkey of yours on this device already.",
		SecurityError: "The browser has no passkeys for this address.",
	};

	function listen(form, ceremony) {
		const problem = form.querySelector("[data-problem]");
		const button = form.querySelector("button");
		form.addEventListener("submit", async (e) => {
			e.preventDefault();
			problem.hidden = true;
			button.disabled = true;
			form.setAttribute("aria-busy", "true");
			try {
				const answer = await fetch(form.dataset.ask, {
					method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" }, redirect: "error",
				});
				const told = await answer.json();
				if (!answer.ok) throw new Error(told.detail || told.title);
				form.elements.credential.value = JSON.stringify(await ceremony(told));
				for (const secret of form.querySelectorAll("[data-once]")) secret.disabled = true; // was asked already
				form.submit(); // not heard here again
			} catch (err) {
				problem.textContent = says[err.name] || (err.name === "Error" ? err.message : "That did not work. Load the page again and repeat it.");
				problem.hidden = false;
				button.disabled = false;
				form.removeAttribute("aria-busy");
				button.focus();
			}
		});
	}

	for (const [name, ceremony] of [["passkey-sign-in", signIn], ["passkey-new", create]]) {
		const form = document.getElementById(name);
		if (!form) continue;
		listen(form, ceremony);
		form.hidden = false;
		for (const e of document.querySelectorAll("[data-no-passkeys]")) e.hidden = true;
	}
})();
