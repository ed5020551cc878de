package broadcast

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/bubble"
	"github.com/statusbridge/statusbridge/internal/status"
)

// waitingDraft is a draft that automation opened.
func waitingDraft(id string, change ...func(*status.Issue)) status.Issue {
	i := openCheckout()
	i.ID, i.Stage, i.State, i.CalledAt = id, status.Draft, status.Investigating, noon
	i.Updates = []status.Update{{ID: "u-" + id, SubjectID: id, State: "investigating", Body: "We are investigating.", By: status.Automation, CreatedAt: noon}}
	for _, f := range change {
		f(&i)
	}
	return i
}

func firing(summary string) status.Signal {
	return status.Signal{Firing: true, Annotations: map[string]string{"summary": summary}}
}

func publishedByAda(i *status.Issue) { i.Stage, i.PublishedBy = status.Published, "ada@example.com" }

// theCall is the message about drafts that are as given.
func theCall(t *testing.T, list ...call) Message {
	t.Helper()
	m, err := composeCalls(list, newShelf().components, pageURL+"/")
	if err != nil {
		t.Fatal(err)
	}
	m.DeliveryID, m.Now, m.UpdateID = "i1-draft-x.ops", noon, "i1-draft-x"
	return m
}

func opened(i status.Issue, alerts ...status.Signal) call {
	return call{events: []status.Event{status.EventDraft}, issue: i, alerts: alerts}
}

func forOperators(cfg *ChannelConfig) { cfg.Audience = "operators" }

func TestOperatorsReadWhatWaitsAndWhereToPublishIt(t *testing.T) {
	m := theCall(t, opened(waitingDraft("i1"), firing("5xx ratio above <!channel> 5%"), firing("later"), status.Signal{}))
	for _, kind := range []string{Slack, Teams, Discord} {
		ch, fake := chatting(t, kind, forOperators)
		if _, err := ch.Send(t.Context(), m); err != nil {
			t.Fatalf("%s: %v; %q", kind, err, fake.Refused())
		}
		said := strings.NewReplacer(`\`, "", "&lt;", "<", "&gt;", ">").Replace(fake.Said()[0].Text)
		for _, want := range []string{
			"A draft waits: Checkout is unavailable in eu-west", "Checkout: partial outage", "Impact major, 2 alerts fire, since 22 November 2026, 12:00 UTC.",
			"The first alert says: 5xx ratio above <!channel> 5%",
		} {
			if !strings.Contains(said, want) {
				t.Errorf("%s lacks %q: %s", kind, want, said)
			}
		}
		if strings.Contains(fake.Said()[0].Text, "<!channel>") && kind == Slack {
			t.Error("an alert mentions everybody")
		}
	}
	if m.Link != pageURL+"/admin/issues/i1" || m.LinkWords == "" {
		t.Errorf("the link is %q %q", m.LinkWords, m.Link)
	}
	for _, kind := range []string{Slack, Teams, Discord} {
		url, got := standIn(t, content)
		ch := channel(t, kind, url, forOperators)
		if _, err := ch.Send(t.Context(), m); err != nil || !strings.Contains(string((*got)[0].raw), pageURL+"/admin/issues/i1") || strings.Contains(string((*got)[0].raw), "Status page") {
			t.Errorf("%s gets %s, %v", kind, (*got)[0].raw, err)
		}
	}
}

func TestAProgramOfTheOperatorsGetsTheDrafts(t *testing.T) {
	url, got := standIn(t, content)
	ch := channel(t, Webhook, url, forOperators)
	done := call{events: []status.Event{status.EventDraftDone}, issue: waitingDraft("i2", publishedByAda)}
	if _, err := ch.Send(t.Context(), theCall(t, opened(waitingDraft("i1"), firing("x")), done)); err != nil {
		t.Fatal(err)
	}
	var body struct {
		Event    string
		Incident any
		Drafts   []struct {
			ID, Name, Impact, Link, Outcome string
			Waiting                         bool
			AlertsFiring                    int `json:"alerts_firing"`
		}
	}
	if err := json.Unmarshal((*got)[0].raw, &body); err != nil {
		t.Fatal(err)
	}
	if len(body.Drafts) != 2 || body.Event != "draft" || body.Incident != nil || !body.Drafts[0].Waiting || body.Drafts[0].AlertsFiring != 1 ||
		body.Drafts[0].Link != pageURL+"/admin/issues/i1" || body.Drafts[1].Waiting || body.Drafts[1].Outcome != "published by ada@example.com" {
		t.Errorf("%s", (*got)[0].raw)
	}
	if (*got)[0].header.Get(SignatureHeader) == "" || (*got)[0].header.Get("Idempotency-Key") != "i1-draft-x.ops" {
		t.Errorf("header %v", (*got)[0].header)
	}
}

func TestOneMessageTellsOfAStorm(t *testing.T) {
	var list []call
	for n := range 14 {
		list = append(list, opened(waitingDraft(fmt.Sprint("i", n), func(i *status.Issue) {
			i.Title, i.Impact = fmt.Sprint("System ", n, " is down"), status.ImpactMinor
		}), firing("x")))
	}
	list[9].issue.Impact = status.ImpactCritical
	list = append(list, call{events: []status.Event{status.EventDraftDone}, issue: waitingDraft("i99", publishedByAda)})
	m := theCall(t, list...)
	if m.State != "14 drafts wait" || m.Title != "System 9 is down, and 13 more" || m.Tone != ToneTrouble || m.Link != pageURL+"/admin" {
		t.Errorf("%+v", m)
	}
	if len(m.Facts) != mostCalled+1 || !strings.HasPrefix(m.Facts[0], "• System 9 is down: impact critical, 1 alert fires") || m.Facts[mostCalled] != "and 5 more" {
		t.Errorf("%q", m.Facts)
	}
}

func TestTheOneThatWaitsIsLinkedBesideThoseThatNoLongerDo(t *testing.T) {
	done := call{events: []status.Event{status.EventDraftDone}, issue: waitingDraft("i2", publishedByAda)}
	m := theCall(t, done, call{events: []status.Event{status.EventDraftWaits}, issue: waitingDraft("i1")})
	if m.State != "A draft still waits" || m.Title != "Checkout is unavailable in eu-west" || m.Link != pageURL+"/admin/issues/i1" || len(m.Facts) != 2 {
		t.Errorf("%+v", m)
	}
}

func TestOperatorsHearHowADraftWasDealtWith(t *testing.T) {
	done := []status.Event{status.EventDraftDone}
	dismissed := func(i *status.Issue) { i.Stage = status.Dismissed }
	for want, c := range map[string]call{
		"Published by ada@example.com.":       {issue: waitingDraft("i1", publishedByAda)},
		"Published by its rule.":              {issue: waitingDraft("i1", func(i *status.Issue) { i.Stage = status.Published })},
		"Dismissed by bob@example.com.":       {issue: waitingDraft("i1", dismissed), ended: status.Entry{Actor: "bob@example.com"}},
		"Over by itself: its alerts stopped.": {issue: waitingDraft("i1", dismissed), ended: status.Entry{Actor: status.Automation}},
		"Resolved by ada@example.com.":        {issue: waitingDraft("i1", func(i *status.Issue) { i.State, i.ResolvedBy = status.Resolved, "ada@example.com" })},
		"Merged into another issue.":          {issue: waitingDraft("i1", func(i *status.Issue) { i.State, i.MergedInto = status.Resolved, "i2" })},
	} {
		c.events = done
		m := theCall(t, c)
		if m.Event != status.EventDraftDone || m.State != "Dealt with" || m.Tone != ToneGood || len(m.Facts) != 1 || m.Facts[0] != want+" There is nothing to do." {
			t.Errorf("%q: %+v", want, m)
		}
	}
}

func TestNobodyIsWokenForWhatIsNoLongerSo(t *testing.T) {
	ev := func(e ...status.Event) []status.Event { return e }
	for name, c := range map[string]call{
		"dealt with before it was told":     {events: ev(status.EventDraft), issue: waitingDraft("i1", publishedByAda)},
		"opened and over in one message":    {events: ev(status.EventDraft, status.EventDraftDone), issue: waitingDraft("i1", publishedByAda)},
		"published before the reminder":     {events: ev(status.EventDraftWaits), issue: waitingDraft("i1", publishedByAda)},
		"taken back before its end is told": {events: ev(status.EventDraftDone), issue: waitingDraft("i1")},
	} {
		_, err := composeCalls([]call{c}, nil, pageURL)
		if _, skipped := errors.AsType[Skipped](err); !skipped {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// reader is a pen of a channel that speaks to somebody.
type reader struct {
	*pen
	readers status.Readers
}

func (r reader) Readers() status.Readers { return r.readers }

func TestADraftReachesOperatorsAndNoPublicChannel(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		public := []*pen{{channel: "email"}, {channel: "twitter"}, {channel: "webhooks"}, {channel: "community"}}
		ops := &pen{channel: "ops"}
		h := openWith(t, &memoryOutbox{subscribers: people(3)}, reader{ops, status.Operators}, public[0], public[1], public[2], public[3])
		defer h.stop()
		h.shelf.issues["i2"] = waitingDraft("i2")
		for _, e := range status.OperatorEvents {
			h.announce(e, "i2", "i2-"+string(e)+"-x")
			synctest.Wait()
		}
		h.announce(status.EventOpen, "i1", "u1")
		synctest.Wait()
		for _, p := range public {
			for _, m := range p.messages() {
				if m.Event != status.EventOpen || m.SubjectID != "i1" {
					t.Errorf("%s told %s of %s", p.channel, m.Event, m.SubjectID)
				}
			}
			if len(p.messages()) == 0 {
				t.Errorf("%s told nothing at all", p.channel)
			}
		}
		told := ops.messages() // the end is not told: it still waits
		if len(told) != 2 || told[0].Event != status.EventDraft || told[1].Event != status.EventDraftWaits {
			t.Errorf("operators got %+v", told)
		}
	})
}

// Even a delivery that should not exist, such as one whose channel got other
// readers while it was queued, leaves to nobody.
func TestADeliveryForOtherReadersFails(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		public, ops := &pen{channel: "community"}, &pen{channel: "ops"}
		outbox := &memoryOutbox{}
		for n, e := range slices.Concat(status.OperatorEvents, []status.Event{status.EventOpen, status.EventMaintenanceScheduled}) {
			channel, update := "community", "i2-"+string(e)+"-x"
			if e.Readers() == status.ThePublic {
				channel, update = "ops", "u1"
			}
			outbox.deliveries = append(outbox.deliveries, status.Delivery{
				ID: fmt.Sprint("d", n), Event: e, SubjectID: "i1", UpdateID: update, Channel: channel, State: status.Queued, DueAt: time.Now(),
			})
		}
		h := openWith(t, outbox, reader{ops, status.Operators}, public)
		defer h.stop()
		h.shelf.issues["i2"] = waitingDraft("i2")
		ring(h.wake)
		synctest.Wait()
		if got := outbox.states(); got[status.Failed] != 5 || len(public.messages())+len(ops.messages()) > 0 {
			t.Errorf("%v, public %v, operators %v", got, public.messages(), ops.messages())
		}
	})
}

func TestWhatEverybodyCanReadIsNoChannelOfOperators(t *testing.T) {
	for _, kind := range []string{Mastodon, Bluesky} {
		_, err := NewChannel(ChannelConfig{Name: "x", Type: kind, URL: "https://x.example", Token: "t", User: "u.example", Password: "p", Audience: "operators"})
		if wrong, ok := errors.AsType[ChannelError](err); !ok || wrong.Key != "audience" {
			t.Errorf("%s: %v", kind, err)
		}
	}
	_, err := NewChannel(ChannelConfig{Name: "x", Type: Slack, URL: "https://x.example", Audience: "operator"})
	if wrong, ok := errors.AsType[ChannelError](err); !ok || wrong.Key != "audience" {
		t.Errorf("%v", err)
	}
}

func TestOperatorsGetAMailWithTheWayToTheDraft(t *testing.T) {
	s := sink(t, smtpsink.Options{})
	o, err := NewOperatorMail(EmailConfig{URL: s.URL(), From: "status@acme.example", PublicURL: pageURL, PageName: "Acme", Language: "de"}, []string{"oncall@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Rest)
	m := theCall(t, opened(waitingDraft("i1"), firing("5xx & <more>")))
	m = m.to(status.Delivery{ID: "i1-draft-x.operators.0", Recipient: "oncall@acme.example", CreatedAt: noon, Attempt: 1}, "", noon)
	if _, err := o.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	l := read(t, s.Messages()[0].Data)
	if got := l.Header("Subject"); got != "[Acme] A draft waits: Checkout is unavailable in eu-west" {
		t.Errorf("subject %q", got)
	}
	if l.Header("List-Unsubscribe") != "" || strings.Contains(l.text+l.html, "unsubscribe") {
		t.Error("it can be unsubscribed")
	}
	for _, want := range []string{pageURL + "/admin/issues/i1", "Review and publish", "Checkout: partial outage", "smtp.operators"} {
		if !strings.Contains(l.text, want) || !strings.Contains(l.html, want) {
			t.Errorf("%q is missing in %s\n%s", want, l.text, l.html)
		}
	}
	if !strings.Contains(l.html, "5xx &amp; &lt;more&gt;") || !strings.Contains(l.text, "5xx & <more>") {
		t.Errorf("%s\n%s", l.text, l.html)
	}
}
