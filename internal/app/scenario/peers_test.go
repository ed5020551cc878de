package scenario

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// pair is two Alertmanagers that send to one daemon under one name.
type pair [2]*alertmanager

func newPair(t *testing.T, d *daemon, flags [2][]string) pair {
	t.Helper()
	var p pair
	for n := range p {
		p[n] = newAM(t, d, amSetup{program: newAlertmanager, flags: flags[n]})
	}
	return p
}

func (p pair) peers() string { return fmt.Sprintf("peers: ['%s', '%s']", p[0].url, p[1].url) }

func (p pair) start() {
	for _, am := range p {
		am.start()
	}
}

// fire tells both, as Prometheus does.
func (p pair) fire(l labels) {
	for _, am := range p {
		am.fire(l)
	}
}

// A highly available pair, of which one dies, and then the other.
func TestAPairOfAlertmanagersIsOneSource(t *testing.T) {
	t.Parallel()
	d := install(t, setup{})
	ports := []int{freePort(t), freePort(t)}
	var flags [2][]string
	for n, port := range ports {
		flags[n] = []string{
			fmt.Sprintf("--cluster.listen-address=127.0.0.1:%d", port), fmt.Sprintf("--cluster.advertise-address=127.0.0.1:%d", port),
			fmt.Sprintf("--cluster.peer=127.0.0.1:%d", ports[1-n]), "--cluster.gossip-interval=20ms", "--cluster.peer-timeout=1s", "--cluster.settle-timeout=5s",
		}
	}
	p := newPair(t, d, flags)
	rules := rulesAsking(p.peers())
	d.write(d.rules, rules)
	w := staff(t, d)
	p.start()
	eventually(t, "the two have met", func() error { return metric(p[1].url, "", "alertmanager_cluster_members", 2) })

	checkout, search := labels{"alertname": "CheckoutDown"}, labels{"alertname": "SearchDown"}
	p.fire(checkout)
	eventually(t, "the page shows the issue", func() error { return w.isOpen(somethingWrong) })
	w.holds("both know it", somethingWrong)
	if n := w.updates(somethingWrong); n != 1 {
		t.Errorf("%d updates of one alert", n)
	}

	p[0].kill()
	p[1].fire(search)
	eventually(t, "the other one tells", func() error { return w.isOpen("SearchDown on our side") })
	p[1].clear(checkout)
	w.ends(somethingWrong, "quiet for resolve.after")
	eventually(t, "the admin shows which peer is down", func() error {
		return w.admin.get("/admin/alerts").says(strings.TrimPrefix(p[0].url, "http://"))
	})

	p[1].kill()
	w.holds("nobody is left to ask", "SearchDown on our side")
	// One is back with nothing in its memory. Up for less than min_uptime it
	// proves nothing.
	w.write(w.rules, strings.Replace(rules, "min_uptime: 1s", "min_uptime: 1h", 1))
	w.signal(syscall.SIGHUP)
	eventually(t, "the rules are loaded", func() error { return loaded(w.daemon, 1) })
	p[0].start()
	w.holds("it has just begun", "SearchDown on our side")
	w.write(w.rules, rules)
	w.signal(syscall.SIGHUP)
	w.ends("SearchDown on our side", absent)
}

// loaded is nil when the daemon has loaded rules n times more.
func loaded(d *daemon, n int) error {
	if got := strings.Count(d.out.String(), "rules loaded"); got < n {
		return fmt.Errorf("%d times", got)
	}
	return nil
}

// A split pair: two that do not know one another, under one name.
func TestWhatPeersDisagreeAboutStaysOpen(t *testing.T) {
	t.Parallel()
	d := install(t, setup{})
	p := newPair(t, d, [2][]string{})
	d.write(d.rules, strings.Replace(rulesAsking(p.peers()), "after: 500ms", "after: 3s", 1))
	w := staff(t, d)
	p.start()
	checkout := labels{"alertname": "CheckoutDown"}
	p.fire(checkout)
	eventually(t, "both have told", func() error {
		if p[0].notifications()+p[1].notifications() < 2 {
			return fmt.Errorf("%d notifications", p[0].notifications()+p[1].notifications())
		}
		return w.isOpen(somethingWrong)
	})
	sent := p[0].notifications()
	p[0].clear(checkout)
	eventually(t, "one says that it is over", func() error { return p[0].rid(sent + 1) })
	w.explains(somethingWrong, "peers disagree")
	w.holds("the other one still has it", somethingWrong)
	p[1].clear(checkout)
	w.ends(somethingWrong, "quiet for resolve.after")
	if n := w.updates(somethingWrong); n != 2 {
		t.Errorf("%d updates, want the beginning and the end", n)
	}
}
