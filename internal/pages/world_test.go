package pages

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// noon is the present of every test.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A world is a source with a life of its own.
type world struct {
	mu    sync.Mutex
	view  status.View
	old   []status.Issue // public, but before the view's window
	works []status.Maintenance
	fails error
	reads int // of single issues, maintenance and months
}

func (w *world) View(ctx context.Context, since time.Time) (status.View, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view, w.fails
}

func (w *world) Revision(ctx context.Context) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view.Revision, w.fails
}

func (w *world) PublicIssue(ctx context.Context, id string) (status.Issue, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	for _, i := range w.old {
		if i.ID == id && w.fails == nil {
			return i, nil
		}
	}
	return status.Issue{}, w.failure()
}

func (w *world) PublicMaintenance(ctx context.Context, id string) (status.Maintenance, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	for _, m := range w.works {
		if m.ID == id && w.fails == nil {
			return m, nil
		}
	}
	return status.Maintenance{}, w.failure()
}

func (w *world) Month(ctx context.Context, win status.Window) ([]status.Issue, []status.Maintenance, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	var out []status.Issue
	for _, i := range w.old {
		if !i.StartedAt.Before(win.From) && i.StartedAt.Before(win.To) {
			out = append(out, i)
		}
	}
	return out, nil, w.fails
}

func (w *world) During(ctx context.Context, win status.Window) (status.View, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	var v status.View
	for _, i := range w.old {
		if i.StartedAt.Before(win.To) && (i.ResolvedAt.IsZero() || i.ResolvedAt.After(win.From)) {
			v.Issues = append(v.Issues, listed(i)...)
		}
	}
	return v, w.fails
}

func (w *world) failure() error {
	if w.fails != nil {
		return w.fails
	}
	return status.ErrNotFound
}

// change edits the view as a commit does.
func (w *world) change(edit func(*status.View)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.view.Revision++
	before := w.view.Issues
	were := map[string]*status.Issue{}
	w.view.Issues = slices.Clone(before)
	for n, i := range before { // whoever read the last view keeps it as it was
		own := *i
		were[i.ID], w.view.Issues[n] = i, &own
	}
	edit(&w.view)
	for n, i := range w.view.Issues { // what is as it was is the same, as in the view of the store
		if was := were[i.ID]; was != nil && reflect.DeepEqual(*was, *i) {
			w.view.Issues[n] = was
		}
	}
	if slices.Equal(w.view.Issues, before) {
		w.view.Issues = before
	}
}

func (w *world) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fails = err
}

func listed(list ...status.Issue) []*status.Issue { return status.Shared(list) }

// component makes one that has been there for 200 days.
func component(id, name, group string) status.Component {
	return status.Component{
		ID: id, Name: name, Slug: id, GroupID: group, Status: status.Operational,
		CreatedAt: noon.AddDate(0, 0, -200), UpdatedAt: noon.AddDate(0, 0, -200), Version: 1,
	}
}

// issue makes a published issue that began at a time and goes on.
func issue(id, title string, began time.Time, impact status.Impact, hit ...status.Affected) status.Issue {
	i := status.Issue{
		ID: id, Title: title, State: status.Investigating, Impact: impact, Stage: status.Published, Origin: status.FromAlert,
		Components: hit, StartedAt: began, CreatedAt: began.Add(time.Minute), PublishedAt: began.Add(2 * time.Minute), UpdatedAt: began,
	}
	var changes []status.Change
	for _, a := range hit {
		changes = append(changes, status.Change{ComponentID: a.ComponentID, Name: a.ComponentID, Old: status.Operational, New: a.Status})
	}
	return say(i, 2*time.Minute, status.Investigating, "We are investigating.", changes...)
}

// say adds an update some time after the beginning.
func say(i status.Issue, after time.Duration, state status.IssueState, body string, changes ...status.Change) status.Issue {
	at := i.StartedAt.Add(after)
	i.State, i.UpdatedAt = state, at
	i.Updates = append(append([]status.Update{}, i.Updates...), status.Update{
		ID: fmt.Sprintf("%s-%d", i.ID, len(i.Updates)+1), SubjectID: i.ID, State: string(state), Body: body,
		Changes: changes, CreatedAt: at, DisplayAt: at,
	})
	return i
}

// resolve ends an issue some time after its beginning.
func resolve(i status.Issue, after time.Duration, body string) status.Issue {
	var changes []status.Change
	healed := make([]status.Affected, len(i.Components))
	for n, a := range i.Components {
		changes = append(changes, status.Change{ComponentID: a.ComponentID, Name: a.ComponentID, Old: a.Status, New: status.Operational})
		healed[n] = status.Affected{ComponentID: a.ComponentID, Status: status.Operational}
	}
	i = say(i, after, status.Resolved, body, changes...)
	i.Components, i.ResolvedAt = healed, i.StartedAt.Add(after)
	return i
}

// maintenance makes a planned one, announced two days before.
func maintenance(id, title string, from, until time.Time, components ...string) status.Maintenance {
	m := status.Maintenance{
		ID: id, Title: title, Body: "We replace the disks. Short interruptions are possible.", State: status.Scheduled,
		Components: components, ScheduledFor: from, ScheduledUntil: until, CreatedAt: from.AddDate(0, 0, -2),
	}
	m.Updates = []status.Update{{
		ID: id + "-1", SubjectID: id, State: string(status.Scheduled), Body: m.Body, CreatedAt: m.CreatedAt, DisplayAt: m.CreatedAt,
	}}
	return m
}

// move takes a maintenance to a state.
func move(m status.Maintenance, at time.Time, to status.MaintenanceState, body string) status.Maintenance {
	m.State = to
	switch to {
	case status.InProgress:
		m.StartedAt = at
	case status.Completed, status.Cancelled:
		m.EndedAt = at
	}
	m.Updates = append(append([]status.Update{}, m.Updates...), status.Update{
		ID: fmt.Sprintf("%s-%d", m.ID, len(m.Updates)+1), SubjectID: m.ID, State: string(to), Body: body, CreatedAt: at, DisplayAt: at,
	})
	return m
}

func hit(component string, s status.ComponentStatus) status.Affected {
	return status.Affected{ComponentID: component, Status: s}
}

// calm is a page of nine components with a past and nothing wrong now.
func calm() status.View {
	v := status.View{Revision: 7}
	v.Groups = []status.Group{
		{ID: "g-core", Name: "Core platform", Position: 1, CreatedAt: noon.AddDate(0, 0, -200), UpdatedAt: noon.AddDate(0, 0, -200)},
		{ID: "g-pay", Name: "Payments", Description: "Card, bank and wallet payments in all regions", Position: 2, CreatedAt: noon.AddDate(0, 0, -200), UpdatedAt: noon.AddDate(0, 0, -200)},
	}
	add := func(id, name, group, about string) {
		c := component(id, name, group)
		c.Description, c.Position = about, len(v.Components)
		v.Components = append(v.Components, c)
	}
	add("website", "Website", "", "")
	add("docs", "Documentation", "", "Guides and the API reference")
	add("api", "API", "g-core", "")
	add("dashboard", "Dashboard", "g-core", "")
	add("webhooks", "Webhooks", "g-core", "Deliveries to your endpoints")
	add("search", "Search", "g-core", "")
	add("cards", "Card payments", "g-pay", "")
	add("payouts", "Payouts", "g-pay", "")
	add("wallets", "Wallets", "g-pay", "")
	v.Components[5].StartDate = noon.AddDate(0, 0, -41)
	ago := func(days int, hour float64) time.Time {
		return noon.Truncate(24*time.Hour).AddDate(0, 0, -days).Add(time.Duration(hour * float64(time.Hour)))
	}
	v.Issues = listed(
		resolve(say(issue("aa1", "Elevated error rates in the API", ago(2, 9.2), status.ImpactMajor, hit("api", status.PartialOutage), hit("dashboard", status.DegradedPerformance)),
			31*time.Minute, status.Monitoring, "A fix is out; error rates are back to normal. We keep watching."), 65*time.Minute, "The fault was a **bad deploy**, which was rolled back. All requests succeed again."),
		resolve(issue("aa2", "Webhook deliveries delayed", ago(6, 14.5), status.ImpactMinor, hit("webhooks", status.DegradedPerformance)), 48*time.Minute, "The backlog is worked off."),
		resolve(issue("aa3", "Card payments declined", ago(18, 7), status.ImpactCritical, hit("cards", status.MajorOutage)), 137*time.Minute, "Our acquirer restored service."),
		resolve(issue("aa4", "Slow search results", ago(29, 16), status.ImpactMinor, hit("search", status.DegradedPerformance)), 3*time.Hour, "Indexes were rebuilt."),
		resolve(issue("aa5", "API unavailable in one region", ago(47, 3), status.ImpactMajor, hit("api", status.MajorOutage), hit("webhooks", status.PartialOutage)), 22*time.Minute, "The region is back."),
		resolve(issue("aa6", "Payouts delayed", ago(66, 10), status.ImpactMajor, hit("payouts", status.PartialOutage)), 9*time.Hour, "All payouts of the day were sent."),
	)
	v.Maintenances = []status.Maintenance{
		move(move(maintenance("mm0", "Database upgrade", ago(9, 2), ago(9, 4), "api", "dashboard"), ago(9, 2), status.InProgress, "The maintenance has begun."), ago(9, 3.5), status.Completed, "The upgrade went through early."),
	}
	return v
}

// storm is calm with an active major issue and maintenance.
func storm() status.View {
	v := calm()
	v.Revision = 8
	a := issue("st1", "Card payments and payouts are failing", noon.Add(-83*time.Minute), status.ImpactCritical, hit("cards", status.MajorOutage), hit("payouts", status.PartialOutage))
	a = say(a, 14*time.Minute, status.Investigating, "About 40 % of card payments fail since 10:37 UTC. Payouts wait and will be sent later; **no money is lost**.")
	a = say(a, 39*time.Minute, status.Identified, "The cause is an expired certificate between us and our acquirer:\n\n- a new one was issued at 11:05 UTC\n- it is being rolled out region by region\n\nDetails on [our support page](https://support.example.com/cards).")
	a.Updates[2].EditedAt = noon.Add(-30 * time.Minute)
	a = say(a, 61*time.Minute, status.Identified, "Two of three regions are done. Europe follows within the hour.")
	a = say(a, 74*time.Minute, status.Monitoring, "All regions have the new certificate. Success rates recover; we keep watching before we call it over.")
	a.MonitoringAt = noon.Add(-9 * time.Minute)
	b := issue("st2", "Dashboard loads slowly", noon.Add(-25*time.Minute), status.ImpactMinor, hit("dashboard", status.DegradedPerformance))
	v.Issues = append(listed(b, a), v.Issues...)
	running := move(maintenance("mm1", "Search cluster: new disks", noon.Add(-time.Hour), noon.Add(time.Hour), "search"), noon.Add(-time.Hour), status.InProgress, "The maintenance has begun.")
	up1 := maintenance("mm2", "Network maintenance in Frankfurt", noon.Add(37*time.Hour), noon.Add(39*time.Hour), "api", "website")
	up2 := maintenance("mm3", "Payment provider switch", noon.Add(8*24*time.Hour), noon.Add(8*24*time.Hour+14*time.Hour), "cards")
	v.Maintenances = append([]status.Maintenance{up2, up1, running}, v.Maintenances...)
	return v
}

// fresh is a page on which nothing was set up.
func fresh() status.View { return status.View{Revision: 1} }
