package alerts

import (
	"fmt"
	"strings"

	"github.com/statusbridge/statusbridge/internal/status"
)

// AlertmanagerSetup is what a piece of alertmanager.yml is made for.
type AlertmanagerSetup struct {
	Source          status.Source
	PublicURL       string // of this installation, as Alertmanager reaches it
	Receiver        string
	CredentialsFile string // where Alertmanager reads the webhook secret
}

// YAML is the route and the receiver to add to alertmanager.yml.
func (s AlertmanagerSetup) YAML() string {
	var b strings.Builder
	b.WriteString("route:\n  routes:\n")
	if h := s.Source.Heartbeat; len(h.Matchers) > 0 && len(s.Source.Peers) == 0 { // peers tell its age when they are asked
		b.WriteString("    # The heartbeat, often enough to be never older than max_age.\n")
		s.route(&b, "10s", (h.MaxAge / 3).String())
		b.WriteString("      matchers:\n")
		for _, m := range h.Matchers {
			fmt.Fprintf(&b, "        - %s\n", quoteYAML(m.String()))
		}
	}
	b.WriteString("    # Put it first: continue lets your other receivers still get everything.\n")
	s.route(&b, "1m", "4h")
	fmt.Fprintf(&b, `receivers:
  - name: %s
    webhook_configs:
      - url: %s
        send_resolved: true # without it, nothing resolves by itself
        http_config:
          authorization:
            type: Bearer
            credentials_file: %s
`, quoteYAML(s.Receiver), quoteYAML(s.PublicURL+"/hooks/"+KindAlertmanager+"/"+s.Source.Name), quoteYAML(s.CredentialsFile))
	return b.String()
}

func (s AlertmanagerSetup) route(b *strings.Builder, interval, repeat string) {
	fmt.Fprintf(b, `    - receiver: %s
      continue: true
      group_by: [alertname]
      group_wait: 10s
      group_interval: %s
      repeat_interval: %s
`, quoteYAML(s.Receiver), interval, repeat)
}

// quoteYAML writes a text in single quotes, in which nothing else has a meaning.
func quoteYAML(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
