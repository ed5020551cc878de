package broadcast

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// signingKeys are an RSA and an Ed25519 key as PEM, and the DNS records that
// belong to them.
func signingKeys(t *testing.T) (DKIM, func(domain string) ([]string, error)) {
	t.Helper()
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, modern, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&small.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]string{
		"one._domainkey.acme.example": "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(spki),
		"two._domainkey.acme.example": "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public),
	}
	return DKIM{Domain: "acme.example", Selector: []string{"one", "two"}, Key: []string{pemOf(t, small), pemOf(t, modern)}},
		func(name string) ([]string, error) {
			if r, known := records[name]; known {
				return []string{r}, nil
			}
			return nil, errors.New("no such record: " + name)
		}
}

func pemOf(t *testing.T, key crypto.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// verify checks all signatures of a mail and returns what each covers.
func verify(t *testing.T, data []byte, lookup func(string) ([]string, error)) [][]string {
	t.Helper()
	found, err := dkim.VerifyWithOptions(bytes.NewReader(data), &dkim.VerifyOptions{LookupTXT: lookup})
	if err != nil {
		t.Fatal(err)
	}
	var covered [][]string
	for _, v := range found {
		if v.Err != nil || v.Domain != "acme.example" {
			t.Errorf("a signature of %s does not hold: %v", v.Domain, v.Err)
		}
		covered = append(covered, v.HeaderKeys)
	}
	return covered
}

func TestMailsAreSignedWithEveryKeyOverTheHeadersThatMatter(t *testing.T) {
	config, lookup := signingKeys(t)
	_, envelope := deliver(t, firstMessage(t), func(c *EmailConfig) { c.DKIM = config })
	covered := verify(t, envelope.Data, lookup)
	if len(covered) != 2 {
		t.Fatalf("%d signatures, want two", len(covered))
	}
	for _, want := range []string{"From", "To", "Subject", "Date", "Message-Id", "References", "Content-Type", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted"} {
		for _, names := range covered {
			if !slices.ContainsFunc(names, func(n string) bool { return textproto.CanonicalMIMEHeaderKey(n) == want }) {
				t.Errorf("%s is not covered by a signature over %v", want, names)
			}
		}
	}
	// A signature that holds for everything would prove nothing.
	forged := bytes.Replace(envelope.Data, []byte("unsubscribe/tok-en_1"), []byte("unsubscribe/evil_one"), 1)
	again, err := dkim.VerifyWithOptions(bytes.NewReader(forged), &dkim.VerifyOptions{LookupTXT: lookup})
	if err != nil || slices.ContainsFunc(again, func(v *dkim.Verification) bool { return v.Err == nil }) {
		t.Errorf("a changed List-Unsubscribe passes (%v)", err)
	}
}

func TestAWrongSignatureConfigurationSaysWhatToMend(t *testing.T) {
	good, _ := signingKeys(t)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (DKIM{Domain: "acme.example", Selector: []string{"s"}, Key: []string{pemOf(t, weak)}}).signers(); err != nil {
		t.Errorf("1024 bits are still taken: %v", err)
	}
	for want, bad := range map[string]DKIM{
		"smtp.dkim.domain":          {Selector: good.Selector, Key: good.Key},
		"1 selectors and 2 keys":    {Domain: "d", Selector: good.Selector[:1], Key: good.Key},
		"2 selectors and 0 keys":    {Domain: "d", Selector: good.Selector},
		"smtp.dkim.key number 2 is": {Domain: "d", Selector: good.Selector, Key: []string{good.Key[0], "nonsense"}},
	} {
		_, err := NewEmail(EmailConfig{URL: "smtp://mail.example.com", From: "status@acme.example", PublicURL: pageURL, DKIM: bad})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: error is %v", want, err)
		}
	}
	if signers, err := (DKIM{}).signers(); err != nil || signers != nil {
		t.Errorf("without keys: %v (%v)", signers, err)
	}
}
