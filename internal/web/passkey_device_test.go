package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
)

// device is an authenticator with one passkey, and the browser before it, as
// W3C Web Authentication describes them. Tests make them lie.
type device struct {
	t      testing.TB
	key    *ecdsa.PrivateKey
	id     []byte
	owner  []byte // user handle
	count  uint32 // grows with each use; 0 stays
	party  string // RP ID that it believes to be asked by
	origin string // that the browser is at
	locked bool   // the user does not unlock it: no user verification
}

func newDevice(t testing.TB) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &device{t: t, key: key, id: []byte(rand.Text()), count: 1, party: host, origin: origin}
}

// options are what the page asks a browser for.
type options struct {
	Challenge string `json:"challenge"`
	RPID      string `json:"rpId"`
	RP        struct {
		ID string `json:"id"`
	} `json:"rp"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	UserVerification string `json:"userVerification"`
	Selection        struct {
		ResidentKey      string `json:"residentKey"`
		UserVerification string `json:"userVerification"`
	} `json:"authenticatorSelection"`
	Exclude []struct {
		ID string `json:"id"`
	} `json:"excludeCredentials"`
	Allow []any `json:"allowCredentials"`
}

func optionsIn(t testing.TB, body string) (o options) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &o); err != nil || len(o.Challenge) < 40 {
		t.Fatalf("no options: %v in %s", err, body)
	}
	return o
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (d *device) encode(v any) []byte {
	d.t.Helper()
	b, err := webauthncbor.Marshal(v)
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

func (d *device) client(kind, challenge string) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": false})
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

// data is the authenticator data of section 6.1.
func (d *device) data(more ...byte) []byte {
	const present, verified, backupEligible, backedUp, attested = 1, 4, 8, 16, 64
	flags := byte(present | backupEligible | backedUp)
	if !d.locked {
		flags |= verified
	}
	if len(more) > 0 {
		flags |= attested
	}
	party := sha256.Sum256([]byte(d.party))
	data := binary.BigEndian.AppendUint32(append(party[:], flags), d.count)
	return append(data, more...)
}

func (d *device) send(response map[string]any) string {
	d.t.Helper()
	b, err := json.Marshal(map[string]any{"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "response": response})
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

// create answers to being asked for a new passkey.
func (d *device) create(o options) string {
	d.t.Helper()
	owner, err := base64.RawURLEncoding.DecodeString(o.User.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	d.owner = owner
	pub := func(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	x, y := new(big.Int).SetBytes(point[1:33]), new(big.Int).SetBytes(point[33:])
	// RFC 9053, 7.1.1: key type EC2, algorithm ES256, curve P-256
	cose := d.encode(map[int]any{1: 2, 3: -7, -1: 1, -2: pub(x), -3: pub(y)})
	attested := append(make([]byte, 16), 0, byte(len(d.id))) // AAGUID of nobody
	attested = append(append(attested, d.id...), cose...)
	return d.send(map[string]any{
		"clientDataJSON":    b64(d.client("webauthn.create", o.Challenge)),
		"attestationObject": b64(d.encode(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": d.data(attested...)})),
		"transports":        []string{"internal", "hybrid"},
	})
}

// sign answers to being asked for the passkey.
func (d *device) sign(o options) string {
	d.t.Helper()
	if d.count > 0 {
		d.count++
	}
	client, data := d.client("webauthn.get", o.Challenge), d.data()
	half := sha256.Sum256(client)
	whole := sha256.Sum256(append(data, half[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, whole[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.send(map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(d.owner),
	})
}
