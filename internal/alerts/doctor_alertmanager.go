package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

// alertmanagerConfig is what we look at of a running alertmanager.yml. Unknown
// keys are left alone: each version has its own.
type alertmanagerConfig struct {
	Route     alertmanagerRoute `yaml:"route"`
	Receivers []struct {
		Name     string                `yaml:"name"`
		Webhooks []alertmanagerWebhook `yaml:"webhook_configs"`
	} `yaml:"receivers"`
}

type alertmanagerWebhook struct {
	SendResolved *bool          `yaml:"send_resolved"`
	URL          string         `yaml:"url"` // newer versions hide it
	MaxAlerts    int            `yaml:"max_alerts"`
	HTTP         map[string]any `yaml:"http_config"`
}

type alertmanagerRoute struct {
	Receiver       string              `yaml:"receiver"`
	Matchers       []string            `yaml:"matchers"`
	Match          map[string]string   `yaml:"match"`
	MatchRE        map[string]string   `yaml:"match_re"`
	Continue       bool                `yaml:"continue"`
	GroupInterval  string              `yaml:"group_interval"`
	RepeatInterval string              `yaml:"repeat_interval"`
	Mute           []string            `yaml:"mute_time_intervals"`
	Active         []string            `yaml:"active_time_intervals"`
	Routes         []alertmanagerRoute `yaml:"routes"`
}

// everything reports whether a route asks nothing of an alert.
func (r alertmanagerRoute) everything() bool {
	return len(r.Matchers)+len(r.Match)+len(r.MatchRE) == 0
}

// words names a route by what it asks.
func (r alertmanagerRoute) words() string {
	all := slices.Clone(r.Matchers)
	for n, v := range r.Match {
		all = append(all, fmt.Sprintf("%s=%q", n, v))
	}
	for n, v := range r.MatchRE {
		all = append(all, fmt.Sprintf("%s=~%q", n, v))
	}
	slices.Sort(all)
	return "{" + strings.Join(all, ", ") + "}"
}

// inherit fills in the receiver that routes have from the one above them.
func (r *alertmanagerRoute) inherit(receiver string) {
	r.Receiver = first(r.Receiver, receiver)
	for n := range r.Routes {
		r.Routes[n].inherit(r.Receiver)
	}
}

// reaches reports whether the route or one below it leads to a receiver.
func (r alertmanagerRoute) reaches(receiver string) bool {
	return r.Receiver == receiver || slices.ContainsFunc(r.Routes, func(c alertmanagerRoute) bool { return c.reaches(receiver) })
}

// What is longer than that delays the page noticeably.
const (
	longGroupInterval  = 5 * time.Minute // Alertmanager's default
	longRepeatInterval = 12 * time.Hour  // its default is 4h
	clockTolerance     = 30 * time.Second
)

// alertmanager examines a source through what its peers say of themselves.
func (x *examination) alertmanager(ctx context.Context) {
	if len(x.src.Peers) == 0 {
		x.say(status.CheckOff, "peers", "name them under peers, so that lost webhooks are noticed and the configuration can be checked",
			"none are named: it is listened to, never asked")
		x.heartbeat()
		return
	}
	answers, errs := make([]peerStatus, len(x.src.Peers)), make([]error, len(x.src.Peers))
	var all sync.WaitGroup
	for n, peer := range x.src.Peers {
		all.Go(func() { answers[n], errs[n] = x.askStatus(ctx, peer) })
	}
	all.Wait()
	var configs []string
	for n, peer := range x.src.Peers {
		if errs[n] != nil {
			x.say(status.CheckFail, withoutPassword(peer), "see that this machine reaches it", "does not answer: %v", errs[n])
			continue
		}
		x.peer(peer, answers[n])
		configs = append(configs, *answers[n].Config.Original)
	}
	if len(configs) == 0 {
		return
	}
	if len(slices.Compact(slices.Sorted(slices.Values(configs)))) > 1 {
		x.say(status.CheckWarn, "peers", "give all peers the same alertmanager.yml", "their configurations differ")
	}
	x.configuration(configs[0])
	x.heartbeat()
}

func (x *examination) askStatus(ctx context.Context, address string) (peerStatus, error) {
	peer, err := newAlertmanagerPeer(address, x.HTTP)
	if err != nil {
		return peerStatus{}, err
	}
	answer, err := peer.status(ctx)
	if err == nil && answer.Config.Original == nil {
		err = errors.New("the answer has no configuration")
	}
	return answer, err
}

// peer looks at one process: version, clock, cluster, age.
func (x *examination) peer(peer string, answer peerStatus) {
	name := withoutPassword(peer)
	version := cmp.Or(answer.Version.Version, "of unknown version")
	var major, minor int
	if n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor); n == 2 && major == 0 && minor < 22 {
		x.say(status.CheckWarn, name, "update it to 0.25 or newer", "Alertmanager %s is older than what is tried with this program", version)
	} else {
		x.say(status.CheckOK, name, "", "Alertmanager %s answers", version)
	}
	if off := answer.date.Sub(x.Now()); !answer.date.IsZero() && off.Abs() > clockTolerance {
		x.say(status.CheckWarn, name, "synchronise both clocks (NTP)", "its clock and ours differ by %s", off.Round(time.Second))
	}
	if up, enough := answer.Uptime, cmp.Or(x.src.MinUptime, minUptime); !up.IsZero() && x.Now().Sub(up) < enough {
		x.say(status.CheckOK, name, "", "up for less than %s: until then the absence of an alert means nothing", enough)
	}
	if len(x.src.Peers) > 1 {
		state, n := cmp.Or(answer.Cluster.Status, "unknown"), len(answer.Cluster.Peers)
		if state == "disabled" || n > 0 && n < len(x.src.Peers) {
			x.say(status.CheckWarn, name, "let the peers form a cluster (--cluster.peer)", "knows %d of %d peers (cluster %s): each sends for itself, and silences of one are unknown to the others", n, len(x.src.Peers), state)
		}
	}
}

// configuration looks at how alerts are routed to us.
func (x *examination) configuration(text string) {
	var cfg alertmanagerConfig
	if err := yaml.Unmarshal([]byte(text), &cfg); err != nil {
		x.say(status.CheckFail, "configuration", "", "cannot be read: %v", err)
		return
	}
	cfg.Route.inherit("")
	receiver, hook, ok := x.receiver(cfg)
	if !ok {
		return
	}
	name := fmt.Sprintf("receiver %q", receiver)
	switch {
	case hook.SendResolved != nil && !*hook.SendResolved:
		x.say(status.CheckFail, name, "set send_resolved: true", "send_resolved is false: nothing resolves by itself until a poll notices")
	case hook.SendResolved != nil:
		x.say(status.CheckOK, name, "", "sends what is resolved, too")
	}
	if hook.MaxAlerts > 0 {
		x.say(status.CheckWarn, name, "remove max_alerts", "max_alerts is %d: what is beyond it in a group is found by the next poll only", hook.MaxAlerts)
	}
	if hook.HTTP["authorization"] == nil && hook.HTTP["basic_auth"] == nil && hook.HTTP["http_headers"] == nil && !strings.Contains(hook.URL, "@") {
		x.say(status.CheckWarn, name, "add http_config.authorization with the webhook secret", "sends no credentials that can be seen")
	}
	if !cfg.Route.reaches(receiver) {
		x.say(status.CheckFail, name, "add a route to it", "no route leads to it")
		return
	}
	before := len(x.checks)
	x.route(cfg.Route, inherited{groupInterval: "5m", repeatInterval: "4h"}, receiver)
	if len(x.checks) == before {
		x.say(status.CheckOK, "routes", "", "alerts reach %q without delay", receiver)
	}
}

// receiver finds which of the receivers sends to us: the one that the rules
// name, the one that webhooks came from, or one with our address.
func (x *examination) receiver(cfg alertmanagerConfig) (string, alertmanagerWebhook, bool) {
	want := first(x.src.Receiver, x.state.Receiver)
	for _, r := range cfg.Receivers {
		for _, w := range r.Webhooks {
			if r.Name == want || want == "" && strings.HasPrefix(w.URL, x.PublicURL+"/hooks/") {
				return r.Name, w, true
			}
		}
	}
	if want != "" {
		x.say(status.CheckFail, "receiver", "add it, as `statusbridge setup alertmanager` prints it", "the running configuration has no webhook receiver %q", want)
		return "", alertmanagerWebhook{}, false
	}
	for _, r := range cfg.Receivers {
		if strings.Contains(strings.ToLower(r.Name), "statusbridge") && len(r.Webhooks) > 0 {
			return r.Name, r.Webhooks[0], true
		}
	}
	x.say(status.CheckFail, "receiver", "add one, as `statusbridge setup alertmanager` prints it; if there is one, name it under receiver in "+x.Rules.File,
		"no receiver is known to send to us (Alertmanager hides addresses, and no webhook has come yet)")
	return "", alertmanagerWebhook{}, false
}

// inherited are the settings that a route has from the one above.
type inherited struct{ groupInterval, repeatInterval string }

// route looks at a route that may lead to our receiver, and at those below it.
func (x *examination) route(r alertmanagerRoute, from inherited, receiver string) {
	from.groupInterval, from.repeatInterval = first(r.GroupInterval, from.groupInterval), first(r.RepeatInterval, from.repeatInterval)
	name := "route " + r.words()
	if r.Receiver == receiver {
		if len(r.Mute)+len(r.Active) > 0 {
			x.say(status.CheckWarn, name, "remove them, and use active_time_intervals in "+x.Rules.File,
				"has time intervals (%s): an end outside of them is never sent", strings.Join(slices.Concat(r.Mute, r.Active), ", "))
		}
		if d, err := model.ParseDuration(from.groupInterval); err == nil && time.Duration(d) > longGroupInterval {
			x.say(status.CheckWarn, name, "set group_interval: 1m", "group_interval is %s: changes of a group reach the page that late", from.groupInterval)
		}
		if d, err := model.ParseDuration(from.repeatInterval); err == nil && time.Duration(d) > longRepeatInterval {
			x.say(status.CheckWarn, name, "set repeat_interval: 4h", "repeat_interval is %s: what got lost is told again that late", from.repeatInterval)
		}
	}
	for n, child := range r.Routes {
		below := r.Routes[n+1:]
		switch reaches := child.reaches(receiver); {
		case reaches && !child.Continue && len(below) > 0:
			x.say(status.CheckWarn, "route "+child.words(), "add continue: true", "has no continue: the %d routes below it never see what it takes", len(below))
		case !reaches && r.Receiver == receiver:
			x.say(status.CheckWarn, "route "+child.words(), "give us a route of our own above it, with continue: true", "takes its alerts away from %q, the receiver of the route above", receiver)
		case !reaches && !child.Continue && slices.ContainsFunc(below, func(b alertmanagerRoute) bool { return b.reaches(receiver) }):
			if child.everything() {
				x.say(status.CheckFail, "route "+child.words(), "put our route above it, or add continue: true", "stands above the route to %q and takes everything", receiver)
			} else {
				x.say(status.CheckWarn, "route "+child.words(), "put our route above it, or add continue: true", "takes its alerts away from the route to %q below", receiver)
			}
		}
		x.route(child, from, receiver)
	}
}
