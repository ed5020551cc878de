package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// webhookPage is one delivery: what came, and what each of its alerts did.
type webhookPage struct {
	ID       string
	Webhook  webhookView
	Outcomes []outcomeView
	Body     string // to read
	Cut      bool   // Body is only its beginning
	Dead     bool
	Mend     string // the body to mend; "" when it is too large or no text
	Problem  string
}

// outcomeView is what alerts that follow one another did.
type outcomeView struct {
	Alerts string
	Did    string
	Names  []string // of the first of them
	Rules  []pair   // rules that took them, with their groups
}

const (
	mostShown  = 64 << 10  // of a body to read, in bytes
	mostMended = 256 << 10 // of a body in a form
	mostNames  = 5
)

func (s *Server) showWebhook(c *fiber.Ctx, _ visit) error {
	w, err := s.store.Webhook(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return s.sendWebhook(c, http.StatusOK, w, webhookPage{})
}

func (s *Server) sendWebhook(c *fiber.Ctx, code int, w status.Webhook, view webhookPage) error {
	view.ID, view.Webhook, view.Outcomes = w.ID, webhookViews([]status.Webhook{w}, false)[0], outcomeViews(w)
	view.Body, view.Dead = readable(w.Body), w.State == status.WebhookDead
	if view.Cut = len(view.Body) > mostShown; view.Cut {
		view.Body = clip(view.Body, mostShown)
	}
	if view.Dead && view.Mend == "" && len(w.Body) <= mostMended && utf8.Valid(w.Body) {
		view.Mend = string(w.Body)
	}
	return s.render(c, code, "webhook.html", page{Title: "Webhook from " + w.Source, Nav: "alerts", Data: view})
}

// readable indents JSON; what is none stays as it is.
func readable(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return strings.ToValidUTF8(string(body), "�")
	}
	return b.String()
}

// eachOutcome visits what the alerts of a webhook did, with what was said of
// them, by reading the body again: outcomes stand in the order of its facts. A
// body that cannot be read has no facts.
func eachOutcome(w status.Webhook, visit func(o status.Outcome, facts []status.Fact)) {
	var facts []status.Fact
	if len(w.Outcomes) > 0 {
		if r, err := alerts.Decode(w.Kind, w.Source, w.Body, w.ReceivedAt, w.ID); err == nil {
			facts = r.Facts
		}
	}
	for _, o := range w.Outcomes {
		n := min(o.Alerts, len(facts))
		visit(o, facts[:n])
		facts = facts[n:]
	}
}

// outcomeViews name some of the alerts.
func outcomeViews(w status.Webhook) []outcomeView {
	var list []outcomeView
	eachOutcome(w, func(o status.Outcome, facts []status.Fact) {
		v := outcomeView{Alerts: counted(o.Alerts, "alert"), Did: string(o.Did)}
		for _, f := range facts[:min(len(facts), mostNames)] {
			v.Names = append(v.Names, alertName(f.Labels, f.Fingerprint))
		}
		for _, t := range o.Tracks {
			v.Rules = append(v.Rules, pair{t.Rule, t.Group})
		}
		list = append(list, v)
	})
	return list
}

// replayWebhook takes a dead letter in again, mended or as it is. The dead one
// is closed and keeps its body.
func (s *Server) replayWebhook(c *fiber.Ctx, v visit) error {
	ctx, id, f := c.UserContext(), c.Params("id"), form(c)
	w, err := s.store.Webhook(ctx, id)
	if err != nil {
		return err
	}
	if w.State != status.WebhookDead {
		return redirect(c, "/admin/alerts/"+id, "replayed") // sent twice
	}
	body := w.Body
	if mended := f.Get("body"); f.Get("mended") != "" {
		if _, err := alerts.Decode(w.Kind, w.Source, []byte(mended), s.clock.Now(), ""); err != nil {
			return s.sendWebhook(c, http.StatusUnprocessableEntity, w, webhookPage{Mend: mended, Problem: "Nothing was taken in: it still cannot be read: " + err.Error()})
		}
		body = []byte(mended)
	}
	// two at the same moment take it in once
	p := store.Promise{Name: "replay " + id, CreatedAt: s.clock.Now()}
	_, first, err := s.store.Promise(ctx, p, keysLast)
	if err != nil {
		return err
	}
	if !first {
		return redirect(c, "/admin/alerts/"+id, "replayed")
	}
	receipt, err := s.intake.Accept(ctx, w.Kind, w.Source, body)
	if err != nil {
		return errors.Join(err, s.store.BreakPromise(ctx, p.Name)) // nothing was taken in
	}
	now, text := s.clock.Now(), "taken in again as "+receipt.ID+" by "+v.account.Email+"; it was: "+w.Verdict
	_, err = s.store.Apply(ctx, now, func(status.Board) (status.Changes, error) {
		return status.Changes{
			Verdicts: []status.Verdict{{WebhookID: id, State: status.WebhookProcessed, Text: clip(text, 500)}},
			Entries: []status.Entry{{
				At: now, Actor: v.account.Email, Action: "replayed", Subject: id, Reason: status.ReasonPerson,
				Detail: "webhook from " + w.Source + " as " + receipt.ID,
			}},
		}, nil
	})
	if err != nil {
		return err
	}
	return redirect(c, "/admin/alerts/"+receipt.ID, "replayed")
}

// sourceView is how a source does, in what it sends and in what it answers.
type sourceView struct {
	status.SourceHealth
	Peers       []string
	LastWebhook time.Time
	Every       string // how often it is asked, "" if it is not
	Heartbeats  bool   // it has a heartbeat
}

// sourceViews lists the sources of the rules, and those that sent one of the
// webhooks.
func (s *Server) sourceViews(ctx context.Context, hooks []status.Webhook) ([]sourceView, error) {
	watched, err := s.sourceHealth(ctx)
	if err != nil {
		return nil, err
	}
	var list []sourceView
	named := func(name string) bool {
		return slices.ContainsFunc(list, func(v sourceView) bool { return v.Name == name })
	}
	if rules := s.rules().Rules; rules != nil {
		for _, src := range rules.Sources {
			v := sourceView{Peers: src.Peers, Heartbeats: len(src.Heartbeat.Matchers) > 0}
			v.Name, v.Type = src.Name, src.Type
			for _, h := range watched {
				if h.Name == src.Name {
					v.SourceHealth = h
				}
			}
			if src.Polled() && src.PollEvery > 0 {
				v.Every = roughly(src.PollEvery)
			}
			list = append(list, v)
		}
	}
	for _, w := range hooks {
		if !named(w.Source) {
			v := sourceView{}
			v.Name, v.Type = w.Source, w.Kind
			list = append(list, v)
		}
	}
	for n := range list {
		if list[n].LastWebhook, err = s.store.LastWebhook(ctx, list[n].Name); err != nil {
			return nil, err
		}
	}
	return list, nil
}
