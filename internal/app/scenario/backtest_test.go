package scenario

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestABacktestComparesCandidatesWithWhatTheDaemonOpened(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, dsn string) {
		d := launch(t, setup{database: dsn, rules: rulesConfirm})
		d.deliver("alertmanager", message(true, labels{"alertname": "CheckoutDown", "region": "eu"}, time.Now()))
		issue := (&world{daemon: d, admin: admin(d)}).draft("Checkout is unavailable in eu")
		why, errs, code := d.command("", "--config", d.config, "explain", filepath.Base(issue))
		cause, effect := strings.Index(why, "alertmanager reported: began to fire"), strings.Index(why, "automation opened")
		if code != 0 || cause < 0 || effect < cause {
			t.Errorf("explain: exit code %d, %s%s", code, why, errs)
		}

		out, errs, code := d.command("", "--config", d.config, "rules", "backtest", "--all")
		if code != 0 || !strings.Contains(out, "= 1 the same") || !strings.Contains(out, "1 webhooks, 1 alerts") || errs != "" {
			t.Errorf("the rules in force: exit code %d, %s%s", code, out, errs)
		}

		candidate := filepath.Join(d.dir, "candidate.yaml")
		d.write(candidate, strings.Replace(rulesConfirm, "Checkout is unavailable", "No checkout", 1))
		out, _, code = d.command("", "--config", d.config, "rules", "backtest", "-o", "json", "--since", "1h", candidate)
		var report struct {
			Issues []struct {
				Change      string
				Was, Would  struct{ Title string }
				Differences []struct{ What, Was, Would string }
			}
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		if code != 1 || len(report.Issues) != 1 || report.Issues[0].Change != "differs" || report.Issues[0].Would.Title != "No checkout in eu" ||
			len(report.Issues[0].Differences) != 1 {
			t.Errorf("another title: exit code %d, %s", code, out)
		}
	})
}
