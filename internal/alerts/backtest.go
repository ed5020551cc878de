package alerts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Past is where a back-test finds what happened.
type Past interface {
	// EachWebhook visits the webhooks received from a moment on and before
	// another, the oldest first.
	EachWebhook(ctx context.Context, from, to time.Time, headsOnly bool, visit func(status.Webhook) error) error
	CountWebhooks(ctx context.Context, from, to time.Time) (int, error)
	// IssuesBetween lists the issues of alerts that were open at any moment.
	IssuesBetween(ctx context.Context, from, to time.Time) ([]status.Issue, error)
	// EntriesBecause lists the audit log's lines of one reason, the oldest first.
	EntriesBecause(ctx context.Context, reason status.Reason, from, to time.Time) ([]status.Entry, error)
	Components(ctx context.Context) ([]status.Component, []status.Group, error)
	Maintenances(ctx context.Context, limit int) ([]status.Maintenance, error)
}

// BacktestConfig says what is tried on which past.
type BacktestConfig struct {
	Past     Past
	Rules    *status.Rules // the candidates
	From, To time.Time
	// Most bounds the webhooks that are replayed; 0 is no bound.
	Most int
	// Progress is told now and then how many webhooks are done; nil is nobody.
	Progress func(done, total int)
}

// ErrPastTooLong: there are more webhooks than the back-test may replay.
var ErrPastTooLong = errors.New("too many webhooks for one back-test; begin later")

const (
	// warmUp is how much of the time before is replayed too, so that alerts which
	// fired all along are known when the comparison begins.
	warmUp = 24 * time.Hour
	// forgetAfter is how long what is over stays on the board; not less than the
	// store keeps it there.
	forgetAfter = 48 * time.Hour
	tellEvery   = 250 // webhooks between two words of progress
)

// Backtest replays what was received through rules, and compares the issues
// that they would have opened with those that were opened. The core decides, as
// it does in the daemon; the clock is the time of receipt. What people did is
// not replayed: nobody confirms, dismisses or edits. It ends early with the
// context's error.
func Backtest(ctx context.Context, cfg BacktestConfig) (BacktestReport, error) {
	start := cfg.From.Add(-warmUp)
	total, err := cfg.Past.CountWebhooks(ctx, start, cfg.To)
	if err != nil {
		return BacktestReport{}, err
	}
	if cfg.Most > 0 && total > cfg.Most {
		return BacktestReport{}, fmt.Errorf("%w: %d, at most %d", ErrPastTooLong, total, cfg.Most)
	}
	r, err := newReplay(ctx, cfg, start)
	if err != nil {
		return BacktestReport{}, err
	}
	done := 0
	err = cfg.Past.EachWebhook(ctx, start, cfg.To, false, func(w status.Webhook) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if done++; cfg.Progress != nil && done%tellEvery == 0 {
			cfg.Progress(done, total)
		}
		return r.webhook(w)
	})
	if err == nil {
		err = r.advance(cfg.To)
	}
	if err != nil {
		return BacktestReport{}, err
	}
	if cfg.Progress != nil {
		cfg.Progress(total, total)
	}
	was, err := cfg.Past.IssuesBetween(ctx, start, cfg.To)
	if err != nil {
		return BacktestReport{}, err
	}
	return r.report(was), nil
}

// replay is a trial that is fed with what was received.
type replay struct {
	*trial
	cfg       BacktestConfig
	issues    map[string]status.Issue // all that opened, as they are now
	ends      []status.Entry          // of alerts that a poll found gone
	discarded map[string]bool         // drafts of then that no person dismissed
	swept     time.Time               // when the board last forgot
	links     map[link]bool
	webhooks  int
	alerts    int
	unread    int
	unmatched int
	warnings  map[string]bool
	slugs     map[string]string // of components, by id
	known     knownAlerts
}

// link says that some alert led to a track here and to one then.
type link struct{ was, would status.TrackKey }

func newReplay(ctx context.Context, cfg BacktestConfig, start time.Time) (*replay, error) {
	r := &replay{
		trial: &trial{rules: cfg.Rules, board: status.NewBoard("back-test"), start: start, now: start},
		cfg:   cfg, swept: start, issues: map[string]status.Issue{}, links: map[link]bool{}, discarded: map[string]bool{},
		warnings: map[string]bool{}, slugs: map[string]string{},
	}
	r.took = r.keep
	for _, src := range cfg.Rules.Sources {
		if len(src.Peers) > 0 {
			// Polls told how old its heartbeat was, and what they told is not kept: it
			// counts as alive throughout.
			r.board.Sources[src.Name] = status.SourceState{Name: src.Name, HeartbeatAt: cfg.To}
		}
	}
	components, groups, err := cfg.Past.Components(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range components {
		r.board.Components[c.ID], r.slugs[c.ID] = c, c.Slug
	}
	for _, g := range groups {
		r.board.Groups[g.ID] = g
	}
	plans, err := cfg.Past.Maintenances(ctx, 0)
	if err != nil {
		return nil, err
	}
	for _, m := range plans {
		if again, ok := asItHappened(m, start); ok {
			r.board.Maintenances[m.ID] = again
		}
	}
	if r.ends, err = cfg.Past.EntriesBecause(ctx, status.ReasonReconciled, start, cfg.To); err != nil {
		return nil, err
	}
	ended, err := cfg.Past.EntriesBecause(ctx, status.ReasonEndedUnpublished, start, cfg.To)
	for _, e := range ended {
		r.discarded[e.Subject] = true
	}
	return r, err
}

// asItHappened makes a maintenance start and end by the clock when it did.
func asItHappened(m status.Maintenance, start time.Time) (status.Maintenance, bool) {
	if m.StartedAt.IsZero() || !m.EndedAt.IsZero() && m.EndedAt.Before(start) {
		return m, false
	}
	m.State, m.AutoStart, m.AutoEnd = status.Scheduled, true, true
	m.ScheduledFor = m.StartedAt
	if !m.EndedAt.IsZero() {
		m.ScheduledUntil = m.EndedAt
	}
	m.StartedAt, m.EndedAt, m.UpdatedAt = time.Time{}, time.Time{}, start
	return m, true
}

// webhook lets the clock run to a delivery and takes it in.
func (r *replay) webhook(w status.Webhook) error {
	if err := r.advance(w.ReceivedAt); err != nil {
		return err
	}
	r.webhooks++
	reading, err := read(w, &r.known)
	if err != nil {
		r.unread++
		return nil
	}
	if reading.Test {
		return nil
	}
	r.alerts += len(reading.Facts)
	would := r.receive(reading.Facts...).Outcomes[w.ID]
	for _, o := range would {
		if o.Did == status.DidBegin && len(o.Tracks) == 0 {
			r.unmatched += o.Alerts
		}
	}
	r.linkUp(w.Outcomes, would)
	if r.now.Sub(r.swept) > time.Hour {
		r.swept = r.now
		r.board.Forget(r.now.Add(-forgetAfter))
	}
	return nil
}

// advance lets the clock run to a moment; what polls found on the way counts.
func (r *replay) advance(to time.Time) error {
	for len(r.ends) > 0 && r.ends[0].At.Before(to) {
		if err := r.end(r.ends[0]); err != nil {
			return err
		}
		r.ends = r.ends[1:]
	}
	return r.until(to)
}

// end takes an alert for over because its source no longer had it.
func (r *replay) end(e status.Entry) error {
	if err := r.until(e.At); err != nil {
		return err
	}
	source, fp, _ := strings.Cut(e.Detail, " ")
	s, known := r.board.Signals[status.SignalKey{Source: source, Fingerprint: fp}]
	if known && s.Firing {
		r.receive(status.Fact{
			Source: source, Fingerprint: fp, StartsAt: s.StartsAt, EndsAt: e.At, OrderedAt: e.At, ReceivedAt: e.At,
		})
	}
	return nil
}

// keep keeps what the report needs of changes.
func (r *replay) keep(c status.Changes) {
	maps.Copy(r.issues, c.Issues)
	for _, e := range c.Entries {
		if e.Action == "warned" {
			r.warnings[strings.TrimSuffix(string(e.Reason)+": "+e.Detail, ": ")] = true
		}
	}
}

// linkUp walks the outcomes of then and of here side by side, alert by alert,
// and notes which tracks the same alert led to.
func (r *replay) linkUp(was, would []status.Outcome) {
	was, would = slices.Clone(was), slices.Clone(would)
	for len(was) > 0 && len(would) > 0 {
		n := min(was[0].Alerts, would[0].Alerts)
		for _, a := range was[0].Tracks {
			for _, b := range would[0].Tracks {
				r.links[link{a, b}] = true
			}
		}
		if was[0].Alerts -= n; was[0].Alerts <= 0 {
			was = was[1:]
		}
		if would[0].Alerts -= n; would[0].Alerts <= 0 {
			would = would[1:]
		}
	}
}
