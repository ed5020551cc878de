package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
)

// One-time codes as every authenticator app makes them: RFC 6238 with SHA-1,
// six digits and steps of thirty seconds. A clock may be one step off, as
// section 5.2 proposes.
const (
	codeStep  = 30 * time.Second
	codeDrift = 1
)

var codeSecrets = base32.StdEncoding.WithPadding(base32.NoPadding)

// newCodeSecret is 160 bits, which RFC 4226 recommends in section 4.
func newCodeSecret() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails, see its documentation
	return codeSecrets.EncodeToString(b[:])
}

// codeOf is the HOTP value of RFC 4226, section 5.3.
func codeOf(key []byte, step int64) string {
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fff_ffff%1_000_000)
}

// stepOf finds the step that a code belongs to, around now. Whether that step
// was used before is for the store to say.
func stepOf(secret, code string, now time.Time) (step int64, ok bool) {
	key, err := codeSecrets.DecodeString(secret)
	if err != nil {
		return 0, false
	}
	code = strings.Join(strings.Fields(code), "") // apps show 123 456
	present := now.Unix() / int64(codeStep/time.Second)
	for s := present - codeDrift; s <= present+codeDrift; s++ {
		if subtle.ConstantTimeCompare([]byte(code), []byte(codeOf(key, s))) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}

// enrolment is what a QR code tells an authenticator app; the format is
// Google's, github.com/google/google-authenticator/wiki/Key-Uri-Format.
func enrolment(issuer, email, secret string) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") } // apps show a plus
	issuer = escape(strings.ReplaceAll(issuer, ":", " "))                                         // a colon would end it
	return "otpauth://totp/" + issuer + ":" + escape(email) + "?secret=" + secret + "&issuer=" + issuer
}

// quietZone is the light border that ISO/IEC 18004 asks for, in modules.
const quietZone = 4

// qrSVG draws a text as QR code, dark on light in every theme: readers expect
// it so.
func qrSVG(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("qr code: %w", err)
	}
	size := code.Bounds().Dx()
	dark := func(x, y int) bool { r, _, _, _ := code.At(x, y).RGBA(); return r == 0 }
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			from := x
			for x < size && dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quietZone, y+quietZone, x-from, x-from)
			}
		}
	}
	whole := size + 2*quietZone
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`,
		whole, whole, whole, whole, path.String()), nil
}

// recoveryCodes is how many codes there are for the day the phone is lost.
const recoveryCodes = 10

// newRecoveryCodes makes recovery codes and what the store keeps of them. Each
// has 120 bits, so a plain hash keeps them (OWASP ASVS 5.0, 6.5.2).
func newRecoveryCodes() (codes, hashes []string) {
	for range recoveryCodes {
		var b [15]byte
		_, _ = rand.Read(b[:]) // never fails, see its documentation
		word := letters.EncodeToString(b[:])
		codes = append(codes, strings.Join([]string{word[:4], word[4:8], word[8:12], word[12:16], word[16:20], word[20:]}, "-"))
		hashes = append(hashes, hashToken(word))
	}
	return codes, hashes
}

// recoveryHash is what the store keeps of a code, however it was typed.
func recoveryHash(typed string) string {
	return hashToken(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(typed))))
}
