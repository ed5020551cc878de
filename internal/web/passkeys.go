package web

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// ceremonyLife is how long somebody may take to show a passkey: as long as the
// browser waits, and a little for the way.
const ceremonyLife = 6 * time.Minute

// newRelyingParty is this page as WebAuthn knows it (W3C, Web Authentication
// Level 3); nil where browsers have no passkeys for it: at an address without a
// name, or without TLS.
func newRelyingParty(t site, name string) *webauthn.WebAuthn {
	u, err := url.Parse(t.origin)
	if err != nil {
		return nil
	}
	domain := u.Hostname()
	if !t.secure && domain != "localhost" && !strings.HasSuffix(domain, ".localhost") || protocol.ValidateRPID(domain) != nil {
		return nil
	}
	yes := true
	party, err := webauthn.New(&webauthn.Config{
		RPID: domain, RPDisplayName: cmp.Or(name, "Status"), RPOrigins: []string{t.origin},
		AttestationPreference: protocol.PreferNoAttestation, // any authenticator will do, so none need say what it is
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &yes, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil
	}
	return party
}

// offersPasskeys says whether they work here: a browser shows them only to the
// site that they were made for.
func (s *Server) offersPasskeys(c *fiber.Ctx) bool {
	return s.relying != nil && strings.EqualFold(string(c.Request().Header.Host()), s.site.host)
}

// keyholder is an account as WebAuthn knows it.
type keyholder struct {
	account  status.Account
	passkeys []status.Passkey
}

func (k keyholder) WebAuthnID() []byte          { return []byte(k.account.ID) } // random, tells nothing
func (k keyholder) WebAuthnName() string        { return k.account.Email }
func (k keyholder) WebAuthnDisplayName() string { return visit{account: k.account}.name() }

func (k keyholder) WebAuthnCredentials() []webauthn.Credential {
	var list []webauthn.Credential
	for _, p := range k.passkeys {
		list = append(list, credentialOf(p))
	}
	return list
}

// credentialOf is a passkey as the library checks it. What was stored can be
// decoded; if not, it is the passkey of nobody.
func credentialOf(p status.Passkey) webauthn.Credential {
	id, _ := base64.RawURLEncoding.DecodeString(p.ID)
	key, _ := base64.RawURLEncoding.DecodeString(p.PublicKey)
	var transports []protocol.AuthenticatorTransport
	for t := range strings.SplitSeq(p.Transports, ",") {
		if t != "" {
			transports = append(transports, protocol.AuthenticatorTransport(t))
		}
	}
	return webauthn.Credential{
		ID: id, PublicKey: key, Transport: transports,
		Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: p.Synced},
		Authenticator: webauthn.Authenticator{SignCount: uint32(p.SignCount)},
	}
}

// passkeyOf is what is kept of a credential.
func passkeyOf(c *webauthn.Credential) status.Passkey {
	var transports []string
	for _, t := range c.Transport {
		transports = append(transports, string(t))
	}
	return status.Passkey{
		ID: base64.RawURLEncoding.EncodeToString(c.ID), PublicKey: base64.RawURLEncoding.EncodeToString(c.PublicKey),
		Transports: clip(strings.Join(transports, ","), 100), SignCount: int64(c.Authenticator.SignCount), Synced: c.Flags.BackupEligible,
	}
}

// ask hands a ceremony's options to the script, and keeps here what its answer
// is checked against. They are the library's documents, so its own encoding is
// used.
func (s *Server) ask(c *fiber.Ctx, purpose, accountID string, options any, session *webauthn.SessionData) error {
	kept, err := json.Marshal(session)
	if err != nil {
		return err
	}
	if err := s.await(c, status.Challenge{Purpose: purpose, AccountID: accountID, Data: string(kept)}, ceremonyLife); err != nil {
		return err
	}
	body, err := json.Marshal(options)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Status(http.StatusOK).Send(body)
}

// answered ends a ceremony: whatever comes of it, nobody can answer it again.
func (s *Server) answered(c *fiber.Ctx, purpose, accountID string) (webauthn.SessionData, error) {
	var session webauthn.SessionData
	challenge, err := s.store.TakeChallenge(c.UserContext(), hashToken(c.Cookies(s.stepCookie())), purpose, s.clock.Now())
	if err != nil {
		return session, err
	}
	s.setCookie(c, s.stepCookie(), "", 0)
	if challenge.AccountID != accountID {
		return session, status.ErrNotFound
	}
	return session, json.Unmarshal([]byte(challenge.Data), &session)
}
