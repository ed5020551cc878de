package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
)

// backtestPage tries other rules on the webhooks that were received.
type backtestPage struct {
	Rules   string // the candidates
	Since   string
	Spans   []option
	Problem string // in full
	Report  *alerts.BacktestReport
	Counts  []changeCount
	Issues  []comparisonView // but those that would be the same
	Run     *backtestView    // that is under way

	Elsewhere bool // of this one only another replica knows
}

type changeCount struct {
	N    int
	Word string
}

type comparisonView struct {
	Change, Glyph string
	Issue         *alerts.PastIssue
	ID            string // of the issue that was
	Differences   []alerts.Difference
}

// Bounds of a back-test in the browser. The command has none of them.
const (
	mostReplayed  = 1_000_000
	backtestTime  = 10 * time.Minute
	mostBacktests = 4  // at once
	keptBacktests = 20 // with those that are over
	testRefresh   = "1"
	mostReloads   = 20 // in a row, for one that another replica seems to run
)

var spans = []struct {
	name, words string
	length      time.Duration
}{{"1d", "one day", 24 * time.Hour}, {"7d", "7 days", 7 * 24 * time.Hour}, {"30d", "30 days", 30 * 24 * time.Hour}}

// backtest is one that somebody has started. It goes on while the person's
// browser asks how far it is, and lives in the memory of this process only.
type backtest struct {
	id, by  string
	rules   string
	since   string
	started time.Time
	cancel  context.CancelFunc
	done    atomic.Int64
	total   atomic.Int64
	over    chan struct{} // closed when the three below are set
	report  alerts.BacktestReport
	err     error
}

func (b *backtest) running() bool {
	select {
	case <-b.over:
		return false
	default:
		return true
	}
}

// backtestView is how far it is.
type backtestView struct {
	ID          string
	Done, Total int64
	Took        string
	Mine        bool
}

// backtests are those of this process.
type backtests struct {
	home string // begins their ids: which process knows them
	mu   sync.Mutex
	list []*backtest // the newest last
}

var errTooManyBacktests = refusal{code: http.StatusTooManyRequests, text: "Others are running back-tests. Try again when one of them is over."}

// add keeps a new one. The one that the same person runs already is cancelled.
func (l *backtests) add(b *backtest) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	running := 0
	for _, o := range l.list {
		switch {
		case !o.running():
		case o.by == b.by:
			o.cancel()
		default:
			running++
		}
	}
	if running >= mostBacktests {
		return errTooManyBacktests
	}
	l.list = append(l.list, b)
	for n := 0; len(l.list) > keptBacktests && n < len(l.list); {
		if l.list[n].running() {
			n++
			continue
		}
		l.list = slices.Delete(l.list, n, n+1)
	}
	return nil
}

// elsewhere reports whether another process gave an id: a replica, or this one before
// it was started anew.
func (l *backtests) elsewhere(id string) bool { return !strings.HasPrefix(id, l.home) }

func (l *backtests) find(id string) *backtest {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.list {
		if b.id == id {
			return b
		}
	}
	return nil
}

func (s *Server) showBacktest(c *fiber.Ctx, _ visit) error {
	view := backtestPage{Since: "7d"}
	if r := s.rules().Rules; r != nil {
		view.Rules = string(r.Source)
	}
	return s.sendBacktest(c, http.StatusOK, view)
}

// startBacktest begins one, and leads to the page that says how far it is.
func (s *Server) startBacktest(c *fiber.Ctx, v visit) error {
	f := form(c)
	view := backtestPage{Rules: strings.ReplaceAll(f.Get("rules"), "\r\n", "\n"), Since: f.Get("since")}
	if file := f.Get("file"); file != "" {
		view.Rules = file
	}
	candidates, err := alerts.LoadRules("candidate", []byte(view.Rules), s.cfg.Channels...)
	if err != nil {
		view.Problem = err.Error()
		return s.sendBacktest(c, http.StatusUnprocessableEntity, view)
	}
	now := s.clock.Now()
	ctx, cancel := context.WithTimeout(s.done, backtestTime)
	b := &backtest{
		id: s.backtests.home + randomToken(), by: v.account.Email, rules: view.Rules, since: view.Since, started: now, cancel: cancel, over: make(chan struct{}),
	}
	if err := s.backtests.add(b); err != nil {
		cancel()
		return err
	}
	go func() {
		defer cancel()
		defer close(b.over)
		defer func() {
			if p := recover(); p != nil {
				s.log.Error("panic in a back-test", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				b.err = errors.New("it failed; the log says why")
			}
		}()
		b.report, b.err = alerts.Backtest(ctx, alerts.BacktestConfig{
			Past: s.store, Rules: candidates, From: now.Add(-spanOf(b.since)), To: now, Most: mostReplayed,
			Progress: func(done, total int) { b.done.Store(int64(done)); b.total.Store(int64(total)) },
		})
	}()
	// A short one is over before anybody needs to see how far it is.
	moment, enough := context.WithTimeout(c.UserContext(), time.Second)
	defer enough()
	select {
	case <-b.over:
	case <-moment.Done():
	}
	return c.Redirect("/admin/rules/backtest/"+b.id, http.StatusSeeOther)
}

// followBacktest says how far one is, and then what came of it.
func (s *Server) followBacktest(c *fiber.Ctx, v visit) error {
	b := s.backtests.find(param(c))
	if b == nil {
		return s.lookElsewhere(c)
	}
	view := backtestPage{Rules: b.rules, Since: b.since}
	if b.running() {
		c.Set("Refresh", testRefresh+"; url=/admin/rules/backtest/"+b.id) // a number moves
		view.Run = &backtestView{
			ID: b.id, Done: b.done.Load(), Total: b.total.Load(), Took: roughly(s.clock.Now().Sub(b.started)), Mine: b.by == v.account.Email,
		}
		return s.sendBacktest(c, http.StatusOK, view)
	}
	switch {
	case errors.Is(b.err, alerts.ErrPastTooLong):
		view.Problem = b.err.Error() + tryCommand
	case errors.Is(b.err, context.DeadlineExceeded):
		view.Problem = fmt.Sprintf("after %s only %d of %d webhooks were replayed", roughly(backtestTime), b.done.Load(), b.total.Load()) + tryCommand
	case errors.Is(b.err, context.Canceled):
		view.Problem = fmt.Sprintf("it was cancelled after %d of %d webhooks", b.done.Load(), b.total.Load())
	case b.err != nil:
		return b.err
	default:
		view.tell(b.report)
	}
	return s.sendBacktest(c, http.StatusOK, view)
}

// lookElsewhere answers for a back-test that is not known here. Behind a load balancer
// the next request may reach the replica that knows it.
func (s *Server) lookElsewhere(c *fiber.Ctx) error {
	id, reloads := param(c), c.QueryInt("reloads")
	if !s.backtests.elsewhere(id) || reloads >= mostReloads {
		return refusal{code: http.StatusNotFound, text: "This back-test is not known here: it is over since long, or the instance that ran it has stopped. Start it again."}
	}
	c.Set("Refresh", fmt.Sprintf("%s; url=/admin/rules/backtest/%s?reloads=%d", testRefresh, id, reloads+1))
	return s.sendBacktest(c, http.StatusOK, backtestPage{Elsewhere: true})
}

// cancelBacktest ends one early. Only who started it does.
func (s *Server) cancelBacktest(c *fiber.Ctx, v visit) error {
	b := s.backtests.find(param(c))
	switch {
	case b == nil && s.backtests.elsewhere(param(c)):
		return refusal{code: http.StatusConflict, text: "Another instance runs this back-test, and your wish did not reach it. Go back and cancel it once more."}
	case b == nil || b.by != v.account.Email:
		return status.ErrNotFound
	}
	b.cancel()
	select { // it looks at the context after each webhook
	case <-b.over:
	case <-c.UserContext().Done():
	}
	return c.Redirect("/admin/rules/backtest/"+b.id, http.StatusSeeOther)
}

const tryCommand = "\nChoose a shorter time, or run on the server: statusbridge rules backtest --since 30d FILE"

func spanOf(name string) time.Duration {
	for _, sp := range spans {
		if sp.name == name {
			return sp.length
		}
	}
	return spans[0].length
}

func (s *Server) sendBacktest(c *fiber.Ctx, code int, view backtestPage) error {
	for _, sp := range spans {
		view.Spans = append(view.Spans, option{sp.name, sp.words, sp.name == view.Since})
	}
	return s.render(c, code, "backtest.html", page{Title: "Back-test", Nav: "rules", Data: view})
}

// changeWords say what a change means, and how it is marked.
var changeWords = []struct {
	change             alerts.Change
	one, counted, mark string
}{
	{alerts.ChangeOpened, "would have opened", "more would have opened", "down"},
	{alerts.ChangeMissing, "would not have opened", "would not have opened", "ring"},
	{alerts.ChangeDiffers, "would differ", "would differ", "slow"},
	{alerts.ChangeNone, "", "would be the same", "ok"},
}

func (v *backtestPage) tell(report alerts.BacktestReport) {
	v.Report = &report
	looks := map[alerts.Change]comparisonView{}
	for _, w := range changeWords {
		v.Counts = append(v.Counts, changeCount{report.Count(w.change), w.counted})
		looks[w.change] = comparisonView{Change: w.one, Glyph: w.mark}
	}
	for _, i := range report.Issues {
		if i.Change == alerts.ChangeNone {
			continue
		}
		line := looks[i.Change]
		line.Issue, line.Differences = i.Would, i.Differences
		if line.Issue == nil {
			line.Issue = i.Was
		}
		if i.Was != nil {
			line.ID = i.Was.ID
		}
		v.Issues = append(v.Issues, line)
	}
}
