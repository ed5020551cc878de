package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// signalView is an alert as people read it.
type signalView struct {
	Name, Summary string
	Source        string
	Firing        bool
	Since         time.Time
	Ended         time.Time
	For           string
	Episodes      int
	URL           string
	Labels        []pair
	Why           []status.Try // what the rules say to it; nil if nobody asked
}

// alertName is what people call an alert.
func alertName(labels map[string]string, fallback string) string {
	return cmp.Or(labels["alertname"], labels["condition"], labels["title"], fallback)
}

type pair struct{ Name, Value string }

// signalViews puts what fires first, the oldest on top.
func (s *Server) signalViews(signals []status.Signal) []signalView {
	var list []signalView
	for _, sig := range signals {
		v := signalView{
			Name:    alertName(sig.Labels, sig.Key.Fingerprint),
			Summary: cmp.Or(sig.Annotations["summary"], sig.Annotations["description"], sig.Annotations["message"]),
			Source:  sig.Key.Source, Firing: sig.Firing, Since: sig.StartsAt, Ended: sig.EndsAt,
			Episodes: sig.Episodes, URL: sig.URL,
		}
		end := s.clock.Now()
		if !sig.Firing && !sig.EndsAt.IsZero() {
			end = sig.EndsAt
		}
		v.For = roughly(end.Sub(sig.StartsAt))
		for name, value := range sig.Labels {
			if name != "alertname" {
				v.Labels = append(v.Labels, pair{name, value})
			}
		}
		slices.SortFunc(v.Labels, func(a, b pair) int { return cmp.Compare(a.Name, b.Name) })
		list = append(list, v)
	}
	slices.SortStableFunc(list, func(a, b signalView) int {
		if a.Firing != b.Firing {
			if a.Firing {
				return -1
			}
			return 1
		}
		return a.Since.Compare(b.Since)
	})
	return list
}

// entryView is a line of the audit log.
type entryView struct {
	At              time.Time
	Actor, Action   string
	Automation      bool
	Reason, Detail  string
	Before, After   string
	Subject, Target string // link to what it is about, and its name
}

// did are the actions whose names in the log are no words for people.
var did = map[string]string{string(status.InProgress): "began", string(status.Verifying): "set to verifying"}

// entryViews names subjects by targets; nil when the subject goes without saying.
func entryViews(entries []status.Entry, targets map[string]pair) []entryView {
	var list []entryView
	for _, e := range entries {
		v := entryView{
			At: e.At, Actor: e.Actor, Action: cmp.Or(did[e.Action], e.Action), Automation: e.Actor == status.Automation,
			Reason: string(e.Reason), Detail: e.Detail, Before: e.Before, After: e.After,
		}
		if t, ok := targets[e.Subject]; ok {
			v.Subject, v.Target = t.Name, t.Value
		}
		list = append(list, v)
	}
	return list
}

type alertsPage struct {
	Sources   []sourceView
	Unmatched []signalView
	Dead      []webhookView
	Last      []webhookView
	Waiting   int // in the journal
}

type webhookView struct {
	ID           string
	At           time.Time
	Kind, Source string
	State        string
	Verdict      string
	Events       int
	Size         string
	Excerpt      string
	Did          []string // "2 alerts began to fire"
}

const webhooksOnPage = 30

func (s *Server) showAlerts(c *fiber.Ctx, _ visit) error {
	ctx := c.UserContext()
	unmatched, err := s.store.Unmatched(ctx, 100)
	if err != nil {
		return err
	}
	dead, err := s.store.Webhooks(ctx, status.WebhookDead, webhooksOnPage)
	if err != nil {
		return err
	}
	last, err := s.store.Webhooks(ctx, "", webhooksOnPage)
	if err != nil {
		return err
	}
	sources, err := s.sourceViews(ctx, last)
	if err != nil {
		return err
	}
	view := alertsPage{
		Sources: sources, Unmatched: s.unmatchedViews(unmatched), Dead: webhookViews(dead, true), Last: webhookViews(last, false),
		Waiting: s.intake.Stats().JournalDepth,
	}
	return s.render(c, http.StatusOK, "alerts.html", page{Title: "Alerts", Nav: "alerts", Data: view})
}

// unmatchedViews say why each rule does not want the alerts.
func (s *Server) unmatchedViews(signals []status.Signal) []signalView {
	rules := s.rules().Rules
	var list []signalView
	for _, sig := range signals {
		v := s.signalViews([]status.Signal{sig})[0]
		if rules != nil {
			v.Why = rules.Try(sig.Key.Source, sig.Labels, sig.Lists)
		}
		list = append(list, v)
	}
	return list
}

// sourceHealth is how the sources do that the rules watch.
func (s *Server) sourceHealth(ctx context.Context) ([]status.SourceHealth, error) {
	states, err := s.store.Sources(ctx)
	if err != nil {
		return nil, err
	}
	rules := s.rules().Rules
	if rules == nil {
		return nil, nil
	}
	return rules.Health(states, s.clock.Now()), nil
}

func webhookViews(hooks []status.Webhook, excerpt bool) []webhookView {
	var list []webhookView
	for _, h := range hooks {
		v := webhookView{
			ID: h.ID, At: h.ReceivedAt, Kind: h.Kind, Source: h.Source, State: string(h.State), Verdict: h.Verdict,
			Events: h.Events, Size: size(len(h.Body)),
		}
		for n, o := range h.Outcomes {
			if n == mostNames {
				v.Did = append(v.Did, "more")
				break
			}
			v.Did = append(v.Did, counted(o.Alerts, "alert")+" "+string(o.Did))
		}
		if excerpt {
			v.Excerpt = clip(string(h.Body), 2000)
		}
		list = append(list, v)
	}
	return list
}

func size(n int) string {
	switch {
	case n < 1000:
		return counted(n, "byte")
	case n < 1_000_000:
		return itoa(n/1000) + " kB"
	}
	return itoa(n/1_000_000) + " MB"
}

type auditPage struct {
	Entries []entryView
}

func (s *Server) showAudit(c *fiber.Ctx, _ visit) error {
	ctx := c.UserContext()
	entries, err := s.store.Entries(ctx, "", 200)
	if err != nil {
		return err
	}
	targets, err := s.targets(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "audit.html", page{Title: "Audit log", Nav: "audit", Data: auditPage{entryViews(entries, targets)}})
}

// targets links ids to what they are, for lists over everything.
func (s *Server) targets(c *fiber.Ctx) (map[string]pair, error) {
	ctx := c.UserContext()
	targets := map[string]pair{}
	issues, err := s.store.Issues(ctx, recentIssues)
	if err != nil {
		return nil, err
	}
	for _, i := range issues {
		targets[i.ID] = pair{"/admin/issues/" + i.ID, i.Title}
	}
	plans, err := s.store.Maintenances(ctx, 200)
	if err != nil {
		return nil, err
	}
	for _, m := range plans {
		targets[m.ID] = pair{"/admin/maintenance/" + m.ID, m.Title}
	}
	d, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	for _, comp := range d.components {
		targets[comp.ID] = pair{"/admin/components/" + comp.ID, comp.Name}
	}
	for _, g := range d.groups {
		targets[g.ID] = pair{"/admin/groups/" + g.ID, g.Name}
	}
	return targets, nil
}
