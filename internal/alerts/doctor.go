package alerts

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// DoctorConfig is what a look at the sources goes by.
type DoctorConfig struct {
	Rules     *status.Rules
	PublicURL string // of this installation, as senders reach it
	// States are what webhooks and polls have taught us of each source.
	States []status.SourceState
	// LastWebhook is when the last webhook of a source came; zero if none did.
	// nil is not known.
	LastWebhook func(ctx context.Context, source string) (time.Time, error)
	Getenv      func(string) string
	HTTP        *http.Client // nil is one with a time-out
	Now         func() time.Time
}

// Doctor looks at how the sources of a kind send to us, from where we are. It
// only reads. A source that is listed for its name alone is off: it is listened
// to, and nothing of it can be looked at.
func Doctor(ctx context.Context, kind string, cfg DoctorConfig) []status.Check {
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: askTimeout}
	}
	var out []status.Check
	for _, src := range cfg.Rules.Sources {
		if src.Type != kind {
			continue
		}
		x := &examination{DoctorConfig: cfg, src: src, about: kind + " " + src.Name}
		for _, s := range cfg.States {
			if s.Name == src.Name {
				x.state = s
			}
		}
		x.webhooks(ctx)
		if kind == KindNewRelic {
			x.newRelic(ctx)
		} else {
			x.alertmanager(ctx)
		}
		out = append(out, x.checks...)
	}
	if len(out) == 0 {
		out = append(out, status.Check{
			Name: kind, State: status.CheckOff, What: "no source of this type is listed in " + cfg.Rules.File,
			Mend: "list it under sources, so that it is asked what webhooks lost",
		})
	}
	return out
}

// examination collects the checks of one source.
type examination struct {
	DoctorConfig
	src    status.Source
	state  status.SourceState
	about  string
	checks []status.Check
}

func (x *examination) say(state status.CheckState, name, mend, format string, args ...any) {
	x.checks = append(x.checks, status.Check{Name: x.about + ": " + name, State: state, What: fmt.Sprintf(format, args...), Mend: mend})
}

// hook is the address that the source must send to.
func (x *examination) hook() string { return x.PublicURL + "/hooks/" + x.src.Type + "/" + x.src.Name }

// webhooks says whether anything comes from the source.
func (x *examination) webhooks(ctx context.Context) {
	if x.LastWebhook == nil {
		return
	}
	last, err := x.LastWebhook(ctx, x.src.Name)
	switch {
	case err != nil:
		x.say(status.CheckFail, "webhooks", "", "the database does not tell: %v", err)
	case !last.IsZero():
		x.say(status.CheckOK, "webhooks", "", "the last came %s ago", x.Now().Sub(last).Round(time.Second))
	case x.src.Polled():
		x.say(status.CheckWarn, "webhooks", "let it send to "+x.hook(), "none has ever come")
	default:
		x.say(status.CheckOff, "webhooks", "let it send to "+x.hook(), "none has ever come")
	}
}

// heartbeat says whether an alert watches over the source itself.
func (x *examination) heartbeat() {
	h := x.src.Heartbeat
	age := x.Now().Sub(x.state.HeartbeatAt).Round(time.Second)
	mend := "route it to our receiver with a repeat_interval below max_age"
	if x.src.Polled() {
		mend = "see that Prometheus sends it to these peers, and that the daemon runs with these rules: it asks them"
	}
	switch {
	case len(h.Matchers) == 0 && !x.src.Polled():
	case len(h.Matchers) == 0:
		x.say(status.CheckWarn, "heartbeat", `send an alert that always fires, such as Prometheus' Watchdog, and name it: heartbeat: { matchers: ['alertname="Watchdog"'], max_age: 5m }`,
			"none: when Prometheus dies its alerts seem to resolve")
	case x.state.HeartbeatAt.IsZero():
		x.say(status.CheckFail, "heartbeat", mend, "%s has never come: nothing of this source resolves by itself", h.Matchers)
	case age > h.MaxAge:
		x.say(status.CheckFail, "heartbeat", mend, "the last is %s old, max_age is %s: nothing of this source resolves by itself", age, h.MaxAge)
	default:
		x.say(status.CheckOK, "heartbeat", "", "the last is %s old", age)
	}
}
