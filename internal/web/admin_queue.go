package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// queuePage is the admin's home: what waits for a person, then what is public.
type queuePage struct {
	Drafts    []issueCard
	Snoozed   []issueCard
	Open      []issueCard
	Suggested []suggestion // what automation would do and a person forbids
	Notify    string       // who is told by publishing, in numbers
	Setup     *setup
	RulesDown bool
	Overruns  []*overrun    // maintenance that should be over
	Troubled  []channelView // channels that do not get through
}

// issueCard is an issue at a glance.
type issueCard struct {
	ID         string
	Version    int64
	Title      string
	Look       look
	State      string
	Stage      string
	Manual     bool
	Components []affectedView
	Firing     int
	Alerts     int
	Firings    string // "3 alerts firing"
	Since      string // "14 minutes"
	Started    time.Time
	Rule       string
	Lead       string // what the oldest firing alert says
	Body       string // the newest public words
	Paused     bool   // a person holds something
	Hints      int    // open suggestions of automation
	PublishAt  time.Time

	ClaimedBy    string
	ClaimedAt    time.Time
	SnoozedBy    string
	SnoozedUntil time.Time
	UndoUntil    time.Time // zero: it cannot be taken back
	Nudge        string    // what might be forgotten
}

func (s *Server) showQueue(c *fiber.Ctx, v visit) error {
	ctx := c.UserContext()
	drafts, err := s.store.Issues(ctx, draftQuery)
	if err != nil {
		return err
	}
	open, err := s.store.Issues(ctx, store.IssueQuery{Stages: []status.Stage{status.Published}, OpenOnly: true, Limit: mostDrafts})
	if err != nil {
		return err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	view := queuePage{RulesDown: s.rules().Err != nil}
	now := s.clock.Now()
	var snoozed, awake []status.Issue
	for _, i := range drafts {
		if i.Snoozed(now) {
			snoozed = append(snoozed, i)
		} else {
			awake = append(awake, i)
		}
	}
	drafts = awake
	if view.Snoozed, err = s.cards(ctx, snoozed, d); err != nil {
		return err
	}
	if view.Drafts, err = s.cards(ctx, drafts, d); err != nil {
		return err
	}
	if view.Open, err = s.cards(ctx, open, d); err != nil {
		return err
	}
	for _, i := range slices.Concat(drafts, open) {
		for _, sg := range suggestions(i) {
			sg.From = "queue"
			view.Suggested = append(view.Suggested, sg)
		}
	}
	if view.Notify, err = s.whoIsTold(ctx); err != nil {
		return err
	}
	if view.Setup, err = s.setup(ctx, v, d); err != nil {
		return err
	}
	if view.Overruns, err = s.overruns(ctx); err != nil {
		return err
	}
	channels, err := s.channelViews(ctx)
	if err != nil {
		return err
	}
	for _, ch := range channels {
		if ch.Paused || ch.Problem != "" {
			view.Troubled = append(view.Troubled, ch)
		}
	}
	title := "Nothing waiting"
	if n := len(drafts); n > 0 {
		title = counted(n, "draft") + " waiting"
	}
	return s.render(c, http.StatusOK, "queue.html", page{Title: title, Nav: "queue", Drafts: len(drafts), Data: view})
}

func (s *Server) cards(ctx context.Context, issues []status.Issue, d directory) ([]issueCard, error) {
	var cards []issueCard
	for _, i := range issues {
		signals, err := s.store.IssueSignals(ctx, i.ID)
		if err != nil {
			return nil, err
		}
		cards = append(cards, s.card(i, signals, d))
	}
	return cards, nil
}

func (s *Server) card(i status.Issue, signals []status.Signal, d directory) issueCard {
	card := issueCard{
		ID: i.ID, Version: i.Version, Title: i.Title, Look: lookOfIssue(i),
		State: stateWords[i.State], Stage: stageWords[i.Stage], Manual: i.Origin == status.Manual,
		Components: d.affected(i.Components), Alerts: len(signals), Started: i.StartedAt, Rule: i.Rule,
		Paused: len(i.Held) > 0, Hints: len(i.Waiting()),
	}
	for _, sig := range signals {
		if sig.Firing {
			card.Firing++
		}
	}
	switch {
	case card.Firing > 0:
		card.Firings = counted(card.Firing, "alert") + " firing"
	case card.Alerts > 0:
		card.Firings = "alerts quiet"
	}
	if views := s.signalViews(signals); len(views) > 0 && views[0].Firing && views[0].Summary != "" {
		card.Lead = views[0].Name + ": " + clip(views[0].Summary, 200)
	}
	end := s.clock.Now()
	card.ClaimedBy, card.ClaimedAt = i.ClaimedBy, i.ClaimedAt
	if i.Snoozed(end) {
		card.SnoozedBy, card.SnoozedUntil = i.SnoozedBy, i.SnoozedUntil
	}
	if until := i.UndoUntil(); until.After(end) {
		card.UndoUntil = until
	}
	card.Nudge = nudge(i, signals, end)
	if i.State == status.Resolved && !i.ResolvedAt.IsZero() {
		end = i.ResolvedAt
	}
	card.Since = roughly(end.Sub(i.StartedAt))
	if n := len(i.Updates); n > 0 {
		card.Body = i.Updates[n-1].Body
	}
	if rule, ok := s.ruleOf(i); ok && i.Stage == status.Draft && rule.Open.Publish == status.PublishAuto {
		card.PublishAt = i.CreatedAt.Add(rule.Open.PublishAfter)
	}
	return card
}

// After how long something may have been forgotten.
const (
	quietTooLong  = 10 * time.Minute
	silentTooLong = 30 * time.Minute
)

// nudge says what may have been forgotten about an open public issue.
func nudge(i status.Issue, signals []status.Signal, now time.Time) string {
	if !i.Public() || !i.Open() {
		return ""
	}
	var ended, said time.Time
	firing := false
	for _, sig := range signals {
		firing = firing || sig.Firing
		if sig.EndsAt.After(ended) {
			ended = sig.EndsAt
		}
	}
	for _, u := range i.Updates {
		if u.CreatedAt.After(said) {
			said = u.CreatedAt
		}
	}
	switch {
	case !firing && !ended.IsZero() && now.Sub(ended) >= quietTooLong:
		return "Its alerts are quiet for " + roughly(now.Sub(ended)) + ": publish Resolved?"
	case now.Sub(said) >= silentTooLong:
		return "No update for " + roughly(now.Sub(said)) + ": tell customers how it goes?"
	}
	return ""
}

func (s *Server) ruleOf(i status.Issue) (status.Rule, bool) {
	rules := s.rules().Rules
	if rules == nil || i.Rule == "" {
		return status.Rule{}, false
	}
	return rules.Find(i.Rule)
}

// whoIsTold says in numbers who hears of a publication. "" is nobody.
func (s *Server) whoIsTold(ctx context.Context) (string, error) {
	var told []string
	if s.cfg.MailConfigured {
		n, err := s.store.SubscriberCount(ctx)
		if err != nil {
			return "", err
		}
		if n > 0 {
			told = append(told, "up to "+counted(n, "subscriber")+" by email")
		}
	}
	if s.cfg.TwitterConfigured {
		told = append(told, "one post on Twitter")
	}
	if n := len(s.cfg.Channels); n > 0 {
		told = append(told, counted(n, "other channel"))
	}
	return strings.Join(told, " and "), nil
}

// counted writes "1 draft", "2 drafts", "1,204 subscribers".
func counted(n int, word string) string {
	digits := thousands(n)
	if n == 1 {
		return digits + " " + word
	}
	return digits + " " + word + "s"
}

// thousands writes 1,204.
func thousands(n int) string {
	digits := itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
