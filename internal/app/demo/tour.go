package demo

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/broadcast/twitterfake"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/web"
)

// tour leads through the demo.
type tour struct {
	base    string // http://127.0.0.1:8080
	store   *store.Store
	mailbox *smtpsink.Sink
	x       *twitterfake.Fake
	server  *web.Server
	log     *slog.Logger

	mu    sync.Mutex
	seen  map[string]bool // paths that somebody has opened
	fired time.Time       // when the alert that fires began
}

func newTour(base string, s *store.Store, mailbox *smtpsink.Sink, x *twitterfake.Fake, log *slog.Logger) *tour {
	return &tour{base: base, store: s, mailbox: mailbox, x: x, log: log, seen: map[string]bool{}}
}

// step is one thing to do.
type step struct {
	Number int
	Title  string // what to do
	Why    string // what there is to see in it
	Do     string // the label of its button
	Path   string // where the button leads
	Post   bool   // by a form
	Done   bool
	Next   bool // it is the one to do now
}

// progress is how far the tour has come.
type progress struct {
	Steps []step
	Next  *step // nil: all is done
	Base  string
	Curl  string
}

// saw remembers that somebody has opened a page.
func (t *tour) saw(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen[path] = true
}

// the paths of what follows publishing
const (
	mailPath   = "/demo/mail"
	tweetsPath = "/demo/tweets"
	appPath    = "/demo/app"
)

// look finds out what has happened so far.
func (t *tour) look(ctx context.Context) (progress, error) {
	issue, err := t.issue(ctx)
	if err != nil {
		return progress{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	drafted := issue.ID != ""
	public := drafted && issue.Stage == status.Published
	over := drafted && !issue.Open()
	admin := "/admin/issues/" + issue.ID
	steps := []step{
		{
			Title: "See the status page", Do: "Open the page", Path: "/", Done: t.seen["/"] || drafted,
			Why: "What customers see: one open issue, work that is planned, and ninety days of history.",
		},
		{
			Title: "Fire a fake alert", Do: "Fire a fake alert", Path: "/demo/fire", Post: true, Done: drafted,
			Why: "As Alertmanager would: checkout fails in Europe. Nothing becomes public by it.",
		},
		{
			Title: "Review the draft in the queue", Do: "Sign in as the on-call person", Path: "/demo/sign-in", Post: true, Done: public || over || drafted && t.seen[admin],
			Why: "A rule has drafted what to say. You are Robin, who is on call.",
		},
		{
			Title: "Publish it", Do: "Open the draft", Path: admin, Done: public || over,
			Why: "Change the words if you like, then press Publish.",
		},
		t.lookAround(over),
		{
			Title: "End the alert", Do: "End the alert", Path: "/demo/end", Post: true, Done: over,
			Why: "When the monitoring says it is over, the issue ends and everybody hears of it.",
		},
	}
	p := progress{Steps: steps, Base: t.base, Curl: curl(t.base)}
	for n := range p.Steps {
		s := &p.Steps[n]
		s.Number = n + 1
		if !s.Done && p.Next == nil {
			s.Next, p.Next = true, s
		}
	}
	return p, nil
}

// lookAround leads to the next of the three that tell customers.
func (t *tour) lookAround(over bool) step {
	s := step{
		Title: "Look at the mail, the tweet and the banner", Done: over,
		Why: "Subscribers have mail, X has a tweet, and the shop itself shows a banner.",
	}
	switch {
	case !t.seen[mailPath]:
		s.Do, s.Path = "Open the mail", mailPath
	case !t.seen[tweetsPath]:
		s.Do, s.Path = "Open the tweets", tweetsPath
	case !t.seen[appPath]:
		s.Do, s.Path = "Open the shop", appPath
	default:
		s.Done = true
	}
	return s
}

// issue is the newest one that the alert of the tour led to; a dismissed one
// does not count.
func (t *tour) issue(ctx context.Context) (status.Issue, error) {
	list, err := t.store.Issues(ctx, store.IssueQuery{Stages: []status.Stage{status.Draft, status.Published}, Limit: 20})
	if err != nil {
		return status.Issue{}, err
	}
	for _, i := range list {
		if i.Rule == "checkout-down" {
			return i, nil
		}
	}
	return status.Issue{}, nil
}

// settled waits a moment until the daemon has done what a button asked for, so
// that the next page shows it. What takes longer shows on a later one.
func (t *tour) settled(ctx context.Context, done func(status.Issue) bool) {
	const tries, pause = 150, 20 * time.Millisecond
	for range tries {
		if i, err := t.issue(ctx); err != nil || done(i) {
			return
		}
		if (app.Clock{}).Wait(ctx, pause, nil) != nil {
			return
		}
	}
}
