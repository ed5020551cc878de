package app

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// Login is how people enter the admin.
type Login struct {
	RequireSecondFactor bool     `yaml:"require_second_factor" help:"who signed in with a password only can do nothing in the admin but set a second factor up"`
	EncryptionKeys      []string `yaml:"encryption_keys" secret:"whole" unit:"32 characters or more" help:"encrypt the secrets of authenticator apps in the database: the first encrypts, each decrypts; without any they are kept as they are"`
	Passwords           bool     `yaml:"passwords" help:"people sign in with passwords; off leaves it to 'login.oidc', but for 'login.break_glass'"`
	BreakGlass          []string `yaml:"break_glass" unit:"addresses" help:"accounts that always sign in with their password, and whose role the provider cannot take"`
	OIDC                OIDC     `yaml:"oidc"`
}

// OIDC is an OpenID provider to sign in with; without an issuer there is none.
type OIDC struct {
	Issuer       string   `yaml:"issuer" unit:"URL" help:"the OpenID provider, see [signing in](sign-in.md); without it nobody signs in elsewhere"`
	ClientID     string   `yaml:"client_id" help:"as the provider calls this page"`
	ClientSecret string   `yaml:"client_secret" secret:"whole" help:"that the provider gave with it"`
	Name         string   `yaml:"name" help:"on the button: Sign in with …"`
	Scopes       []string `yaml:"scopes" help:"to ask for beside 'openid', 'email' and 'profile', such as 'groups'"`
	Domains      []string `yaml:"domains" help:"mail addresses of these may enter; any if left out"`
	Claim        string   `yaml:"claim" help:"the claim that gives the role, such as 'groups' or 'realm_access.roles'"`
	Admins       []string `yaml:"admins" help:"values of the claim that make an admin"`
	Responders   []string `yaml:"responders" help:"values that make a responder"`
	Viewers      []string `yaml:"viewers" help:"values that make a viewer"`
	Default      string   `yaml:"default" unit:"'viewer', 'responder' or 'admin'" help:"the role of who has none of these values; they may not enter if left out"`
}

// check refuses what would let nobody in, or everybody.
func (l Login) check() error {
	for _, key := range l.EncryptionKeys {
		if len(key) < 32 {
			return errors.New("login.encryption_keys: a key has 32 characters or more, such as `openssl rand -base64 32` makes")
		}
	}
	o := l.OIDC
	if o.Issuer == "" {
		if !l.Passwords {
			return errors.New("login.passwords: without login.oidc.issuer nobody could sign in any more")
		}
		return nil
	}
	u, err := url.Parse(o.Issuer)
	local := err == nil && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return fmt.Errorf("login.oidc.issuer: %q is not an address such as https://login.example.com", o.Issuer)
	}
	if o.ClientID == "" {
		return errors.New("login.oidc.client_id: say how the provider calls this page")
	}
	roles := []string{"", string(status.Viewer), string(status.Responder), string(status.Admin)}
	if !slices.Contains(roles, o.Default) {
		return fmt.Errorf("login.oidc.default: %q is not viewer, responder or admin", o.Default)
	}
	values := len(o.Admins) + len(o.Responders) + len(o.Viewers)
	switch {
	case values > 0 && o.Claim == "":
		return errors.New("login.oidc.claim: say which claim has the values of admins, responders and viewers, such as groups")
	case values == 0 && o.Default == "":
		return errors.New("login.oidc: nobody could enter; set claim with admins, responders or viewers, or default")
	case values == 0 && len(o.Domains) == 0:
		return errors.New("login.oidc.domains: everybody whom the provider knows could enter; name the domains of your mail addresses")
	}
	return nil
}

func (o OIDC) web() web.OIDC {
	return web.OIDC{
		Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, Name: o.Name, Scopes: o.Scopes, Domains: o.Domains,
		Claim: o.Claim, Default: status.Role(o.Default),
		Roles: map[status.Role][]string{status.Admin: o.Admins, status.Responder: o.Responders, status.Viewer: o.Viewers},
	}
}
