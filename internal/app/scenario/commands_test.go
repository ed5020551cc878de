package scenario

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheCommandsTellAndFailAsScriptsExpect(t *testing.T) {
	t.Parallel()
	d := install(t, setup{extra: "smtp:\n  url: smtp://jo:hunter2@127.0.0.1:25\n  from: status@example.com\nwebhook:\n  secret: [hunter3]\n"})
	good, bad := filepath.Join(d.dir, "good.yaml"), filepath.Join(d.dir, "bad.yaml")
	d.write(good, rulesConfirm)
	d.write(bad, strings.Replace(strings.Replace(rulesConfirm, "partial_outage", "partial", 1), "publish: confirm", "publish: perhaps", 1))
	payload := filepath.Join(d.dir, "payload.json")
	d.write(payload, string(message(true, checkoutDown, time.Now())))
	for _, c := range []struct {
		command string
		code    int
		says    []string // on standard output when it is done, else on standard error
		silent  []string // said nowhere
	}{
		{"version", 0, []string{"statusbridge v0.0.0-scenario"}, nil},
		{"help", 0, []string{"rules check", "admin create", "migrate"}, nil},
		{"config print", 0, []string{"127.0.0.1:25", "Example Cloud", "data_dir:"}, []string{"hunter2", "hunter3"}},
		{"rules check " + good, 0, []string{"2 rules", "no findings"}, nil},
		{"rules check " + bad, 1, []string{"bad.yaml:14:", "partial", "bad.yaml:15:", "perhaps"}, nil},
		{"rules check /no/such/rules.yaml", 1, []string{"/no/such/rules.yaml"}, []string{"goroutine"}},
		{"rules explain " + payload, 0, []string{"checkout-down", "new-relic", "CheckoutDown"}, nil},
		{"rules explain --source other " + payload, 0, []string{"checkout-down"}, nil},
		{"migrate up", 0, []string{"up to date"}, nil},
		{"migrate status", 0, []string{"1", "initial"}, []string{"pending"}},
		{"admin create Jo@Example.com --role responder", 0, []string{"created jo@example.com", "password"}, nil},
		{"admin create jo@example.com", 1, []string{"jo@example.com"}, []string{"goroutine"}},
		{"admin reset-totp Jo@example.com", 0, []string{"jo@example.com signs in with the password only"}, nil},
		{"admin reset-passkeys Jo@example.com", 0, []string{"jo@example.com has no passkeys"}, nil},
		{"admin disable jo@example.com", 0, []string{"jo@example.com is disabled"}, nil},
		{"admin list", 0, []string{"jo@example.com", "responder"}, nil},
		{"admin reset-password nobody@example.com", 1, []string{"no account nobody@example.com"}, nil},
		{"no-such-command", 2, []string{"no-such-command"}, nil},
		{"serve --no-such-flag", 2, []string{"no-such-flag"}, nil},
		{"--config /no/such/file.yaml config print", 1, []string{"/no/such/file.yaml"}, nil},
	} {
		t.Run(c.command[:min(len(c.command), 24)], func(t *testing.T) {
			out, errs, code := d.command("", append([]string{"--config", d.config}, strings.Fields(c.command)...)...)
			if strings.HasPrefix(c.command, "--config") || c.command == "help" {
				out, errs, code = d.command("", strings.Fields(c.command)...)
			}
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			where := out
			if c.code != 0 {
				where = errs
			}
			for _, text := range c.says {
				if !strings.Contains(where, text) {
					t.Errorf("it does not say %q", text)
				}
			}
			for _, text := range c.silent {
				if strings.Contains(out+errs, text) {
					t.Errorf("it says %q", text)
				}
			}
			if t.Failed() {
				t.Logf("standard output: %s\nstandard error: %s", out, errs)
			}
		})
	}
}

func TestCommandsThatOnlyLookMakeNoDatabaseInAWrongFolder(t *testing.T) {
	t.Parallel()
	elsewhere, home := t.TempDir(), t.TempDir()
	feed := filepath.Join(elsewhere, "feed.atom")
	d := &daemon{t: t, dir: home}
	d.write(feed, `<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title>Checkout was down</title>
		<updated>2026-01-05T09:00:00Z</updated><content>Resolved: it works again.</content></entry></feed>`)
	none := []string{"there is no database at " + filepath.Join(home, "statusbridge.db"), "in the folder where statusbridge runs"}
	for _, c := range []struct {
		command string
		code    int
		says    []string
	}{
		{"explain 1", 1, none},
		{"export site", 1, none},
		{"export --format json data", 1, none},
		{"doctor", 1, none},
		{"rules backtest", 1, none},
		{"backup copy.db", 1, none},
		{"migrate status", 1, none},
		{"admin list", 1, none},
		{"admin disable jo@example.com", 1, none},
		{"admin reset-totp jo@example.com", 1, none},
		{"token list", 1, none},
		{"token revoke deploys", 1, none},
		{"bounce", 1, none},
		{"import atom " + feed, 0, []string{"created", "Checkout was down", "nothing was changed"}},
	} {
		out, errs, code := d.command("Subject: unsubscribe THE-TOKEN-OF-JO\n\n", strings.Fields(c.command)...)
		if code != c.code {
			t.Errorf("%s: exit code %d", c.command, code)
		}
		for _, text := range c.says {
			if !strings.Contains(out+errs, text) {
				t.Errorf("%s does not say %q, but: %s%s", c.command, text, out, errs)
			}
		}
		if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
			t.Fatalf("%s leaves %v behind (%v)", c.command, left, err)
		}
	}
	for _, writes := range []string{"migrate up", "admin create jo@example.com", "token create deploys", "import atom --apply " + feed} {
		d := &daemon{t: t, dir: t.TempDir()}
		if _, errs, code := d.command("", strings.Fields(writes)...); code != 0 {
			t.Errorf("%s in an empty folder: exit code %d, %s", writes, code, errs)
		}
	}
}

func TestAMisspeltSettingIsAnErrorWithItsPlace(t *testing.T) {
	t.Parallel()
	d := install(t, setup{extra: "smpt:\n  url: smtp://127.0.0.1:25\n"})
	_, errs, code := d.command("", "--config", d.config, "config", "print")
	if code != 1 || !strings.Contains(errs, "statusbridge.yaml:8:") || !strings.Contains(errs, "smpt") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

func TestRulesCheckSpeaksJSONToMachines(t *testing.T) {
	t.Parallel()
	d := install(t, setup{rules: strings.Replace(rulesConfirm, "partial_outage", "partial", 1)})
	out, _, code := d.command("", "--config", d.config, "rules", "check", "-o", "json")
	var answer struct {
		File     string
		Findings []struct {
			Line    int
			Message string
		}
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if code != 1 || len(answer.Findings) != 1 || answer.Findings[0].Line != 14 || answer.File != d.rules {
		t.Errorf("exit code %d, %+v", code, answer)
	}
}

func TestAResetPasswordWorksAndTheOldOneAndItsSessionsEnd(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, dsn string) {
		d := launch(t, setup{database: dsn})
		before := admin(d)
		out, errs, code := d.command("a new and long password\n", "--config", d.config, "admin", "reset-password", "--password-stdin", "admin@localhost")
		if code != 0 {
			t.Fatalf("reset-password: %d %s%s", code, out, errs)
		}
		if strings.Contains(out+errs, "a new and long password") {
			t.Error("a password that was given is printed")
		}
		if page := before.get("/admin"); !page.has("input", "type", "password") {
			t.Error("the session of before still works")
		}
		after := signIn(d, "admin@localhost", "a new and long password")
		if log := after.get("/admin/audit").body; !strings.Contains(string(log), "command line") || !strings.Contains(string(log), "reset a password") {
			t.Error("the audit log does not say that the command line reset a password")
		}
		f := visitor(d).get("/admin/login").form("password")
		f.set("email", "admin@localhost")
		f.set("password", d.password)
		if refused := f.press(""); refused.status != 401 {
			t.Errorf("the old password is answered %d, want 401", refused.status)
		}
	})
}
