package demo

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// days is how far back the demo's past goes.
const days = 90

// past makes history by the verbs that make it every day, on a clock of its
// own: what the page then says of it is computed, not painted.
type past struct {
	ctx        context.Context
	store      *store.Store
	rules      *status.Rules
	now        time.Time // of the past
	components map[string]string
	dice       *rand.Rand
}

// seed fills an empty database with the ninety days before now. The same now
// gives the same past.
func seed(ctx context.Context, s *store.Store, rules *status.Rules, now time.Time) error {
	p := &past{ctx: ctx, store: s, rules: rules, now: now.AddDate(0, 0, -days), components: map[string]string{}, dice: rand.New(rand.NewPCG(days, 1))}
	for _, step := range []func(now time.Time) error{p.begin, p.live, p.today, p.measure, p.subscribe} {
		if err := step(now); err != nil {
			return fmt.Errorf("the demo's past, %s: %w", p.now.Format(time.DateTime), err)
		}
	}
	return nil
}

// until lets the clock of the past run, and do what falls due on the way.
func (p *past) until(t time.Time) error {
	for {
		due, err := p.store.Due(p.ctx)
		if err != nil {
			return err
		}
		if due.IsZero() || due.After(t) {
			p.now = t
			return nil
		}
		if due.After(p.now) {
			p.now = due
		}
		if _, err := p.apply(func(b status.Board) (status.Changes, error) { return status.Tick(b, p.rules, p.now), nil }); err != nil {
			return err
		}
	}
}

// apply saves a decision. Nobody is told again: in the past they all were.
func (p *past) apply(decide func(status.Board) (status.Changes, error), subjects ...string) (result string, err error) {
	_, err = p.store.Apply(p.ctx, p.now, func(b status.Board) (status.Changes, error) {
		c, err := decide(b)
		result, c.Announcements = c.Result, nil
		return c, err
	}, subjects...)
	return result, err
}

// person carries out a decision of the person on call.
func (p *past) person(e status.Edit) (string, error) {
	return p.apply(func(b status.Board) (status.Changes, error) { return status.Revise(b, p.rules, e, onCall, p.now) }, e.Subjects()...)
}

// alert is a statement of the monitoring.
func (p *past) alert(firing bool, labels map[string]string) error {
	f := status.Fact{
		Source: "prod", Fingerprint: status.GroupKey(labels), Firing: firing, Labels: labels,
		Annotations: map[string]string{"summary": labels["alertname"]}, StartsAt: p.now, OrderedAt: p.now, ReceivedAt: p.now,
	}
	if !firing {
		f.EndsAt = p.now
	}
	_, err := p.apply(func(b status.Board) (status.Changes, error) {
		return status.Receive(b, p.rules, []status.Fact{f}, p.now), nil
	})
	return err
}

// begin makes the components.
func (p *past) begin(time.Time) error {
	for n, g := range catalogue {
		group, err := p.person(status.SaveGroup{Group: status.Group{Name: g.name, Position: n}})
		if err != nil {
			return err
		}
		for m, c := range g.components {
			id, err := p.person(status.SaveComponent{Component: status.Component{
				GroupID: group, Slug: c.slug, Name: c.name, Description: c.description, Position: m, Status: status.Operational,
			}})
			if err != nil {
				return err
			}
			p.components[c.slug] = id
		}
	}
	return nil
}

// live goes through what happened, oldest first.
func (p *past) live(now time.Time) error {
	for _, e := range events {
		began := now.AddDate(0, 0, -e.daysAgo).Truncate(24 * time.Hour).Add(time.Duration(7*60+p.dice.IntN(11*60)) * time.Minute)
		var err error
		if e.work {
			err = p.maintain(e, began)
		} else {
			err = p.suffer(e, began)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// suffer is an issue from its alert to its end.
func (p *past) suffer(e event, began time.Time) error {
	labels := map[string]string{"alertname": "ErrorRateHigh", "status_component": e.component, "severity": "critical"}
	if err := p.until(began); err != nil {
		return err
	}
	if err := p.alert(true, labels); err != nil {
		return err
	}
	if err := p.until(began.Add(3 * time.Minute)); err != nil {
		return err
	}
	id, err := p.publish(e, "by-service")
	if err != nil {
		return err
	}
	lasts := time.Duration(e.minutes) * time.Minute
	for n, said := range e.updates {
		if err := p.until(began.Add(lasts * time.Duration(n+1) / time.Duration(len(e.updates)))); err != nil {
			return err
		}
		if said.state == status.Resolved {
			if err := p.alert(false, labels); err != nil {
				return err
			}
		}
		if _, err := p.person(status.PostUpdate{ID: id, Body: said.body, State: &said.state}); err != nil {
			return err
		}
	}
	return nil
}

// publish confirms the draft of a rule.
func (p *past) publish(e event, rule string) (string, error) {
	drafts, err := p.store.Issues(p.ctx, store.IssueQuery{Stages: []status.Stage{status.Draft}, OpenOnly: true})
	if err != nil {
		return "", err
	}
	for _, d := range drafts {
		if d.Rule != rule {
			continue
		}
		edit := status.EditIssue{ID: d.ID}
		if e.title != "" {
			affected := []status.Affected{{ComponentID: p.components[e.component], Status: e.status}}
			edit.Title, edit.Body, edit.Impact, edit.Components = &e.title, &e.body, &e.impact, &affected
		}
		return p.person(status.PublishIssue{EditIssue: edit})
	}
	return "", fmt.Errorf("rule %s made no draft", rule)
}

// maintain is planned work, announced two days before.
func (p *past) maintain(e event, began time.Time) error {
	if err := p.until(began.AddDate(0, 0, -2)); err != nil {
		return err
	}
	return p.plan(e, began)
}

func (p *past) plan(e event, from time.Time) error {
	_, err := p.person(status.SaveMaintenance{Maintenance: status.Maintenance{
		Title: e.title, Body: e.body, Components: []string{p.components[e.component]}, AutoStart: true, AutoEnd: true,
		ScheduledFor: from, ScheduledUntil: from.Add(time.Duration(e.minutes) * time.Minute),
	}})
	return err
}

// today leaves an issue open and work ahead.
func (p *past) today(now time.Time) error {
	began := now.Add(-47 * time.Minute)
	if err := p.until(began); err != nil {
		return err
	}
	if err := p.plan(ahead, now.Truncate(time.Hour).Add(50*time.Hour)); err != nil {
		return err
	}
	if err := p.alert(true, map[string]string{"alertname": "WebhookQueueLong", "severity": "warning"}); err != nil {
		return err
	}
	if err := p.until(began.Add(4 * time.Minute)); err != nil {
		return err
	}
	id, err := p.publish(event{}, "webhooks-delayed")
	if err != nil {
		return err
	}
	if err := p.until(began.Add(21 * time.Minute)); err != nil {
		return err
	}
	identified := status.Identified
	if _, err := p.person(status.PostUpdate{ID: id, State: &identified, Body: "One of our queues filled up after a deployment. We have added workers, and it is getting shorter."}); err != nil {
		return err
	}
	return p.until(now)
}

// measure keeps the response times of the last month, an hour each; the
// newest are measured by the daemon itself.
func (p *past) measure(now time.Time) error {
	var samples []status.Sample
	hour := now.Truncate(time.Hour)
	for at := hour.AddDate(0, 0, -30); at.Before(hour); at = at.Add(time.Hour) {
		mean := responseTime(at)
		samples = append(samples, status.Sample{Chart: status.Slug(chartName), Step: time.Hour, At: at, Low: mean * .8, High: mean * 1.4, Mean: mean})
	}
	_, err := p.apply(func(status.Board) (status.Changes, error) { return status.Measured(samples), nil })
	return err
}

// responseTime is what the made-up API took, in milliseconds: more by day, and
// never quite the same.
func responseTime(at time.Time) float64 {
	hours := float64(at.Unix()) / 3600
	daily := math.Sin((hours - 8) / 24 * 2 * math.Pi)
	return math.Round(140 + 35*daily + 12*math.Sin(hours*1.7) + 9*math.Sin(hours*13.1))
}

// subscribe adds who wants mail.
func (p *past) subscribe(now time.Time) error {
	var rows []status.Subscriber
	for n, name := range []string{"amira", "ben", "chidi", "dana", "emil", "farah", "gao", "hanna"} {
		rows = append(rows, status.Subscriber{
			ID: fmt.Sprintf("demo%d", n), Email: name + "@customer.example", Token: fmt.Sprintf("demotoken%08d", n),
			CreatedAt: now.AddDate(0, 0, -60), ConfirmedAt: now.AddDate(0, 0, -60),
		})
	}
	rows[1].Language, rows[5].Language = "de", "fr"
	_, err := p.store.Import(p.ctx, now, rows, true, false)
	return err
}
