package scenario

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	devtools "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium is the one Chromium of all tests; each opens tabs in a profile of
// its own.
var chromium = sync.OnceValues(func() (context.Context, error) {
	program, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("%w; run: make tools", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("hide-scrollbars", true),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, quit := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeAll := chromedp.NewContext(allocator)
	quitChromium = func() { closeAll(); quit() }
	return ctx, chromedp.Do(ctx)
})

// quitChromium ends Chromium, if it was started.
var quitChromium = func() {}

// browser is a tab of a real Chromium with an empty profile. It remembers what
// a page complains about: script errors and breaches of its
// Content-Security-Policy.
type browser struct {
	t     testing.TB
	ctx   context.Context
	close func()

	mu         sync.Mutex
	complaints []string
}

func openBrowser(t testing.TB) *browser {
	t.Helper()
	root, err := chromium()
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	ctx, closeTab := chromedp.NewContext(root, chromedp.WithNewBrowserContext())
	b := &browser{t: t, ctx: ctx, close: sync.OnceFunc(closeTab)}
	t.Cleanup(b.close)
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	tell(b, log.Enable, cdp.Empty{})
	tell(b, runtime.Enable, cdp.Empty{})
	// As if each tab were in front, so that focus works in all of them.
	tell(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	b.before(countRenders)
	return b
}

// before runs a script ahead of those of each page.
func (b *browser) before(script string) {
	b.t.Helper()
	tell(b, devtools.AddScriptToEvaluateOnNewDocument, devtools.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// tell sends a command of the DevTools protocol, and returns its answer.
func tell[P, R any](b *browser, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	answer, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatalf("Chromium: %v", err)
	}
	return answer
}

// signIn gives the tab the cookies of a person.
func (b *browser) signIn(p *person) {
	b.t.Helper()
	for name, value := range p.cookies {
		tell(b, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: p.base})
	}
}

// countRenders counts how often a banner was drawn, also as nothing.
const countRenders = `window.renders = 0; document.addEventListener("statusbridge:render", () => window.renders++)`

func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.complaints = append(b.complaints, strings.TrimSpace(e.Entry.Text+" "+e.Entry.URL))
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			b.complaints = append(b.complaints, fmt.Sprintf("console.error with %d arguments", len(e.Args)))
		}
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	}
}

// open loads a page.
func (b *browser) open(url string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Navigate(url)); err != nil {
		b.t.Fatalf("Chromium: %s: %v", url, err)
	}
}

// ask evaluates an expression in the page.
func (b *browser) ask(expression string) string {
	b.t.Helper()
	return answer[string](b, "String("+expression+")")
}

// answer evaluates an expression in the page and waits for it when it is a
// promise.
func answer[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("Chromium: %.80s: %v", expression, err)
	}
	return value
}

// complained returns what the page complained about so far, and forgets it.
func (b *browser) complained() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.complaints
	b.complaints = nil
	return list
}

// content checks that the page had nothing to complain about.
func (b *browser) content() {
	b.t.Helper()
	for _, c := range b.complained() {
		b.t.Errorf("the page complains: %s", c)
	}
}
