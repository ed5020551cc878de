package scenario

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/go-jose/go-jose/v4"
)

// click presses the first element that a selector finds, once it can be seen.
func (b *browser) click(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)); err != nil {
		b.t.Fatalf("Chromium: click %s: %v, in %.2000s", selector, err, b.ask("document.body.innerText"))
	}
}

// write types into a field.
func (b *browser) write(selector, text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.SendKeys(chromedp.CSS(selector), text)); err != nil {
		b.t.Fatalf("Chromium: write into %s: %v", selector, err)
	}
}

// arrives waits until the tab is at an address that ends so.
func (b *browser) arrives(ending string) {
	b.t.Helper()
	eventually(b.t, "the browser is at "+ending, func() error {
		if at := b.ask("location.href"); !strings.HasSuffix(at, ending) {
			return fmt.Errorf("it is at %s, which says: %.600s", at, b.ask("document.body ? document.body.innerText : ''"))
		}
		if state := b.ask("document.readyState"); state == "loading" { // the address changes before the page is there
			return errors.New("the page is loading")
		}
		return nil
	})
}

func TestAPasskeyIsAddedInTheProfileAndSignsIn(t *testing.T) {
	t.Parallel()
	d := install(t, setup{})
	d.url = strings.Replace(d.url, "127.0.0.1", "localhost", 1) // browsers have passkeys for names
	d.env = append(d.env, "STATUSBRIDGE_PUBLIC_URL="+d.url)
	d.start()
	b := openBrowser(t)
	b.signIn(admin(d))
	tell(b, webauthn.Enable, webauthn.EnableParams{})
	tell(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})

	b.open(d.url + "/admin/profile/passkeys")
	b.write("#current", "not the password")
	b.click("#passkey-new button")
	eventually(t, "the wrong password is refused", func() error {
		if says := b.ask(`document.querySelector("#passkey-new [data-problem]").innerText`); !strings.Contains(says, "not your present password") {
			return fmt.Errorf("it says %q", says)
		}
		return nil
	})
	b.ask(`document.getElementById("current").value = ""`)
	b.complained() // the refused request itself
	b.write("#current", d.password)
	b.click("#passkey-new button")
	b.arrives("/admin/profile/passkeys?done=passkey-added")
	if says := b.ask("document.body.innerText"); !strings.Contains(says, "never used") {
		t.Errorf("the passkey is not listed: %s", says)
	}

	b.use(phone)
	b.visit(d.url+"/admin/profile/passkeys", "")
	answer[any](b, "checks.openAll()")
	for _, fault := range slices.Concat(b.axe(), answer[[]string](b, "checks.wide()"), answer[[]string](b, "checks.small()")) {
		t.Errorf("the page of passkeys: %s", fault)
	}

	tell(b, network.ClearBrowserCookies, cdp.Empty{})
	b.open(d.url + "/admin/audit")
	b.click("#passkey-sign-in button")
	b.arrives("/admin/audit")
	if says := b.ask("document.body.innerText"); !strings.Contains(says, "added a passkey") {
		t.Errorf("the audit log says: %s", says)
	}
	b.content()

	// without script, or without passkeys, there is the password alone
	b.before("delete window.PublicKeyCredential")
	tell(b, network.ClearBrowserCookies, cdp.Empty{})
	b.open(d.url + "/admin/login")
	if shown := answer[bool](b, `document.querySelector("#passkey-sign-in").checkVisibility()`); shown {
		t.Error("a browser without passkeys is offered them")
	}
	b.content()
}

// provider is an OpenID provider with one person at its desk, who says yes.
func provider(t *testing.T, secret string) *httptest.Server {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var at *httptest.Server
	send := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		send(w, map[string]any{
			"issuer": at.URL, "authorization_endpoint": at.URL + "/authorize", "token_endpoint": at.URL + "/token", "jwks_uri": at.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		send(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		code := q.Get("code_challenge") + "." + q.Get("nonce") // all that is to be remembered
		back := q.Get("redirect_uri") + "?" + url.Values{"state": {q.Get("state")}, "code": {code}}.Encode()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Example Login</title><link rel="icon" href="data:,"><h1>Example Login</h1><p><a id="yes" href="%s">Go on as Jo</a>`, strings.ReplaceAll(back, "&", "&amp;"))
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_, word, _ := r.BasicAuth()
		challenge, nonce, _ := strings.Cut(r.PostFormValue("code"), ".")
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if word != secret || base64.RawURLEncoding.EncodeToString(sum[:]) != challenge {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		now := time.Now().Unix()
		claims, err := json.Marshal(map[string]any{
			"iss": at.URL, "aud": "statusbridge", "sub": "jo-1", "iat": now, "exp": now + 300, "nonce": nonce,
			"email": "jo@example.com", "email_verified": true, "name": "Jo", "groups": []string{"oncall"},
		})
		if err != nil {
			t.Error(err)
		}
		signed, err := signer.Sign(claims)
		if err != nil {
			t.Error(err)
		}
		token, err := signed.CompactSerialize()
		if err != nil {
			t.Error(err)
		}
		send(w, map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": token})
	})
	at = httptest.NewServer(mux)
	t.Cleanup(at.Close)
	return at
}

func TestSigningInByTheProviderFromTheButtonToTheDeepLink(t *testing.T) {
	t.Parallel()
	p := provider(t, "hunter2")
	d := launch(t, setup{extra: "login:\n  oidc:\n    issuer: " + p.URL + "\n    client_id: statusbridge\n    client_secret: hunter2\n    name: Example Login\n" +
		"    domains: [example.com]\n    claim: groups\n    responders: [oncall]\n"})
	b := openBrowser(t)
	b.open(d.url + "/admin/issues?state=open")
	b.click("main a.button.primary")
	eventually(t, "the provider asks", func() error {
		if title := b.ask("document.title"); title != "Example Login" {
			return fmt.Errorf("the page is %q", title)
		}
		return nil
	})
	b.click("#yes")
	b.arrives("/admin/issues?state=open")
	if says := b.ask("document.body.textContent"); !strings.Contains(says, "Jo") || !strings.Contains(says, "responder") {
		t.Errorf("nobody is signed in: %s", says)
	}
	b.open(d.url + "/admin")
	if title := b.ask("document.title"); !strings.Contains(title, "admin") {
		t.Errorf("the admin's home is %q", title)
	}
	b.content()
}
