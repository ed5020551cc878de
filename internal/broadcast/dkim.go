package broadcast

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"

	"github.com/emersion/go-msgauth/dkim"
	gomail "github.com/wneessen/go-mail"
)

// DKIM says how mails are signed (RFC 6376, RFC 8463). Each selector belongs to
// the key at the same place; with an RSA and an Ed25519 key every receiver finds
// one that it can check.
type DKIM struct {
	Domain   string
	Selector []string
	Key      []string // PEM: PKCS #1 or PKCS #8
}

// signer makes one signature.
type signer struct{ options *dkim.SignOptions }

// signed are the headers that a signature covers. Those of the list must be
// among them, or mail programs do not believe the one click (RFC 8058, 4).
var signed = []string{
	"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type",
	"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted",
}

// shortestRSA is what receivers still accept (RFC 8301).
const shortestRSA = 1024 / 8

func (c DKIM) signers() ([]signer, error) {
	if c.Domain == "" && len(c.Selector) == 0 && len(c.Key) == 0 {
		return nil, nil
	}
	if c.Domain == "" {
		return nil, errors.New("smtp.dkim.domain is missing: write the domain of smtp.from")
	}
	if len(c.Key) == 0 || len(c.Selector) != len(c.Key) {
		return nil, fmt.Errorf("smtp.dkim has %d selectors and %d keys: each selector needs its key, in the same order", len(c.Selector), len(c.Key))
	}
	var out []signer
	for n, text := range c.Key {
		key, err := gomail.PrivKeyFromPEM([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("smtp.dkim.key number %d is no RSA or Ed25519 key in PEM; make one with openssl genpkey -algorithm ed25519", n+1)
		}
		if size, ok := key.(interface{ Size() int }); ok && size.Size() < shortestRSA {
			return nil, fmt.Errorf("smtp.dkim.key number %d is an RSA key of fewer than 1024 bits, which receivers refuse", n+1)
		}
		out = append(out, signer{&dkim.SignOptions{
			Domain: c.Domain, Selector: c.Selector[n], Signer: key, Hash: crypto.SHA256, HeaderKeys: signed,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		}})
	}
	return out, nil
}

// sign puts the signatures in front of a mail.
func sign(text []byte, signers []signer) ([]byte, error) {
	var head bytes.Buffer
	for _, s := range signers {
		one, err := dkim.NewSigner(s.options)
		if err != nil {
			return nil, fmt.Errorf("sign the mail: %w", err)
		}
		if _, err := one.Write(text); err != nil {
			return nil, fmt.Errorf("sign the mail: %w", err)
		}
		if err := one.Close(); err != nil {
			return nil, fmt.Errorf("sign the mail: %w", err)
		}
		head.WriteString(one.Signature())
	}
	if head.Len() == 0 {
		return text, nil
	}
	return append(head.Bytes(), text...), nil
}
