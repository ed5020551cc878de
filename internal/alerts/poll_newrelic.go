package alerts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Limits of polling New Relic.
const (
	// newRelicPatience bounds one poll, however many questions it takes.
	newRelicPatience = 30 * time.Second
	// idsPerQuestion bounds the issues that one question names.
	idsPerQuestion = 100
	// overlap is how far before the last good poll the events are read again:
	// they arrive late.
	overlap = 15 * time.Minute
	// firstLook is how far back the first poll looks. After three days New Relic
	// closes what nobody closed.
	firstLook = 72 * time.Hour
)

// newRelicBelief is what we hold of a source before we ask it.
type newRelicBelief struct {
	since   time.Time                  // events after that may be news
	signals map[string][]status.Signal // by id of the issue
}

// firing lists the ids of the issues that fire here.
func (b newRelicBelief) firing() []string {
	var ids []string
	for id, all := range b.signals {
		if slices.ContainsFunc(all, func(s status.Signal) bool { return s.Firing }) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// pollNewRelic asks what became of the issues that fire here, and which others
// began. What it learns comes in as webhooks do. That an answer lacks an issue
// means nothing: only a state that New Relic states ends one.
func (p *Poller) pollNewRelic(ctx context.Context, rules *status.Rules, src status.Source) error {
	asked := p.cfg.Clock.Now()
	belief, err := p.newRelicBelief(ctx, src)
	if err != nil {
		return err
	}
	answers, err := p.askNewRelic(ctx, src, belief)
	if err == nil {
		// Before the poll counts as answered: once it does, silence is believed.
		err = p.deliverNewRelic(ctx, src, belief, answers)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	seen := status.Seen{Source: src.Name, AskedAt: asked, Trusted: err == nil}
	if err != nil {
		seen.Err = err.Error()
	}
	_, failed := p.cfg.Applier.Apply(ctx, p.cfg.Clock.Now(), func(b status.Board) (status.Changes, error) {
		seen.Active = allFiring(b, src, answers)
		return status.Reconcile(b, rules, seen, p.cfg.Clock.Now()), nil
	})
	return errors.Join(err, failed)
}

// newRelicBelief reads the board and changes nothing.
func (p *Poller) newRelicBelief(ctx context.Context, src status.Source) (newRelicBelief, error) {
	var belief newRelicBelief
	now := p.cfg.Clock.Now()
	_, err := p.cfg.Applier.Apply(ctx, now, func(b status.Board) (status.Changes, error) {
		belief = newRelicBelief{since: now.Add(-firstLook), signals: map[string][]status.Signal{}}
		if answered := b.Sources[src.Name].AnsweredAt; !answered.IsZero() {
			belief.since = answered.Add(-overlap)
		}
		for key, s := range b.Signals {
			if id := issueOf(key, src); id != "" {
				belief.signals[id] = append(belief.signals[id], s)
			}
		}
		return status.Changes{}, nil
	})
	return belief, err
}

// allFiring lists every alert of the source that fires here as present there:
// New Relic leaves issues out of answers for reasons of its own, so absence must
// never count as a miss.
func allFiring(b status.Board, src status.Source, answers map[string]newRelicAnswer) map[string]status.SeenAlert {
	active := map[string]status.SeenAlert{}
	for key, s := range b.Signals {
		if key.Source != src.Name || !s.Firing {
			continue
		}
		suppressed := s.Suppressed
		if a, ok := answers[issueOf(key, src)]; ok {
			suppressed = a.muted()
		}
		active[key.Fingerprint] = status.SeenAlert{Suppressed: suppressed}
	}
	return active
}

// issueOf is the id of the issue that a signal stands for; "" if it is no issue
// of this account, such as an incident of the classic kind. Some webhooks do not
// say which account they are of.
func issueOf(key status.SignalKey, src status.Source) string {
	account, id, scoped := strings.Cut(key.Fingerprint, "/")
	if !scoped {
		account, id = accountOf(src), key.Fingerprint
	}
	if key.Source != src.Name || account != accountOf(src) || !wholeUUID.MatchString(id) {
		return ""
	}
	return id
}

func accountOf(src status.Source) string { return strconv.Itoa(src.AccountID) }

// askNewRelic returns what New Relic says of the issues that fire here and of
// those that lately began, by id.
func (p *Poller) askNewRelic(ctx context.Context, src status.Source, belief newRelicBelief) (map[string]newRelicAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	api, err := p.newRelicAPI(ctx, src)
	if err != nil {
		return nil, err
	}
	ids := belief.firing()
	began, err := api.began(belief.since)
	if err != nil {
		return nil, fmt.Errorf("asking New Relic which issues began: %w", err)
	}
	for _, id := range began {
		if wholeUUID.MatchString(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	answers := map[string]newRelicAnswer{}
	for chunk := range slices.Chunk(ids, idsPerQuestion) {
		if err := api.issues(chunk, answers); err != nil {
			return nil, fmt.Errorf("asking New Relic about %d issues: %w", len(chunk), err)
		}
	}
	return answers, nil
}

// deliverNewRelic takes in what the webhooks did not bring. What begins comes
// first, so that nothing looks quiet in between.
func (p *Poller) deliverNewRelic(ctx context.Context, src status.Source, belief newRelicBelief, answers map[string]newRelicAnswer) error {
	var begin, end [][]byte
	for _, id := range slices.Sorted(maps.Keys(answers)) {
		a, known := answers[id], belief.signals[id]
		if len(known) == 0 {
			known = []status.Signal{{Key: status.SignalKey{Source: src.Name, Fingerprint: accountOf(src) + "/" + id}}}
		}
		for _, s := range known {
			body, err := a.webhook(src, s.Key)
			if err != nil {
				return fmt.Errorf("issue %s: %w", id, err)
			}
			r, err := Decode(KindNewRelic, src.Name, body, p.cfg.Clock.Now(), "")
			switch {
			case err != nil:
				// A word that we do not know says nothing; the others stand.
				p.cfg.Log.Warn("issue not understood", "source", src.Name, "issue", id, "err", err)
			case len(r.Facts) != 1 || a.muted() && !s.Firing || !news(s, r.Facts[0]):
			case r.Facts[0].Firing:
				begin = append(begin, body)
			default:
				end = append(end, body)
			}
		}
	}
	for _, body := range slices.Concat(begin, end) {
		if _, err := p.cfg.Accept(ctx, KindNewRelic, src.Name, body); err != nil {
			return fmt.Errorf("issues found by asking: %w", err)
		}
	}
	if len(begin)+len(end) > 0 {
		p.cfg.Log.Info("issues found that no webhook brought", "source", src.Name, "began", len(begin), "ended", len(end))
	}
	return nil
}

// news reports whether a statement by New Relic differs from what we believe.
// What the core would leave out as stale is none, or each poll would bring it
// anew; nor is an end that no rule took for a recovery, a second time.
func news(s status.Signal, f status.Fact) bool {
	at := firstTime(f.OrderedAt, f.EndsAt, f.StartsAt)
	switch {
	case f.Firing:
		return !s.Firing && at.After(s.OrderedAt)
	case !s.Firing:
		return false
	case f.MergedInto != "":
		return true
	case f.Unrecovered:
		return at.After(s.OrderedAt)
	}
	return !at.Before(s.OrderedAt)
}

// newRelicAnswer is an issue as NerdGraph describes it. What is only handed on
// stays as it came.
type newRelicAnswer struct {
	ID          string         `json:"issueId"`
	State       string         `json:"state"`
	Event       string         `json:"eventType"`
	Priority    jsontext.Value `json:"priority"`
	Title       jsontext.Value `json:"title"`
	Description jsontext.Value `json:"description"`
	Entities    jsontext.Value `json:"entityNames"`
	Policies    jsontext.Value `json:"policyName"`
	Conditions  jsontext.Value `json:"conditionName"`
	CreatedAt   jsontext.Value `json:"createdAt"`
	ActivatedAt jsontext.Value `json:"activatedAt"`
	ClosedAt    jsontext.Value `json:"closedAt"`
	UpdatedAt   jsontext.Value `json:"updatedAt"`
	Muting      string         `json:"mutingState"`
	MergeReason string         `json:"mergeReason"`
	MergedInto  string         `json:"parentMergeId"`
}

// muted reports whether New Relic would tell nobody of the issue.
func (a newRelicAnswer) muted() bool { return a.Muting == "FULLY_MUTED" }

// webhook is the body that our template would have made of the issue.
func (a newRelicAnswer) webhook(src status.Source, key status.SignalKey) ([]byte, error) {
	m := newRelicTemplate{
		Version: jsontext.Value("1"), IssueID: quoted(a.ID), State: quoted(a.State), Trigger: quoted(a.Event),
		Priority: a.Priority, Titles: a.Title, Descriptions: a.Description, Entities: a.Entities, Policies: a.Policies,
		Conditions: a.Conditions, CreatedAt: a.CreatedAt, ActivatedAt: a.ActivatedAt, ClosedAt: a.ClosedAt, UpdatedAt: a.UpdatedAt,
		Extra: extra{"workflow": quoted("statusbridge/reconciled")},
	}
	// A signal that came without its account must get its end without it, too.
	if strings.Contains(key.Fingerprint, "/") {
		m.AccountID, m.IssueURL = quoted(accountOf(src)), quoted(issuePage(src, a.ID))
	}
	if a.MergedInto != "" && (a.State == "CLOSED" || a.State == "DEACTIVATED") {
		m.Trigger, m.MergedInto = quoted("MERGE_REQUEST"), quoted(a.MergedInto)
	}
	return json.Marshal(m)
}

// issuePage is where New Relic's webhooks link to.
func issuePage(src status.Source, id string) string {
	host := "radar-api.service.newrelic.com"
	if src.Region == "eu" {
		host = "radar-api.service.eu.newrelic.com"
	}
	return "https://" + host + "/accounts/" + accountOf(src) + "/issues/" + id
}

// quoted writes a text as JSON; null if it is none.
func quoted(s string) jsontext.Value {
	v, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return jsontext.Value("null")
	}
	return v
}
