package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// issuePage is one issue with all that a person needs to decide.
type issuePage struct {
	Card        issueCard
	Issue       status.Issue
	Alert       string // why nothing was done
	Homeless    string // what was typed into a form that the issue has no more
	Paused      []pausedField
	PausedLine  string
	Suggestions []suggestion
	Form        issueForm
	Update      updateForm
	Wordings    wordings // for the update
	Merge       mergeForm
	Postmortem  postmortemForm
	Updates     []updateView // newest first
	Signals     []signalView
	Timeline    timeline
	Log         []entryView
	Notify      string
	Times       timesForm
	Draft       bool
	Public      bool
	Closed      bool // dismissed, or resolved: nothing to say any more but updates
}

// pausedField is a field that a person holds against automation.
type pausedField struct {
	Field, Word string
	By          string
	At          time.Time
}

// suggestion is what automation would do to a field, were it not held.
type suggestion struct {
	Issue                      string
	Version                    int64
	Field, Word, Value, Reason string
	At                         time.Time
	Title                      string
	HeldBy                     string // "" when nobody holds it: the breaker has stopped automation
	From                       string // the page to come back to
}

// timesForm corrects when the issue began and ended.
type timesForm struct {
	Started, Resolved string
	Over              bool
}

func newTimesForm(i status.Issue) timesForm {
	f := timesForm{Started: i.StartedAt.UTC().Format(localLayout + ":05"), Over: i.State == status.Resolved}
	if f.Over {
		f.Resolved = i.ResolvedAt.UTC().Format(localLayout + ":05")
	}
	return f
}

type updateView struct {
	ID              string
	Typed           string // what a person wrote instead, not saved yet
	Opening         bool   // edited as a field of the issue
	State, Body, By string
	At              time.Time
	Edited, Silent  bool
	Changes         []string
}

// updateForm posts a statement. The states come with words to start from.
type updateForm struct {
	Version int64
	Body    string
	States  []option
	Silent  bool
	Problem string
	Resolve bool
}

func (s *Server) issuePage(ctx context.Context, id string, in issueInput) (issuePage, error) {
	i, err := s.store.Issue(ctx, id)
	if err != nil {
		return issuePage{}, err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return issuePage{}, err
	}
	signals, err := s.store.IssueSignals(ctx, id)
	if err != nil {
		return issuePage{}, err
	}
	entries, err := s.store.Entries(ctx, id, 100)
	if err != nil {
		return issuePage{}, err
	}
	sh := in.sheet
	if sh == nil {
		sh = issueSheet(i)
	}
	view := issuePage{
		Card: s.card(i, signals, d), Issue: i, Alert: in.alert,
		Paused: pausedFields(i), Suggestions: suggestions(i),
		Form: d.issueForm(i, sh), Update: newUpdateForm(i, in.update),
		Updates: updateViews(i.Updates), Signals: s.signalViews(signals), Log: entryViews(entries, nil),
		Times: newTimesForm(i),
		Draft: i.Stage == status.Draft, Public: i.Public(), Closed: !i.Open(),
	}
	for n, u := range view.Updates {
		view.Updates[n].Typed = in.said[u.ID]
	}
	view.PausedLine = pausedLine(view.Paused)
	if view.Timeline, err = s.timeline(ctx, i, entries, signals); err != nil {
		return view, err
	}
	if in.invalid.Field != "" {
		view.Form.Problem[in.invalid.Field] = in.invalid.Message
		view.Alert = "Nothing was saved yet: " + in.invalid.Message + "."
	}
	if view.Merge, err = s.merging(ctx, i); err != nil {
		return view, err
	}
	view.Homeless = in.homeless(i)
	view.Postmortem = newPostmortemForm(i)
	if typed := in.postmortem; typed != nil {
		view.Postmortem.Body, view.Postmortem.Problem, view.Postmortem.Open = typed.Body, typed.Problem, true
	}
	if view.Draft {
		if view.Form.Wordings, err = s.wordings(ctx, "/admin/issues/"+id+"/review", true); err != nil {
			return view, err
		}
	}
	if view.Wordings, err = s.wordings(ctx, "/admin/issues/"+id+"/fill#update", false); err != nil {
		return view, err
	}
	view.Notify, err = s.whoIsTold(ctx)
	return view, err
}

func pausedFields(i status.Issue) []pausedField {
	var list []pausedField
	for _, f := range status.Fields {
		if h, held := i.Held[f]; held {
			list = append(list, pausedField{string(f), fieldWords[f], h.By, h.At})
		}
	}
	return list
}

// pausedLine is "title and state since 22 Nov, 03:12 UTC".
func pausedLine(paused []pausedField) string {
	if len(paused) == 0 {
		return ""
	}
	var words []string
	first := paused[0].At
	for _, p := range paused {
		words = append(words, p.Word)
		if p.At.Before(first) {
			first = p.At
		}
	}
	return inWords(words) + " since " + utc(first)
}

// suggestions lists what automation would do to the issue and waits for a person.
func suggestions(i status.Issue) []suggestion {
	var list []suggestion
	for _, sg := range i.Waiting() {
		value := sg.Value
		switch sg.Field {
		case status.FieldState:
			value = cmp.Or(stateWords[status.IssueState(value)], value)
		case status.FieldImpact:
			value = cmp.Or(impactLooks[status.Impact(value)].Word, value)
		}
		list = append(list, suggestion{
			Issue: i.ID, Version: i.Version, Title: i.Title, Field: string(sg.Field), Word: fieldWords[sg.Field], Value: value,
			Reason: sg.Reason, At: sg.At, HeldBy: i.Held[sg.Field].By,
		})
	}
	return list
}

func newUpdateForm(i status.Issue, typed *updateForm) updateForm {
	f := updateForm{Version: i.Version, States: stateOptions(string(i.State), status.IssueStates...)}
	if typed != nil {
		f.Body, f.Silent, f.Problem = typed.Body, typed.Silent, typed.Problem
		f.States = typed.States
	}
	return f
}

func updateViews(updates []status.Update) []updateView {
	var list []updateView
	for n, u := range slices.Backward(updates) {
		view := updateView{
			State: cmp.Or(stateWords[status.IssueState(u.State)], tellingWords[u.State], maintenanceLooks[status.MaintenanceState(u.State)].Word),
			ID:    u.ID, Opening: n == 0,
			Body: u.Body, By: u.By, At: u.DisplayAt, Edited: !u.EditedAt.IsZero(), Silent: u.Silent,
		}
		for _, ch := range u.Changes {
			view.Changes = append(view.Changes, ch.Name+": "+strings.ToLower(statusLooks[ch.New].Word))
		}
		list = append(list, view)
	}
	return list
}

// updateIssue posts a statement; with the state resolved it ends the issue.
func (s *Server) updateIssue(c *fiber.Ctx, v visit) error {
	id, f := param(c), form(c)
	now, err := s.store.Issue(c.UserContext(), id)
	if err != nil {
		return err
	}
	edit := status.PostUpdate{ID: id, Version: version(f), Body: lines(f.Get("body")), Silent: f.Get("silent") != ""}
	done := "updated"
	if st := status.IssueState(f.Get("state")); st != "" {
		edit.State = &st
		if st == status.Resolved && now.State != status.Resolved {
			done = "resolved"
		}
	}
	_, err = s.revise(c.UserContext(), v, edit)
	typed := &updateForm{Body: edit.Body, Silent: edit.Silent, States: stateOptions(f.Get("state"), status.IssueStates...)}
	return answers{
		then: "/admin/issues/" + id, done: done,
		conflict: func() error {
			now, err := s.store.Issue(c.UserContext(), id)
			if err != nil {
				return err
			}
			if saidAlready(now, edit, v.account.Email, s.clock.Now()) {
				return redirect(c, "/admin/issues/"+id, done)
			}
			typed.Problem = "Not posted yet: the issue changed while you wrote, see the updates below. Your text is still here. Check that it fits, then post it."
			return s.sendIssue(c, http.StatusConflict, issueInput{update: typed, alert: "The issue changed while you wrote. Your update is still in the form, and not posted yet."})
		},
		invalid: func(invalid status.Invalid) error {
			typed.Problem = "Not posted yet: " + invalid.Message + "."
			return s.sendIssue(c, http.StatusUnprocessableEntity, issueInput{update: typed})
		},
	}.answer(c, err)
}

// saidAlready recognises a form that was sent twice.
func saidAlready(i status.Issue, e status.PostUpdate, who string, now time.Time) bool {
	if len(i.Updates) == 0 {
		return false
	}
	last := i.Updates[len(i.Updates)-1]
	return last.By == who && last.Body == e.Body && now.Sub(last.CreatedAt) < time.Hour &&
		(e.State == nil || *e.State == i.State)
}
