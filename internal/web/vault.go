package web

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/statusbridge/statusbridge/internal/status"
)

// vault seals what has to be read again, so that who only reads the database
// cannot use it: AES-256-GCM (NIST SP 800-38D), the key derived by HKDF (RFC
// 5869). The first key seals, each opens; without keys all stays as it is.
type vault []cipher.AEAD

// sealedMark begins what is sealed. No secret of an authenticator does: base32
// has no colon.
const sealedMark = "sealed:1:"

var errNoKey = errors.New("sealed with a key that is not in login.encryption_keys")

func newVault(keys []string) (v vault) {
	for _, key := range keys {
		derived, err := hkdf.Key(sha256.New, []byte(key), nil, "statusbridge: secrets in the database", 32)
		if err != nil {
			panic(err) // 32 bytes are few enough
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			panic(err) // 32 bytes are a key of AES
		}
		sealer, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			panic(err) // AES has GCM
		}
		v = append(v, sealer)
	}
	return v
}

// seal binds a secret to its owner: in another's row it does not open.
func (v vault) seal(secret, owner string) string {
	if len(v) == 0 {
		return secret
	}
	return sealedMark + base64.RawStdEncoding.EncodeToString(v[0].Seal(nil, nil, []byte(secret), []byte(owner)))
}

// open also takes what was stored before there were keys. stale says that it
// should be sealed anew.
func (v vault) open(kept, owner string) (secret string, stale bool, err error) {
	text, sealed := strings.CutPrefix(kept, sealedMark)
	if !sealed {
		return kept, len(v) > 0, nil
	}
	box, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return "", false, errNoKey
	}
	for n, key := range v {
		if secret, err := key.Open(nil, nil, box, []byte(owner)); err == nil {
			return string(secret), n > 0, nil
		}
	}
	return "", false, errNoKey
}

// secretOf is the secret of an authenticator, to compute codes with.
func (s *Server) secretOf(a status.Authenticator) (secret string, stale bool, err error) {
	secret, stale, err = s.vault.open(a.Secret, a.AccountID)
	if err != nil {
		s.log.Error("a second factor cannot be used", "account", a.AccountID, "err", err)
	}
	return secret, stale, err
}
