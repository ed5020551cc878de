package web

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// timeline is how the alerts of an issue came and went, the newest first.
type timeline struct {
	Turns []turnView
	Cut   bool // there are older ones
}

// turnView is what one webhook, or one look at a source, told of alerts that
// turned the same way.
type turnView struct {
	Turn     status.Turn
	Class    string   // of its glyph
	Names    []string // of the first of them
	More     int      // alerts besides
	Fires    int      // how often it had fired, of a single one
	At       time.Time
	Cause    string
	URL      string // of a single one
	Delivery string // "" when no webhook told
	Payload  string // beginning of the webhook; "" when it stands at the line above
	Cut      bool   // Payload is only its beginning
}

const (
	mostTurning  = 25        // webhooks on a timeline
	mostPayload  = 4 << 10   // of each to read, in bytes
	timelineLead = time.Hour // before the issue began: a hold, and clocks that differ
)

var turnClasses = map[status.Turn]string{
	status.TurnFired: "down", status.TurnFlapped: "part", status.TurnCleared: "ok", status.TurnExpired: "ring", status.TurnMerged: "ring",
}

// timeline reads how the alerts behind an issue came and went.
func (s *Server) timeline(ctx context.Context, i status.Issue, log []status.Entry, signals []status.Signal) (timeline, error) {
	keys, err := s.store.IssueTracks(ctx, i.ID)
	if err != nil || len(keys) == 0 {
		return timeline{}, err
	}
	to := s.clock.Now()
	switch {
	case i.State == status.Resolved:
		to = i.ResolvedAt
	case !i.Open():
		to = i.UpdatedAt
	}
	hooks, err := s.store.TurningWebhooks(ctx, keys, i.StartedAt.Add(-timelineLead), to.Add(time.Second), mostTurning+1)
	if err != nil {
		return timeline{}, err
	}
	view := timeline{}
	if view.Cut = len(hooks) > mostTurning; view.Cut {
		hooks = hooks[:mostTurning]
	}
	bodies, said := map[string]string{}, []status.Statement(nil)
	for _, w := range hooks {
		bodies[w.ID] = readable(w.Body)
		eachOutcome(w, func(o status.Outcome, facts []status.Fact) {
			if !slices.ContainsFunc(o.Tracks, func(k status.TrackKey) bool { return slices.Contains(keys, k) }) {
				return
			}
			for _, f := range facts {
				said = append(said, status.Statement{Fact: f, Did: o.Did})
			}
		})
	}
	view.Turns = turnViews(status.Timeline(said, log, signals), bodies)
	return view, nil
}

// turnViews joins what came together, and puts the newest first. The payload
// stands at the first line of each webhook.
func turnViews(list []status.Transition, bodies map[string]string) []turnView {
	names := tellApart(list)
	var views []turnView
	for n, t := range list {
		if n > 0 && t.Delivery == list[n-1].Delivery && t.Turn == list[n-1].Turn && t.Delivery != "" {
			v := &views[len(views)-1]
			v.URL, v.Fires = "", 0
			if len(v.Names) < mostNames {
				v.Names = append(v.Names, names[n])
			} else {
				v.More++
			}
			continue
		}
		views = append(views, turnView{
			Turn: t.Turn, Class: turnClasses[t.Turn], Names: []string{names[n]}, Fires: t.Fires, At: t.At, Cause: t.Cause, URL: t.URL, Delivery: t.Delivery,
		})
	}
	slices.Reverse(views)
	for n := range views {
		v := &views[n]
		if n > 0 && views[n-1].Delivery == v.Delivery {
			continue
		}
		v.Payload, v.Cut = clip(bodies[v.Delivery], mostPayload), len(bodies[v.Delivery]) > mostPayload
	}
	return views
}

// tellApart names alerts by what they are called and the labels in which they
// differ.
func tellApart(list []status.Transition) []string {
	differs := map[string]bool{}
	for _, t := range list {
		for name, value := range t.Labels {
			if value != list[0].Labels[name] {
				differs[name] = true
			}
		}
		for name := range list[0].Labels {
			if _, has := t.Labels[name]; !has && t.Labels != nil {
				differs[name] = true
			}
		}
	}
	names := make([]string, len(list))
	for n, t := range list {
		words := []string{alertName(t.Labels, t.Key.Fingerprint)}
		for _, name := range slices.Sorted(maps.Keys(t.Labels)) {
			if differs[name] && name != "alertname" {
				words = append(words, name+"="+t.Labels[name])
			}
		}
		names[n] = clip(strings.Join(words, " "), 200)
	}
	return names
}
