package web_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// openID is a provider of OpenID Connect: discovery, authorisation with PKCE,
// tokens with real signatures, userinfo. It refuses what a strict one refuses:
// another client or redirect_uri, no PKCE or the wrong secret of it, a code that
// was used, a client that does not prove who it is.
type openID struct {
	t      *testing.T
	url    string
	clock  *clock
	key    *rsa.PrivateKey
	claims map[string]any // of the person who is signed in there
	info   map[string]any // of userinfo; nil has none
	denies string         // what it answers instead of a code
	down   bool

	// break one thing, for the tests of what is refused
	forge func(claims map[string]any)
	alien *rsa.PrivateKey // signs instead of key

	stolen bool // the next code belongs to another challenge

	mu    sync.Mutex
	codes map[string]url.Values // requests that a code was given for
}

const clientID, clientSecret = "statusbridge", "a secret & of:the client"

func newOpenID(t *testing.T, c *clock) *openID {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &openID{t: t, clock: c, key: key, codes: map[string]url.Values{}, claims: map[string]any{
		"sub": "jo-1", "email": "Jo@Example.com", "email_verified": true, "name": "Jo", "groups": []string{"staff", "oncall"},
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *openID) send(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Error(err)
	}
}

func (p *openID) discovery(w http.ResponseWriter, _ *http.Request) {
	if p.down {
		http.Error(w, "maintenance", http.StatusServiceUnavailable)
		return
	}
	doc := map[string]any{
		"issuer": p.url, "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token", "jwks_uri": p.url + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "code_challenge_methods_supported": []string{"S256"},
	}
	if p.info != nil {
		doc["userinfo_endpoint"] = p.url + "/userinfo"
	}
	p.send(w, http.StatusOK, doc)
}

func (p *openID) keys(w http.ResponseWriter, _ *http.Request) {
	p.send(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
}

// authorize is what a browser does at the provider: it takes the request there
// and comes back with the answer's query.
func (p *openID) authorize(target string) url.Values {
	p.t.Helper()
	u, err := url.Parse(target)
	if err != nil || u.Scheme+"://"+u.Host+u.Path != p.url+"/authorize" {
		p.t.Fatalf("sent to %q", target)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": clientID, "redirect_uri": origin + "/admin/login/oidc/callback", "code_challenge_method": "S256",
	} {
		if q.Get(name) != want {
			p.t.Fatalf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	scopes := strings.Fields(q.Get("scope"))
	for _, scope := range []string{"openid", "email", "groups"} {
		if !slices.Contains(scopes, scope) {
			p.t.Fatalf("scope %q lacks %s", q.Get("scope"), scope)
		}
	}
	if len(q.Get("state")) < 40 || len(q.Get("nonce")) < 40 || len(q.Get("code_challenge")) != 43 {
		p.t.Fatalf("state %q, nonce %q, challenge %q", q.Get("state"), q.Get("nonce"), q.Get("code_challenge"))
	}
	back := url.Values{"state": {q.Get("state")}, "iss": {p.url}}
	if p.denies != "" {
		back.Set("error", p.denies)
		return back
	}
	code := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stolen {
		q.Set("code_challenge", strings.Repeat("A", 43))
	}
	p.codes[code] = q
	back.Set("code", code)
	return back
}

func (p *openID) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(code int, why string) { p.send(w, code, map[string]string{"error": why}) }
	user, word, basic := r.BasicAuth() // both are form-encoded first, RFC 6749, 2.3.1
	user, _ = url.QueryUnescape(user)
	word, _ = url.QueryUnescape(word)
	if !basic {
		user, word = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if user != clientID || word != clientSecret {
		refuse(http.StatusUnauthorized, "invalid_client")
		return
	}
	p.mu.Lock()
	asked, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case r.PostFormValue("grant_type") != "authorization_code":
		refuse(http.StatusBadRequest, "unsupported_grant_type")
	case !known, r.PostFormValue("redirect_uri") != asked.Get("redirect_uri"):
		refuse(http.StatusBadRequest, "invalid_grant")
	case base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge"):
		refuse(http.StatusBadRequest, "invalid_grant: PKCE")
	default:
		access := "access-" + rand.Text()
		p.send(w, http.StatusOK, map[string]any{
			"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": p.sign(asked.Get("nonce"), access),
		})
	}
}

func (p *openID) sign(nonce, access string) string {
	half := sha256.Sum256([]byte(access))
	now := p.clock.Now()
	claims := map[string]any{
		"iss": p.url, "aud": clientID, "iat": now.Unix(), "exp": now.Unix() + 300, "nonce": nonce,
		"at_hash": base64.RawURLEncoding.EncodeToString(half[:16]),
	}
	for name, value := range p.claims {
		claims[name] = value
	}
	if p.forge != nil {
		p.forge(claims)
	}
	key := p.key
	if p.alien != nil {
		key = p.alien
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, nil)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		p.t.Error(err)
	}
	return text
}

func (p *openID) userinfo(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer access-") {
		p.send(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	p.send(w, http.StatusOK, p.info)
}

// swap gives the next code for the challenge of somebody else.
func (p *openID) swap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stolen = true
}
