package scenario

import (
	"strings"
	"testing"
)

// The webhooks of this Alertmanager carry an old secret and are turned away:
// what fires is found only by asking. And since it has not been up for long,
// nothing of it may resolve by itself.
func TestWhatWebhooksLoseIsFoundByAsking(t *testing.T) {
	t.Parallel()
	for _, v := range alertmanagers {
		t.Run(v.version, func(t *testing.T) {
			t.Parallel()
			d := install(t, setup{})
			d.secret = "an old secret"
			am := startAlertmanager(t, v.program, d)
			am.fire(labels{"alertname": "CheckoutDown", "region": "eu", "severity": "critical"})
			d.write(d.rules, strings.Replace(rulesConfirm, "rules:\n",
				"sources: { prod-am: { type: alertmanager, peers: ['"+am.url+"'] } }\nrules:\n", 1))
			d.start()
			w := &world{daemon: d, admin: admin(d)}
			w.draft("Checkout is unavailable in eu")
			alerts := w.admin.get("/admin/alerts")
			if err := alerts.says("prod-am", "Nothing of it resolves by itself: it has not answered since this program started"); err != nil {
				t.Error(err)
			}
		})
	}
}
