package scenario

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runAlertmanager runs a real one with a configuration file, and returns its
// address.
func runAlertmanager(t *testing.T, program, config string) string {
	t.Helper()
	if filepath.Dir(program) != "." {
		program = filepath.Join(repository, program)
	}
	port := freePort(t)
	cmd := exec.Command(tool(t, program), "--config.file="+config, "--storage.path="+t.TempDir(),
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port), "--cluster.listen-address=")
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Alertmanager's output:\n%s", out.tail(20))
		}
	})
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	eventually(t, "Alertmanager is ready", func() error { return isOK(url + "/-/ready") })
	return url
}

const watchdog = `
sources:
  prod:
    type: alertmanager
    heartbeat: { matchers: ['alertname="Watchdog"'], max_age: 5m }
rules:
`

// diagnosis is what doctor -o json prints.
type diagnosis struct {
	Findings int
	Checks   []struct{ Name, State, What, Mend string }
}

func (d *daemon) doctor(part string) (diagnosis, int) {
	d.t.Helper()
	out, errs, code := d.command("", "--config", d.config, "doctor", part, "-o", "json")
	var found diagnosis
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		d.t.Fatalf("doctor: %v in %s%s", err, out, errs)
	}
	return found, code
}

func TestAnAlertmanagerSetUpAsPrintedIsHealthyAndTheDoctorSeesWhatSpoilsIt(t *testing.T) {
	t.Parallel()
	for _, version := range alertmanagers {
		t.Run(version.version, func(t *testing.T) {
			t.Parallel()
			d := launch(t, setup{rules: strings.Replace(rulesConfirm, "\nrules:\n", watchdog, 1)})
			credentials := filepath.Join(d.dir, "secret")
			d.write(credentials, d.secret+"\n")
			printed, errs, code := d.command("", "--config", d.config, "setup", "alertmanager", "--credentials-file", credentials)
			if code != 0 {
				t.Fatalf("setup: %s", errs)
			}
			config := filepath.Join(d.dir, "alertmanager.yml")
			// A whole configuration needs a receiver at its root; and nobody waits ten seconds here.
			d.write(config, strings.NewReplacer("route:\n", "route:\n  receiver: statusbridge\n", "group_wait: 10s", "group_wait: 50ms").Replace(printed))
			if out, err := exec.Command(tool(t, "amtool"), "check-config", config).CombinedOutput(); err != nil {
				t.Fatalf("amtool: %v\n%s", err, out)
			}
			am := &alertmanager{t: t, url: runAlertmanager(t, version.program, config), since: map[string]time.Time{}}
			am.fire(labels{"alertname": "Watchdog"})
			am.fire(labels{"alertname": "CheckoutDown", "region": "eu"})
			(&world{daemon: d, admin: admin(d)}).draft("Checkout is unavailable in eu")
			d.write(d.rules, strings.Replace(rulesConfirm, "\nrules:\n", strings.Replace(watchdog, "    heart", "    peers: ['"+am.url+"']\n    heart", 1), 1))
			eventually(t, "the doctor finds nothing", func() error {
				if found, code := d.doctor("alertmanager"); code != 0 || found.Findings != 0 || len(found.Checks) < 5 {
					return fmt.Errorf("exit code %d, %+v", code, found)
				}
				return nil
			})

			d.write(config, strings.NewReplacer("route:\n", "route:\n  receiver: statusbridge\n",
				"send_resolved: true", "send_resolved: false\n        max_alerts: 5", "group_interval: 1m", "group_interval: 1h").Replace(printed))
			resp, err := client.Post(am.url+"/-/reload", "", http.NoBody)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("reload: %v %v", resp, err)
			}
			_ = resp.Body.Close()
			found, code := d.doctor("alertmanager")
			all := fmt.Sprint(found.Checks)
			if code != 1 || found.Findings != 3 || !strings.Contains(all, "send_resolved is false") || !strings.Contains(all, "max_alerts is 5") || !strings.Contains(all, "group_interval is 1h") {
				t.Errorf("exit code %d, %+v", code, found)
			}
		})
	}
}

func TestTheDoctorOfAFreshInstallationFindsNothingAndWithoutADatabaseSaysSo(t *testing.T) {
	t.Parallel()
	d := install(t, setup{})
	if found, code := d.doctor("database"); code != 1 || found.Findings != 1 || !strings.Contains(found.Checks[0].Mend, "start statusbridge") {
		t.Errorf("before the first start: exit code %d, %+v", code, found)
	}
	d.start()
	out, errs, code := d.command("", "--config", d.config, "doctor")
	if code != 0 || errs != "" || !strings.Contains(out, "sqlite answers") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	file := strings.TrimPrefix(d.database, "sqlite:")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if found, code := d.doctor("database"); code != 1 || found.Findings != 1 || !strings.Contains(found.Checks[1].Mend, "chmod o-rwx "+file) {
		t.Errorf("a file that everybody may read: exit code %d, %+v", code, found)
	}
	if _, errs, code := d.command("", "--config", d.config, "doctor", "spelling"); code == 0 || !strings.Contains(errs, "alertmanager") {
		t.Errorf("an unknown part: exit code %d, %s", code, errs)
	}
}
