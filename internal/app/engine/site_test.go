package engine_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/alerts/alertmanagerfake"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

// epoch is when every scenario begins.
var epoch = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// clock is the time of a site. It moves when the test says so; who waits is
// told that nothing will happen any more.
type clock struct {
	mu   sync.Mutex
	now  time.Time
	idle context.CancelFunc
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(ctx context.Context, _ time.Duration, wake <-chan struct{}) error {
	select {
	case <-wake:
		return ctx.Err()
	default:
	}
	c.idle()
	return ctx.Err()
}

// site is all of a daemon that decides: intake, poller, ticker and store. It can
// be stopped and started again over the same database.
type site struct {
	t      *testing.T
	dsn    string
	dir    string
	rules  *status.Rules
	clock  *clock
	store  *store.Store
	intake *alerts.Intake
	poller *alerts.Poller
	env    map[string]string
	ids    int
	crash  bool // between keeping a delivery and understanding it
}

// onBoth plays a scenario on a fresh database of both kinds.
func onBoth(t *testing.T, play func(t *testing.T, dsn string)) {
	t.Helper()
	t.Parallel()
	for name, dsn := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, dsn(t))
		})
	}
}

var databases = map[string]func(t *testing.T) string{
	"SQLite": func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "site.db") },
	"PostgreSQL": func(t *testing.T) string {
		server := pgtest.Start(t)
		server.Prepare(t, func(dsn string) {
			s, err := store.Open(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		return server.NewDatabase(t)
	},
}

func newSite(t *testing.T, dsn, rules string) *site {
	s := &site{t: t, dsn: dsn, dir: t.TempDir(), clock: &clock{now: epoch}, env: map[string]string{}}
	var err error
	if s.rules, err = alerts.LoadRules("rules.yaml", []byte(rules)); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.revise(status.SaveComponent{Component: status.Component{Name: "Checkout"}})
	t.Cleanup(s.stop)
	return s
}

// start opens the database and begins, as the daemon does.
func (s *site) start() {
	s.t.Helper()
	must := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	var err error
	s.store, err = store.Open(context.Background(), s.dsn)
	must(err)
	_, err = s.store.Migrate(context.Background())
	must(err)
	rules := func() *status.Rules { return s.rules }
	s.poller = alerts.NewPoller(alerts.PollerConfig{
		Rules: rules, Applier: s.store, Clock: s.clock, Getenv: func(name string) string { return s.env[name] },
		Accept: func(ctx context.Context, kind, source string, body []byte) (alerts.Receipt, error) {
			return s.intake.Accept(ctx, kind, source, body)
		},
	})
	s.intake, err = alerts.NewIntake(alerts.IntakeConfig{
		Inbox: s.store, Applier: s.store, Rules: rules, Clock: s.clock, Nudge: s.poller.Nudge, JournalDir: filepath.Join(s.dir, "journal"),
		Patience: 30 * time.Second, // the machine may be busy; what is tested is not the wait
		NewID:    func() string { s.ids++; return fmt.Sprintf("delivery-%03d", s.ids) },
	})
	must(err)
	s.apply(func(b status.Board) (status.Changes, error) { return status.Started(b, s.rules, s.clock.Now()), nil })
}

// stop leaves at once: nothing but the database and the journal remains.
func (s *site) stop() {
	if err := cmp.Or(s.intake.Close(), s.store.Close()); err != nil {
		s.t.Error(err)
	}
}

// restart is a stop and a start, with a time of being away in between.
func (s *site) restart(away time.Duration) {
	s.t.Helper()
	s.stop()
	s.clock.now = s.clock.now.Add(away)
	s.start()
}

func (s *site) apply(fn func(status.Board) (status.Changes, error)) {
	s.t.Helper()
	if _, err := s.store.Apply(context.Background(), s.clock.Now(), fn); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) revise(e status.Edit) {
	s.t.Helper()
	s.apply(func(b status.Board) (status.Changes, error) {
		return status.Revise(b, s.rules, e, "ada@example.test", s.clock.Now())
	})
}

// board is a copy of what the daemon decides on.
func (s *site) board() (b status.Board) {
	s.t.Helper()
	s.apply(func(now status.Board) (status.Changes, error) {
		b = now
		b.Signals, b.Issues, b.Tracks, b.Sources = maps.Clone(b.Signals), maps.Clone(b.Issues), maps.Clone(b.Tracks), maps.Clone(b.Sources)
		return status.Changes{}, nil
	})
	return b
}

// untilIdle runs a loop of the daemon until it would wait.
func (s *site) untilIdle(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.clock.idle = cancel
	_ = run(ctx) // it ends with the context's error
}

// work lets the intake understand all it has, the poller ask whom it must, and
// what comes of that be understood too.
func (s *site) work() {
	s.t.Helper()
	if s.crash {
		return
	}
	s.untilIdle(s.intake.Run)
	s.untilIdle(s.poller.Run)
	s.untilIdle(s.intake.Run)
	if stats := s.intake.Stats(); stats.LastError != "" && !stats.LastErrorOver {
		s.t.Fatalf("the intake: %s", stats.LastError)
	}
}

// after lets time pass. What is due happens when it is due; sources are asked
// every minute.
func (s *site) after(d time.Duration) {
	s.t.Helper()
	for end := s.clock.Now().Add(d); s.clock.Now().Before(end); {
		stops := []time.Time{s.clock.Now().Add(30 * time.Second), end}
		if due := s.due(); due.After(s.clock.Now()) {
			stops = append(stops, due)
		}
		s.clock.now = slices.MinFunc(stops, time.Time.Compare)
		s.tick()
		s.work()
	}
}

func (s *site) due() time.Time {
	s.t.Helper()
	due, err := s.store.Due(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return due
}

func (s *site) tick() {
	s.t.Helper()
	if due := s.due(); !due.IsZero() && !due.After(s.clock.Now()) {
		s.apply(func(b status.Board) (status.Changes, error) { return status.Tick(b, s.rules, s.clock.Now()), nil })
	}
}

// deliver hands a body to the intake, which must keep it, and lets it work.
func (s *site) deliver(kind, source string, body []byte) alerts.Receipt {
	s.t.Helper()
	r, err := s.intake.Accept(context.Background(), kind, source, body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.work()
	return r
}

// labels of CheckoutDown for an instance in the region eu.
func labels(instance string) map[string]string {
	return map[string]string{"alertname": "CheckoutDown", "region": "eu", "instance": instance}
}

func fingerprint(ls map[string]string) string {
	set := model.LabelSet{}
	for n, v := range ls {
		set[model.LabelName(n)] = model.LabelValue(v)
	}
	return set.Fingerprint().String()
}

// alert is one entry of an Alertmanager message.
type alert struct {
	labels map[string]string
	start  time.Time
	end    time.Time // zero while it fires
}

// message is what Alertmanager posts.
type message struct {
	groupKey  string
	truncated int
	alerts    []alert
}

func (m message) body() []byte {
	var list []map[string]any
	for _, a := range m.alerts {
		state := "firing"
		if !a.end.IsZero() {
			state = "resolved"
		}
		list = append(list, map[string]any{
			"status": state, "labels": a.labels, "annotations": map[string]string{}, "startsAt": a.start, "endsAt": a.end,
			"generatorURL": "http://prometheus.test/", "fingerprint": fingerprint(a.labels),
		})
	}
	body, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": cmp.Or(m.groupKey, "{}:{}"), "truncatedAlerts": m.truncated, "receiver": "page", "status": "firing", "alerts": list,
	})
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return body
}

// fires delivers that alerts of these instances begin to fire.
func (s *site) fires(instances ...string) {
	s.t.Helper()
	var m message
	for _, i := range instances {
		m.alerts = append(m.alerts, alert{labels: labels(i), start: s.clock.Now()})
	}
	s.deliver("alertmanager", "am", m.body())
}

// clears delivers that the alert of an instance is over.
func (s *site) clears(instance string) {
	s.t.Helper()
	start := s.signal(instance).StartsAt
	s.deliver("alertmanager", "am", message{alerts: []alert{{labels(instance), start, s.clock.Now()}}}.body())
}

func (s *site) signal(instance string) status.Signal {
	s.t.Helper()
	return s.board().Signals[status.SignalKey{Source: "am", Fingerprint: fingerprint(labels(instance))}]
}

// issues lists what there is, oldest first.
func (s *site) issues() []status.Issue {
	s.t.Helper()
	return slices.SortedFunc(maps.Values(s.board().Issues), func(a, b status.Issue) int { return a.CreatedAt.Compare(b.CreatedAt) })
}

// only is the one issue there is, as the database has it.
func (s *site) only() status.Issue {
	s.t.Helper()
	list := s.issues()
	if len(list) != 1 {
		s.t.Fatalf("there are %d issues, want one", len(list))
	}
	i, err := s.store.Issue(context.Background(), list[0].ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

// is checks the state of the only issue.
func (s *site) is(want status.IssueState, when string) {
	s.t.Helper()
	if i := s.only(); i.State != want {
		s.t.Fatalf("%s: the issue is %s, want %s", when, i.State, want)
	}
}

// webhooks lists the deliveries in a state.
func (s *site) webhooks(state status.WebhookState) []status.Webhook {
	s.t.Helper()
	list, err := s.store.Webhooks(context.Background(), state, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// atOnce opens and publishes at once, and settles after five minutes.
const atOnce = `
version: 1
rules:
  - name: checkout-down
    matchers: ['alertname="CheckoutDown"']
    group_by: [region]
    for: 0s
    open: { title: 'Checkout is unavailable in {{ .GroupLabels.region }}', impact: major, publish: auto, components: [{ component: checkout, status: major_outage }] }
    resolve: { after: 5m }
`

// asked is atOnce with a source that is asked.
func asked(p *alertmanagerfake.Peer, more string) string {
	return fmt.Sprintf("%s\nsources: { am: { type: alertmanager, peers: ['%s/prefix'] %s } }\n", atOnce, p.URL, more)
}

// peer is an Alertmanager that has been up for an hour.
func peer(t *testing.T) *alertmanagerfake.Peer {
	p := alertmanagerfake.Start(epoch.Add(-time.Hour), "page")
	t.Cleanup(p.Close)
	return p
}
