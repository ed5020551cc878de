package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// OIDC is a provider of OpenID Connect that people may sign in with.
type OIDC struct {
	Issuer       string // "" is none
	ClientID     string
	ClientSecret string
	Name         string   // on the button
	Scopes       []string // beside openid, email and profile
	Domains      []string // of mail addresses that may enter; none is any
	Claim        string   // whose values give the role; dots lead into objects
	Roles        map[status.Role][]string
	Default      status.Role // of who has none of these values; "" may not enter
}

// providerPatience bounds each question to the provider.
const providerPatience = 8 * time.Second

// provider asks an OpenID provider. It is discovered when somebody first signs
// in: the daemon starts without it.
type provider struct {
	cfg      OIDC
	callback string
	now      func() time.Time
	client   *http.Client

	mu    sync.Mutex
	found *oidc.Provider
}

func newProvider(cfg OIDC, callback string, now func() time.Time) *provider {
	return &provider{cfg: cfg, callback: callback, now: now, client: &http.Client{Timeout: providerPatience}}
}

func (p *provider) discover(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		found, err := oidc.NewProvider(ctx, p.cfg.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("oidc: discover %s: %w", p.cfg.Issuer, err)
		}
		p.found = found
	}
	return p.found, &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: p.found.Endpoint(), RedirectURL: p.callback,
		Scopes: append([]string{oidc.ScopeOpenID, "email", "profile"}, p.cfg.Scopes...),
	}, nil
}

// trip is what the browser carries to the provider and back: the state that
// ties the answer to it, the nonce that ties the token to it, and the secret of
// PKCE (RFC 7636) that ties the code to it.
type trip struct{ State, Nonce, Verifier, Next string }

// leave begins a sign-in and says where to send the browser.
func (p *provider) leave(ctx context.Context, next string) (trip, string, error) {
	_, flow, err := p.discover(oidc.ClientContext(ctx, p.client))
	if err != nil {
		return trip{}, "", err
	}
	t := trip{State: randomToken(), Nonce: randomToken(), Verifier: oauth2.GenerateVerifier(), Next: next}
	return t, flow.AuthCodeURL(t.State, oidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier)), nil
}

// person is who the provider says it is.
type person struct {
	issuer, subject string
	email, name     string
	role            status.Role
}

// Why the provider's word is not enough; written for the person who signs in.
var (
	errNoEmail   = errors.New("the provider names no verified email address of yours")
	errNoDomain  = errors.New("your address is of no domain that may enter")
	errNoRole    = errors.New("none of your groups may enter; ask an admin of this page")
	errForgedTok = errors.New("the provider's answer belongs to another sign-in")
)

// arrive turns the code that the browser brought back into a person.
func (p *provider) arrive(ctx context.Context, t trip, code string) (person, error) {
	ctx = oidc.ClientContext(ctx, p.client)
	found, flow, err := p.discover(ctx)
	if err != nil {
		return person{}, err
	}
	tokens, err := flow.Exchange(ctx, code, oauth2.VerifierOption(t.Verifier))
	if err != nil {
		return person{}, fmt.Errorf("oidc: exchange the code: %w", err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return person{}, fmt.Errorf("oidc: %w", err)
	}
	if t.Nonce == "" || id.Nonce != t.Nonce {
		return person{}, errForgedTok
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
			return person{}, fmt.Errorf("oidc: %w", err)
		}
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return person{}, fmt.Errorf("oidc: read the claims: %w", err)
	}
	if err := p.complete(ctx, found, tokens, id.Subject, claims); err != nil {
		return person{}, err
	}
	return p.judge(id, claims)
}

// complete adds what only the userinfo endpoint tells.
func (p *provider) complete(ctx context.Context, found *oidc.Provider, tokens *oauth2.Token, subject string, claims map[string]any) error {
	_, hasEmail := claims["email"]
	if hasEmail && (p.cfg.Claim == "" || lookUp(claims, p.cfg.Claim) != nil) || found.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return fmt.Errorf("oidc: userinfo: %w", err)
	}
	if info.Subject != subject { // OpenID Connect Core, 5.3.2
		return errForgedTok
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return fmt.Errorf("oidc: read userinfo: %w", err)
	}
	for name, value := range more {
		if _, signed := claims[name]; !signed {
			claims[name] = value
		}
	}
	return nil
}

func (p *provider) judge(id *oidc.IDToken, claims map[string]any) (person, error) {
	who := person{issuer: id.Issuer, subject: id.Subject}
	email, _ := claims["email"].(string)
	if verified := claims["email_verified"]; verified != true && verified != "true" || !looksLikeEmail(email) {
		return who, errNoEmail
	}
	who.email = strings.ToLower(email)
	name, _ := claims["name"].(string)
	who.name = clip(strings.TrimSpace(name), 100)
	_, domain, _ := strings.Cut(who.email, "@")
	if len(p.cfg.Domains) > 0 && !slices.ContainsFunc(p.cfg.Domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
		return who, errNoDomain
	}
	if who.role = p.roleOf(lookUp(claims, p.cfg.Claim)); who.role == "" {
		return who, errNoRole
	}
	return who, nil
}

// roleOf is the highest role that one of the claim's values gives.
func (p *provider) roleOf(claim any) status.Role {
	var values []string
	switch claim := claim.(type) {
	case string:
		values = []string{claim}
	case []any:
		for _, v := range claim {
			if s, ok := v.(string); ok {
				values = append(values, s)
			}
		}
	}
	for _, role := range []status.Role{status.Admin, status.Responder, status.Viewer} {
		if slices.ContainsFunc(p.cfg.Roles[role], func(v string) bool { return slices.Contains(values, v) }) {
			return role
		}
	}
	return p.cfg.Default
}

// lookUp finds a claim by its name, or by the way to it: realm_access.roles.
func lookUp(claims map[string]any, path string) any {
	if v, ok := claims[path]; ok || path == "" {
		return v
	}
	first, rest, nested := strings.Cut(path, ".")
	inner, ok := claims[first].(map[string]any)
	if !nested || !ok {
		return nil
	}
	return lookUp(inner, rest)
}

func (p *provider) name() string { return cmp.Or(p.cfg.Name, "single sign-on") }
