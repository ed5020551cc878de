package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWithoutAnyConfigurationTheDefaultsOfTheContractHold(t *testing.T) {
	t.Chdir(t.TempDir())
	cfg, err := LoadConfig("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != "127.0.0.1:8080" || cfg.PublicURL != "http://127.0.0.1:8080" || cfg.Database != "sqlite:statusbridge.db" || cfg.Rules != "rules.yaml" {
		t.Errorf("got %+v", cfg)
	}
}

func TestTheEnvironmentOverridesTheFileAndFlagsOverrideBoth(t *testing.T) {
	file := write(t, "c.yaml", "listen: 127.0.0.1:1\npage:\n  name: File\nproxy:\n  trusted: [10.0.0.0/8]\n")
	cfg, err := LoadConfig(file, []string{"STATUSBRIDGE_PAGE_NAME=Env", "STATUSBRIDGE_LISTEN=127.0.0.1:2", "STATUSBRIDGE_PROXY_TRUSTED=10.0.0.1, ::1"},
		func(c *Config) { c.Listen = "127.0.0.1:3" })
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Page.Name != "Env" || cfg.Listen != "127.0.0.1:3" || len(cfg.Proxy.Trusted) != 2 {
		t.Errorf("got %+v", cfg)
	}
}

func TestAnUnknownKeyNamesItsLineAndColumn(t *testing.T) {
	file := write(t, "c.yaml", "listen: 127.0.0.1:1\npage:\n  nmae: Typo\n  colour: red\n")
	_, err := LoadConfig(file, nil, nil)
	if err == nil || !strings.Contains(err.Error(), file+":3:3") || !strings.Contains(err.Error(), file+":4:3") || !strings.Contains(err.Error(), "nmae: Typo") {
		t.Errorf("got %v", err)
	}
}

func TestASettingThatWouldDoNothingIsAnError(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, env := range []string{"STATUSBRIDGE_PAGE_TITEL=x", "STATUSBRIDGE_TWITTER_WITH_URL=maybe", "STATUSBRIDGE_PAGE_WEIGHTS_PARTIAL=little"} {
		if _, err := LoadConfig("", []string{env}, nil); err == nil || !strings.Contains(err.Error(), strings.Split(env, "=")[0]) {
			t.Errorf("%s: got %v", env, err)
		}
	}
}

func TestBadSettingsNameTheKey(t *testing.T) {
	for text, key := range map[string]string{
		"listen: nowhere":                 "listen",
		"public_url: status.example.com":  "public_url",
		"public_url: https://h/status":    "public_url: https://h/status must end with its host",
		"public_url: https://u:pw@h":      "public_url: https://u:xxxxx@h must not hold a name or password",
		"page: {time_zone: Mars/Olympus}": "page.time_zone",
		"proxy: {trusted: [everyone]}":    "proxy.trusted",
		"smtp: {url: 'smtp://h'}":         "smtp.from",
		"database: mysql://h":             "database",
		"retention: 5m":                   "retention",
	} {
		_, err := LoadConfig(write(t, "c.yaml", text), nil, nil)
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: got %v, want an error that names %s", text, err, key)
		}
	}
}

func TestSecretsComeFromFilesAndAreNeverPrinted(t *testing.T) {
	secret := write(t, "secret", "canary-secret\n")
	cfg, err := LoadConfig(write(t, "c.yaml", `
database: postgres://u:canary-db@h/db
webhook: {secret: ["file:`+secret+`", canary-hook]}
smtp: {url: "smtp://u:canary-smtp@h:587", from: a@b.test}
twitter: {consumer_key: canary-key}
login: {encryption_keys: [canary-that-is-as-long-as-a-key-has-to-be]}
`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Webhook.Secret[0] != "canary-secret" {
		t.Errorf("secret %q", cfg.Webhook.Secret[0])
	}
	text, err := cfg.Print()
	if err != nil || strings.Contains(text, "canary") || !strings.Contains(text, "smtp://u:xxxxx@h:587") {
		t.Errorf("printed %s (%v)", text, err)
	}
	if cfg.Webhook.Secret[1] != "canary-hook" || !strings.HasPrefix(cfg.Login.EncryptionKeys[0], "canary") {
		t.Error("printing masked the configuration itself")
	}
}

func TestAMissingFileThatWasNamedIsAnErrorAndAnEmptyOneIsNot(t *testing.T) {
	if _, err := LoadConfig(filepath.Join(t.TempDir(), "no.yaml"), nil, nil); err == nil {
		t.Error("a missing file was accepted")
	}
	if _, err := LoadConfig(write(t, "c.yaml", "# nothing\n"), nil, nil); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func TestEachSettingSaysWhoGaveItAndNoSecretIsShown(t *testing.T) {
	t.Setenv("DKIM", "hunter3")
	file := write(t, "c.yaml", `listen: 127.0.0.1:1
page: {name: File}
smtp: {url: "smtp://jo:hunter1@mx:25", from: a@b.example, dkim: {key: ["env:DKIM"]}}
webhook: {secret: [hunter2, hunter4]}
channels:
  - {name: ops, type: slack, url: "https://hooks.slack.com/hunter5"}
`)
	list, err := Explain(file, []string{"STATUSBRIDGE_PAGE_NAME=Env", "PATH=/bin"}, func(c *Config) { c.Listen = "127.0.0.1:3" })
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]string{}
	for _, s := range list {
		got[s.Key] = [2]string{s.Value, s.Given}
		if strings.Contains(s.Value+s.Given+s.Meaning, "hunter") {
			t.Errorf("%s shows a secret: %+v", s.Key, got[s.Key])
		}
		if s.Meaning == "" || s.Section == "" {
			t.Errorf("%s has section %q and meaning %q", s.Key, s.Section, s.Meaning)
		}
	}
	for key, want := range map[string][2]string{
		"listen":          {"127.0.0.1:3", "--listen"},
		"public_url":      {"http://127.0.0.1:3", ""},
		"page.name":       {"Env", "STATUSBRIDGE_PAGE_NAME"},
		"page.language":   {"en", ""},
		"smtp.url":        {"smtp://jo:xxxxx@mx:25", file},
		"smtp.dkim.key":   {"env:DKIM", file},
		"webhook.secret":  {masked + ", " + masked, file},
		"channels[0].url": {masked, file},
		"twitter.api":     {"v2", ""},
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	if _, err := Explain(write(t, "bad.yaml", "listen: [1"), nil, nil); err == nil {
		t.Error("a broken file is explained")
	}
}
