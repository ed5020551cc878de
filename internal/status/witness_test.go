package status_test

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/statusbridge/statusbridge/internal/status"
)

// witness sees what is said to the engine and what comes of it. What it expects
// it reckons itself, as CORRELATION.md says it and not as the engine does it,
// and from as little as possible: so a fault of the engine is not its own.
type witness struct {
	*world
	rt    *rapid.T
	steps int64

	announced map[string]bool // updates
	toldFrom  map[string]time.Time
	// absent is the first trusted answer without an alert since anybody said
	// that it fires.
	absent     map[status.SignalKey]time.Time
	mergedAway map[status.SignalKey]bool
	quiet      map[status.TrackKey]time.Time // since when its rule's requirement is met
	cleared    map[string]bool               // open issues of which an alert has stopped
	settled    map[status.TrackKey]bool      // a person ended its issue and it fires on
	byPerson   map[status.TrackKey]time.Time // when a person ended its last issue
	started    time.Time                     // of the process
	answered   time.Time                     // the source, last
	beatAt     time.Time                     // the source's heartbeat, last
}

func newWitness(rt *rapid.T, w *world) *witness {
	return &witness{
		world: w, rt: rt, announced: map[string]bool{}, toldFrom: map[string]time.Time{}, absent: map[status.SignalKey]time.Time{}, mergedAway: map[status.SignalKey]bool{},
		quiet: map[status.TrackKey]time.Time{}, cleared: map[string]bool{}, settled: map[status.TrackKey]bool{},
		byPerson: map[status.TrackKey]time.Time{},
	}
}

// step is what a verb was called for.
type step struct {
	person bool
	ends   map[status.SignalKey]bool // alerts that it may end
}

// receive delivers a fact, once and then again: the second time says nothing.
func (w *witness) receive(f status.Fact) {
	f.ReceivedAt = w.now
	s := step{ends: map[status.SignalKey]bool{}}
	watchdog := f.Labels["alertname"] == "Watchdog" && len(w.rules.Sources[0].Heartbeat.Matchers) > 0
	switch {
	case watchdog && w.rules.Sources[0].Polled(): // its answers tell the heartbeat
	case watchdog && !f.Firing:
		w.beatAt = time.Time{}
	case watchdog:
		w.beatAt = w.now
	case f.MergedInto != "":
		s.ends[f.Key()] = true
		if f.MergedInto != f.Fingerprint && w.board.Signals[f.Key()].Firing {
			w.mergedAway[f.Key()] = true
			delete(w.absent, status.SignalKey{Source: f.Source, Fingerprint: f.MergedInto})
		}
	case f.Firing:
		delete(w.absent, f.Key())
		delete(w.mergedAway, f.Key())
	default:
		s.ends[f.Key()] = !f.Unrecovered
	}
	facts := []status.Fact{f}
	w.judge(status.Receive(w.board, w.rules, facts, w.now), s)
	if c := status.Receive(w.board, w.rules, facts, w.now); !c.Empty() {
		w.rt.Fatalf("the same delivery again changed %+v", c)
	}
}

// ticked lets the clock alone act: it ends no alert.
func (w *witness) ticked() { w.judge(status.Tick(w.board, w.rules, w.now), step{}) }

// person lets a person act.
func (w *witness) person(e status.Edit) {
	if c, err := status.Revise(w.board, w.rules, e, "ada", w.now); err == nil {
		w.judge(c, step{person: true})
	}
}

// polled gives the engine an answer of the source. It may end what was absent
// from an earlier one, a minute ago at least, and what is silenced there if
// every rule says that this is an end.
func (w *witness) polled(seen status.Seen) {
	s := step{ends: map[status.SignalKey]bool{}}
	w.beatAt = later(w.beatAt, seen.HeartbeatAt)
	if seen.Trusted {
		w.answered = w.now
		for k, signal := range w.board.Signals {
			alert, present := seen.Active[k.Fingerprint]
			switch {
			case k.Source != seen.Source:
			case present:
				delete(w.absent, k)
				s.ends[k] = alert.Suppressed && !slices.ContainsFunc(signal.Tracks, func(t status.TrackKey) bool { return !w.rule(t).SilencedResolves })
			case w.absent[k].IsZero():
				w.absent[k] = w.now
			default:
				s.ends[k] = w.now.Sub(w.absent[k]) >= time.Minute
			}
		}
	}
	w.judge(status.Reconcile(w.board, w.rules, seen, w.now), s)
}

// restart begins anew from what is kept: all that is known must be in it. No
// timer moves, and what the clock brings next is what it would have brought.
func (w *witness) restart(*rapid.T) {
	b := w.board
	fresh := status.NewBoard(b.Seed)
	fresh.Merge(status.Changes{
		Minted: b.Minted, Components: b.Components, Groups: b.Groups, Issues: b.Issues, Maintenances: b.Maintenances,
		Signals: b.Signals, Tracks: b.Tracks, Timers: b.Timers, Sources: b.Sources,
	})
	fresh.Revision = b.Revision
	then := w.now
	if due := b.Due(); !due.IsZero() {
		then = later(then, due)
	}
	if was, is := status.Tick(b, w.rules, then), status.Tick(fresh, w.rules, then); !reflect.DeepEqual(was, is) {
		w.rt.Fatalf("after a restart %+v would happen, without it %+v", is, was)
	}
	w.board, w.started = fresh, w.now
	timers := maps.Clone(fresh.Timers)
	w.judge(status.Started(fresh, w.rules, w.now), step{})
	if !maps.Equal(timers, w.board.Timers) {
		w.rt.Fatal("a restart moved a timer")
	}
}

// rule is the rule of a track.
func (w *witness) rule(k status.TrackKey) status.Rule {
	r, _ := w.rules.Find(k.Rule)
	return r
}

func trackOf(i status.Issue) status.TrackKey { return status.TrackKey{Rule: i.Rule, Group: i.Group} }

// judge checks what a step decided, saves it, and checks what came of it.
func (w *witness) judge(c status.Changes, s step) {
	w.steps++
	for k, after := range c.Signals {
		if w.board.Signals[k].Firing && !after.Firing && !s.ends[k] {
			w.rt.Fatalf("%s ended, and nobody said so", k.Fingerprint)
		}
		for _, t := range after.Tracks {
			w.cleared[w.board.Tracks[t].IssueID] = w.cleared[w.board.Tracks[t].IssueID] || !after.Firing
		}
	}
	before := map[string]status.Issue{}
	for id := range c.Issues {
		before[id] = w.board.Issues[id]
	}
	w.merge(c)
	for id, after := range c.Issues {
		w.explained(before[id], after, c, s)
		if !s.person {
			w.untouched(before[id], after)
			w.earned(before[id], after)
		}
	}
	w.announcedOnce(c)
	w.calledOnce(before, c)
	w.consistent()
	if c.Public() {
		w.honest()
	}
	w.remember(before, c, s)
}

// explained: whatever changes in an issue has an entry that says why and by
// whom; and what automation does has a rule.
func (w *witness) explained(before, after status.Issue, c status.Changes, s step) {
	who := status.Automation
	if s.person {
		who = "ada"
	}
	if !s.person && after.Rule == "" && after.Notes == nil {
		w.rt.Fatalf("automation made or changed %q, which has no rule", after.Title)
	}
	said := slices.ContainsFunc(c.Entries, func(e status.Entry) bool {
		return e.Subject == after.ID && e.Reason != "" && (e.Actor == who || s.person)
	})
	if !said {
		w.rt.Fatalf("%q went from %s/%s to %s/%s without a reason", after.Title, before.Stage, before.State, after.Stage, after.State)
	}
}

// untouched: automation moves no held field, no issue of a person, and nothing
// that a person ended.
func (w *witness) untouched(before, after status.Issue) {
	switch {
	case before.ID == "":
		return
	case before.Origin == status.Manual:
		w.rt.Fatal("automation changed an issue that a person opened")
	case before.State == status.Resolved && before.ResolvedBy != status.Automation && after.State != status.Resolved:
		w.rt.Fatal("automation reopened what a person had resolved")
	case before.Stage == status.Dismissed && after.Stage != status.Dismissed:
		w.rt.Fatal("automation brought a dismissed draft back")
	}
	moved := map[status.Field]bool{
		status.FieldTitle:      before.Title != after.Title,
		status.FieldImpact:     before.Impact != after.Impact,
		status.FieldState:      before.State != after.State,
		status.FieldComponents: !reflect.DeepEqual(before.Components, after.Components),
		status.FieldBody:       before.Updates[0].Body != after.Updates[0].Body,
	}
	for f := range before.Held {
		if moved[f] {
			w.rt.Fatalf("automation moved %s, which a person holds", f)
		}
	}
	if !maps.Equal(before.Held, after.Held) {
		w.rt.Fatal("automation changed what people hold")
	}
}

// earned: automation opens, publishes and ends an issue only when its rule, its
// alerts, their sources and people allow it, and not too early.
func (w *witness) earned(before, after status.Issue) {
	if after.Origin == status.Manual {
		return // the breaker's proposal: a draft for people
	}
	track, rule := trackOf(after), w.rule(trackOf(after))
	if before.ID == "" && w.settled[track] {
		w.rt.Fatal("an episode that a person has dealt with opened another issue")
	}
	if before.Stage != status.Published && after.Stage == status.Published {
		w.earnedPublic(rule, track, after)
	}
	if after.State == status.Resolved && before.State != status.Resolved {
		w.earnedEnd(rule, track, before, after)
	}
	if after.Stage == status.Dismissed && before.Stage != status.Dismissed {
		if _, met := w.quiet[track]; !met && !w.meets(rule, track, after.ID) {
			w.rt.Fatal("a draft was discarded while its alerts fire")
		}
		w.sighted(track)
	}
}

func (w *witness) earnedPublic(rule status.Rule, track status.TrackKey, i status.Issue) {
	waited := w.now.Sub(i.CreatedAt)
	byTimeout := rule.Open.ConfirmAfter > 0 && rule.Open.ConfirmThen == status.ConfirmPublish && waited >= rule.Open.ConfirmAfter
	if byTimeout && rule.Open.Publish != status.PublishNever {
		return
	}
	if rule.Open.Publish != status.PublishAuto || waited < rule.Open.PublishAfter {
		w.rt.Fatalf("published by itself after %s, but the rule says %s after %s", waited, rule.Open.Publish, rule.Open.PublishAfter)
	}
	if ended, ok := w.byPerson[track]; ok && rule.ReopenWithin > 0 && i.CreatedAt.Sub(ended) <= rule.ReopenWithin {
		w.rt.Fatal("a new episode so soon after a person ended the last was published by itself")
	}
}

func (w *witness) earnedEnd(rule status.Rule, track status.TrackKey, before, after status.Issue) {
	if after.ResolvedBy != status.Automation || rule.Resolve.Mode != status.ResolveAuto {
		w.rt.Fatalf("resolved by %q with resolve mode %s", after.ResolvedBy, rule.Resolve.Mode)
	}
	if !w.meets(rule, track, after.ID) {
		w.rt.Fatal("resolved while its alerts fire")
	}
	settle := rule.Resolve.After
	if before.Flapping {
		settle = max(settle, rule.Flap.Settle)
	}
	since, met := w.quiet[track]
	if !met {
		since = w.now
	}
	if quiet := w.now.Sub(since); quiet < settle {
		w.rt.Fatalf("resolved after %s of quiet, the rule wants %s", quiet, settle)
	}
	w.sighted(track)
}

// meets reports whether resolve.require holds of what fires in a track.
func (w *witness) meets(rule status.Rule, track status.TrackKey, issue string) bool {
	n := w.firingIn(track)
	switch rule.Resolve.Require {
	case status.RequireAny:
		return n == 0 || w.cleared[issue]
	case status.RequireAtMost:
		return n <= rule.Resolve.AtMost
	}
	return n == 0
}

func (w *witness) firingIn(track status.TrackKey) int {
	n := 0
	for _, s := range w.board.Signals {
		if s.Firing && slices.Contains(s.Tracks, track) {
			n++
		}
	}
	return n
}

// sighted: nothing ends by itself while a source of its alerts is blind.
func (w *witness) sighted(track status.TrackKey) {
	src := w.rules.Sources[0]
	for k, s := range w.board.Signals {
		if k.Source != src.Name || !slices.Contains(s.Tracks, track) {
			continue
		}
		if src.Polled() && w.answered.Before(w.started) {
			w.rt.Fatal("ended before its source has answered since the start")
		}
		if len(src.Heartbeat.Matchers) > 0 && (w.beatAt.IsZero() || w.now.Sub(w.beatAt) > src.Heartbeat.MaxAge+src.Heartbeat.MaxAge/10) {
			w.rt.Fatal("ended although the heartbeat of its source is stale")
		}
	}
}

// announcedOnce: an update is announced once, when it becomes public, and never
// when it is silent.
func (w *witness) announcedOnce(c status.Changes) {
	for _, id := range c.Withdrawn {
		for _, u := range w.board.Issues[id].Updates {
			if !w.toldFrom[u.ID].After(w.now) && w.announced[u.ID] {
				w.rt.Fatal("taken back although it may have been told")
			}
			delete(w.announced, u.ID)
		}
	}
	for _, a := range c.Announcements {
		if a.Event.Readers() == status.Operators {
			continue
		}
		if w.announced[a.UpdateID] {
			w.rt.Fatalf("update %s is announced twice", a.UpdateID)
		}
		w.announced[a.UpdateID], w.toldFrom[a.UpdateID] = true, a.DueAt
		i, ok := c.Issues[a.SubjectID]
		if !ok {
			continue // a maintenance
		}
		n := slices.IndexFunc(i.Updates, func(u status.Update) bool { return u.ID == a.UpdateID })
		if i.Stage != status.Published || n < 0 || i.Updates[n].Silent {
			w.rt.Fatalf("announced: update %d of an issue that is %s", n, i.Stage)
		}
	}
}

// calledOnce: operators hear of every draft that automation opened, once, that it
// is dealt with if they heard of it, and of nothing else. What they hear is no
// update, and no outlet of the public takes it.
func (w *witness) calledOnce(olds map[string]status.Issue, c status.Changes) {
	calls := map[string]status.Event{}
	for _, a := range c.Announcements {
		if a.Event.Readers() != status.Operators {
			continue
		}
		call, ok := status.ParseCall(a.UpdateID)
		_, twice := calls[a.SubjectID]
		before, i := olds[a.SubjectID], w.board.Issues[a.SubjectID]
		if _, changed := c.Issues[a.SubjectID]; !changed {
			before = i
		}
		was, is := before.Waits(), i.Waits()
		if !ok || twice || call.IssueID != a.SubjectID || call.Event != a.Event || w.announced[a.UpdateID] || (status.Outlet{}).Takes(a) {
			w.rt.Fatalf("operators are told %+v, %+v", a, call)
		}
		if opens := a.Event == status.EventDraft; opens && (was || !is || !before.CalledAt.IsZero()) ||
			a.Event == status.EventDraftWaits && !is || a.Event == status.EventDraftDone && (!was || is || before.CalledAt.IsZero()) {
			w.rt.Fatalf("told that %s: it waited %v, waits %v, called at %s", a.Event, was, is, before.CalledAt)
		}
		calls[a.SubjectID], w.announced[a.UpdateID] = a.Event, true
	}
	for id, i := range c.Issues {
		before, e := olds[id], calls[id]
		due := w.board.Timers[status.TimerKey{Kind: status.TimerNudge, Subject: id}]
		switch {
		case !before.Waits() && i.Waits() && before.CalledAt.IsZero() && e == "" && due.IsZero():
			w.rt.Fatal("a draft waits, and nobody is told or will be")
		case before.Waits() && !i.Waits() && !before.CalledAt.IsZero() && e != status.EventDraftDone:
			w.rt.Fatal("a draft that operators know of is dealt with, and they are not told")
		case !i.Waits() && !due.IsZero():
			w.rt.Fatal("what waits for nobody will be called to mind")
		}
	}
}

// consistent: what must be true of any board.
func (w *witness) consistent() {
	open := map[status.TrackKey]int{}
	for _, i := range w.board.Issues {
		switch {
		case i.State == status.Resolved && (i.ResolvedBy == "" || i.ResolvedAt.IsZero()):
			w.rt.Fatal("an issue is resolved by nobody or never")
		case i.Stage == status.Published && i.PublishedAt.IsZero():
			w.rt.Fatal("an issue is public since never")
		case i.Origin == status.FromAlert && i.Open():
			if open[trackOf(i)]++; open[trackOf(i)] > 1 {
				w.rt.Fatalf("two open issues in track %v", trackOf(i))
			}
		}
	}
	for k, t := range w.board.Tracks {
		levels := 0
		for _, n := range t.Levels {
			levels += n
		}
		if n := w.firingIn(k); t.Firing != levels || t.Firing != n {
			w.rt.Fatalf("track %v counts %d firing, %d by level, there are %d", k, t.Firing, levels, n)
		}
		if i, ok := w.board.Issues[t.IssueID]; t.IssueID != "" && (!ok || !i.Open()) {
			w.rt.Fatalf("track %v names issue %q, which is not open", k, t.IssueID)
		}
	}
}

// honest: while a public issue hurts, nothing says that all is well.
func (w *witness) honest() {
	s := status.Overview(w.view(), w.now)
	for _, i := range w.board.Issues {
		if !i.Public() || !i.Open() || i.Impact == status.ImpactNone {
			continue
		}
		if s.Headline.Indicator == status.IndicatorNone || s.Headline.Description == "All Systems Operational" {
			w.rt.Fatalf("headline %q while %q has impact %s", s.Headline.Description, i.Title, i.Impact)
		}
		for _, a := range i.Components {
			if s.Components[a.ComponentID].Rank() < a.Status.Rank() {
				w.rt.Fatalf("a component is %s while an open issue says %s", s.Components[a.ComponentID], a.Status)
			}
		}
	}
}

// remember takes down what later steps are judged by.
func (w *witness) remember(before map[string]status.Issue, c status.Changes, s step) {
	for id, after := range c.Issues {
		if was := before[id]; after.Origin != status.FromAlert || was.ID == "" || !was.Open() || after.Open() {
			continue
		}
		track := trackOf(after)
		delete(w.byPerson, track)
		if s.person {
			w.byPerson[track] = w.now
			w.settled[track] = w.firingIn(track) > 0
		}
	}
	for k := range w.board.Tracks {
		rule := w.rule(k)
		if w.firingIn(k) == 0 {
			delete(w.settled, k)
		}
		if !w.meets(rule, k, w.board.Tracks[k].IssueID) {
			delete(w.quiet, k)
		} else if _, met := w.quiet[k]; !met {
			w.quiet[k] = w.now
		}
	}
}
