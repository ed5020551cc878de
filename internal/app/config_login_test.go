package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestNobodyIsLockedOutOrLetInByAHalfConfiguredProvider(t *testing.T) {
	for text, says := range map[string]string{
		"{encryption_keys: [short]}":                                    "login.encryption_keys",
		"{encryption_keys: [0123456789abcdef0123456789abcdef]}":         "",
		"{passwords: false}":                                            "nobody could sign in",
		"{oidc: {issuer: login.example.com}}":                           "login.oidc.issuer",
		"{oidc: {issuer: 'http://login.example.com'}}":                  "login.oidc.issuer",
		"{oidc: {issuer: 'https://x.example'}}":                         "login.oidc.client_id",
		provider("client_id: a"):                                        "nobody could enter",
		provider("client_id: a, default: viewer"):                       "everybody whom the provider knows",
		provider("client_id: a, default: root"):                         "login.oidc.default",
		provider("client_id: a, admins: [sre]"):                         "login.oidc.claim",
		provider("client_id: a, claim: g, admins: [sre]"):               "",
		provider("client_id: a, default: viewer, domains: [b.example]"): "",
	} {
		_, err := LoadConfig(write(t, "c.yaml", "login: "+text), nil, nil)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func provider(rest string) string { return "{oidc: {issuer: 'https://x.example', " + rest + "}}" }

// Each block of the page on signing in is a configuration that works, the last
// one on top of the provider.
func TestTheSettingsOfThePageOnSigningInWork(t *testing.T) {
	page, err := os.ReadFile("../../docs/sign-in.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 4 {
		t.Fatalf("%d blocks", len(blocks))
	}
	secret := filepath.Join(t.TempDir(), "oidc")
	if err := os.WriteFile(secret, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sealing := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(sealing, []byte(strings.Repeat("k", 44)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sealed := strings.Replace(blocks[1][1], "/run/secrets/login-key", sealing, 1)
	sso := strings.Replace(blocks[2][1], "/run/secrets/oidc", secret, 1)
	for _, text := range []string{blocks[0][1], sealed, sso, sso + strings.TrimPrefix(blocks[3][1], "login:\n")} {
		cfg, err := LoadConfig(write(t, "c.yaml", text), nil, nil)
		if err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
		if key := cfg.Login.EncryptionKeys; len(key) > 0 && len(key[0]) != 44 {
			t.Errorf("the key is %q", key)
		}
		if cfg.Login.OIDC.Issuer != "" && cfg.Login.OIDC.ClientSecret != "hunter2" {
			t.Errorf("the secret is %q", cfg.Login.OIDC.ClientSecret)
		}
	}
}
