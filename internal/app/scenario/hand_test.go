package scenario

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	devtools "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

//go:embed testdata/hands.js
var handsScript string

// The screens of those who act: a phone in a hand, a desk.
var (
	onPhone = screen{name: "390 px", width: 390, height: 844, mobile: true}
	atDesk  = screen{name: "1280 px", width: 1280, height: 900}
)

// hand is a person at a real browser: they press what is written on the screen
// and type. Each page that they come to must have nothing to complain about.
type hand struct {
	*browser
	base string
	who  string // different for each, so that several work at the same time

	taps   int
	far    []string  // what they had to scroll to before they could press it
	axed   *sync.Map // kinds of pages that were checked; nil checks none
	shots  string    // folder for pictures of each page, "" for none
	pages  int
	behind screen
}

func newHand(t testing.TB, base, who string, s screen, scripted bool) *hand {
	t.Helper()
	h := &hand{browser: openBrowser(t), base: base, who: who, behind: s}
	h.use(s)
	tell(h.browser, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripted})
	if dir := os.Getenv("STATUSBRIDGE_SHOTS"); dir != "" {
		h.shots = filepath.Join(dir, strings.ReplaceAll(who, " ", "-"))
		if err := os.MkdirAll(h.shots, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// goTo opens a path as a link from elsewhere does.
func (h *hand) goTo(path string) {
	h.t.Helper()
	h.open(h.base + path)
	h.arrive()
}

// tap presses what has that text on it, near another text if given. When that
// leads to another page, it waits for it.
func (h *hand) tap(text string, near ...string) {
	h.t.Helper()
	type spot struct {
		Problem             string
		X, Y, Width, Height float64
		Far, Link, Loads    bool
	}
	at := answer[spot](h.browser, fmt.Sprintf("hands.spot(%q, %q)", text, strings.Join(near, "")))
	if at.Problem != "" {
		h.t.Fatalf("%s: %s: %s", h.who, h.where(), at.Problem)
	}
	if h.behind.mobile && at.Height < 24 && !at.Link {
		h.t.Errorf("%s: %s: %q is %.0f px high: no thumb hits that", h.who, h.where(), text, at.Height)
	}
	h.taps++
	if at.Far {
		h.far = append(h.far, text)
	}
	ctx, cancel := context.WithTimeout(h.ctx, patience)
	defer cancel()
	press := chromedp.MouseClickXY(at.X, at.Y)
	var err error
	if at.Loads {
		_, err = chromedp.Run(ctx, chromedp.WaitEvent(devtools.LoadEventFired, nil, press))
	} else {
		_, err = chromedp.Run(ctx, press)
	}
	if err != nil {
		h.t.Fatalf("%s: %s: %q: %v", h.who, h.where(), text, err)
	}
	if at.Loads {
		h.arrive()
	}
}

// fill types into the field of that label, in place of what is there.
func (h *hand) fill(label, text string, near ...string) {
	h.t.Helper()
	h.aim(label, near...)
	tell(h.browser, input.InsertText, input.InsertTextParams{Text: text})
}

// choose picks a choice, or a date.
func (h *hand) choose(label, value string, near ...string) {
	h.t.Helper()
	h.aim(label, near...)
	if problem := h.ask(fmt.Sprintf("hands.put(%q)", value)); problem != "" {
		h.t.Fatalf("%s: %s: %s: %s", h.who, h.where(), label, problem)
	}
}

func (h *hand) aim(label string, near ...string) {
	h.t.Helper()
	if problem := h.ask(fmt.Sprintf("hands.field(%q, %q)", label, strings.Join(near, ""))); problem != "" {
		h.t.Fatalf("%s: %s: %s", h.who, h.where(), problem)
	}
}

// walkTo presses Tab until the focus is on what has that name. Each stop on the
// way shows that it has the focus, and is not covered.
func (h *hand) walkTo(name string) {
	h.t.Helper()
	answer[any](h.browser, checksScript+";0")
	var way []string
	for range 100 {
		h.press(kb.Tab)
		s := answer[*stop](h.browser, "checks.stop()")
		if s == nil {
			break
		}
		if !s.Ringed || s.Covered {
			h.t.Errorf("%s: %s: %s has the focus, and nobody sees it", h.who, h.where(), s.Call)
		}
		if strings.HasPrefix(s.Name, name) {
			return
		}
		way = append(way, s.Name)
	}
	h.t.Fatalf("%s: %s: Tab does not come to %q, only to %q", h.who, h.where(), name, way)
}

// enter presses Enter on what leads to another page.
func (h *hand) enter() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.WaitEvent(devtools.LoadEventFired, nil, chromedp.KeyEvent(kb.Enter))); err != nil {
		h.t.Fatalf("%s: %s: Enter: %v", h.who, h.where(), err)
	}
	h.arrive()
}

// sees fails unless the page shows each of the texts.
func (h *hand) sees(texts ...string) {
	h.t.Helper()
	shown := h.ask("hands.text()")
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			h.t.Fatalf("%s: %s does not say %q but: %.1500s", h.who, h.where(), text, shown)
		}
	}
}

func (h *hand) where() string { return strings.TrimPrefix(h.ask("location.href"), h.base) }

// ids are what makes pages of one kind differ.
var ids = regexp.MustCompile(`/[a-z2-9]{12}(/|$)|[?#].*`)

// arrive looks at the page that was just loaded.
func (h *hand) arrive() {
	h.t.Helper()
	answer[any](h.browser, handsScript+";0")
	h.pages++
	if h.shots != "" {
		h.shoot(filepath.Join(h.shots, fmt.Sprintf("%02d.png", h.pages)))
	}
	for _, c := range complaintsBut(h.complained(), h.ask("location.href")) {
		h.t.Errorf("%s: %s complains: %s", h.who, h.where(), c)
	}
	kind := ids.ReplaceAllString(h.where(), "/ID/") + h.ask("document.title.slice(0, 3)")
	if h.axed == nil {
		return
	}
	if _, done := h.axed.LoadOrStore(kind, true); done {
		return
	}
	h.needsAxe()
	answer[any](h.browser, checksScript+";0")
	for _, f := range append(answer[[]string](h.browser, "checks.axeMain()"), answer[[]string](h.browser, "checks.wide()")...) {
		h.t.Errorf("%s: %s: %s", h.who, h.where(), f)
	}
}

// shoot writes a picture of what is on the screen.
func (h *hand) shoot(file string) {
	h.t.Helper()
	got := tell(h.browser, devtools.CaptureScreenshot, devtools.CaptureScreenshotParams{})
	if err := os.WriteFile(file, got.Data, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// everyScreen is how people may sit before the admin. Without JavaScript a desk
// shows what a phone does, in other places; whoever works by keyboard alone does
// without it there.
var everyScreen = []struct {
	screen
	scripted bool
}{{onPhone, false}, {onPhone, true}, {atDesk, true}}
