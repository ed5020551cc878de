package scenario

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	devtools "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The checks of a page. Each returns what is wrong, a sentence each, so that
// planted faults can show that it would.

//go:embed testdata/checks.js
var checksScript string

// axeScript is axe-core, the accessibility rules.
var axeScript = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile(nodeFile("axe-core", "axe.min.js"))
	return string(source), err
})

// nodeFile is a file of an npm package that scripts/tools installed.
func nodeFile(parts ...string) string {
	return filepath.Join(append([]string{repository, ".tools", "node", "node_modules"}, parts...)...)
}

// screen is how somebody looks at a page.
type screen struct {
	name          string
	width, height int64
	mobile, dark  bool
}

var (
	desktop = screen{name: "desktop", width: 1280, height: 900}
	dark    = screen{name: "dark", width: 1280, height: 900, dark: true}
	phone   = screen{name: "320 px", width: 320, height: 640, mobile: true}
)

// use makes the tab look so. Motion is off: the checks see what is there in
// the end.
func (b *browser) use(s screen) {
	b.t.Helper()
	scheme := "light"
	if s.dark {
		scheme = "dark"
	}
	tell(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	tell(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: s.width, Height: s.height, DeviceScaleFactor: 1, Mobile: s.mobile})
}

// visitors of the checks live where an hour differs from UTC's by its minutes too.
const visitorZone = "Asia/Kolkata"

// checkPage looks at a page in every way that must hold for each page. With do,
// which fills in a form, it looks at the answer to the form.
func checkPage(b *browser, url, do string) []string {
	b.t.Helper()
	var found []string
	add := func(how string, list []string) {
		for _, f := range list {
			found = append(found, how+": "+f)
		}
	}
	tell(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: visitorZone})
	tell(b, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en_GB"})
	b.use(desktop)
	tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.visit(url, do)
	plain, plainTimes := answer[[]string](b, "checks.outline()"), answer[[]moment](b, "checks.times()")
	add("without JavaScript", plainFaults(plain, plainTimes))
	tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})

	b.visit(url, do)
	if answer[int](b, "checks.scripts()") > 0 {
		add("times", b.localTimes(plainTimes))
		if lost := lacking(plain, answer[[]string](b, "checks.outline()")); len(lost) > 0 {
			add("with JavaScript", []string{fmt.Sprintf("these are gone: %q", lost)})
		}
		if more := lacking(answer[[]string](b, "checks.outline()"), plain); len(more) > 0 {
			add("without JavaScript", []string{fmt.Sprintf("these are missing: %q", more)})
		}
	}
	add("console", complaintsBut(b.complained(), answer[string](b, "location.href")))
	add("keyboard", b.walk())
	answer[any](b, "checks.openAll()")
	add(desktop.name, b.axe())
	b.use(dark)
	add(dark.name, b.axe("color-contrast", "link-in-text-block")) // the dark changes nothing else
	b.use(phone)
	add(phone.name, b.axe())
	add(phone.name, answer[[]string](b, "checks.wide()"))
	add(phone.name, answer[[]string](b, "checks.small()"))
	b.visit(url, do)
	answer[any](b, "checks.openAll()")
	add("keyboard at "+phone.name, b.walk())
	add("console", complaintsBut(b.complained(), answer[string](b, "location.href")))
	return found
}

// visit opens a page and puts the checks into it.
func (b *browser) visit(url, do string) {
	b.t.Helper()
	b.open(url)
	if do != "" {
		b.send(do)
	}
	answer[any](b, checksScript+";0")
}

// send fills in the form of the page and sends it, whatever the browser thinks
// of what is in it.
func (b *browser) send(do string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	submit := do + `; { const f = document.querySelector("main form"); f.noValidate = true; HTMLFormElement.prototype.submit.call(f) }`
	_, err := chromedp.Run(ctx, chromedp.WaitEvent(devtools.LoadEventFired, nil, chromedp.Evaluate[any](submit)))
	if err != nil {
		b.t.Fatalf("Chromium: %.80s: %v", do, err)
	}
}

// axe looks at the page with axe-core, by these rules or by all.
func (b *browser) axe(rules ...string) []string {
	b.t.Helper()
	b.needsAxe()
	list := ""
	for _, rule := range rules {
		list += fmt.Sprintf("%q,", rule)
	}
	return answer[[]string](b, "checks.axe("+list+")")
}

// needsAxe puts axe-core into a page that has none yet. It is large, and costs
// Chromium more than the checks themselves.
func (b *browser) needsAxe() {
	b.t.Helper()
	if answer[bool](b, `"axe" in window`) {
		return
	}
	source, err := axeScript()
	if err != nil {
		b.t.Fatalf("%v; run: make tools", err)
	}
	answer[any](b, source+";0")
}

// moment is a <time> as a page shows it.
type moment struct{ At, Title, Text string }

var zoned = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:\d\d)$`)

// plainFaults are those of a page that no script has touched.
func plainFaults(outline []string, times []moment) []string {
	var found []string
	if !slices.ContainsFunc(outline, func(s string) bool { return strings.HasPrefix(s, "<h1> ") }) {
		found = append(found, "no <h1>")
	}
	for _, t := range times {
		switch {
		case !zoned.MatchString(t.At):
			found = append(found, fmt.Sprintf("the time %q has the datetime %q, without a zone", t.Text, t.At))
		case !strings.Contains(t.Text, "UTC"):
			found = append(found, fmt.Sprintf("the time %q does not say that it is UTC", t.Text))
		}
	}
	return found
}

// localTimes waits until each time follows the visitor, its UTC kept in the title.
func (b *browser) localTimes(plain []moment) []string {
	b.t.Helper()
	var found []string
	for n, t := range answer[[]moment](b, "checks.localised()") {
		if strings.HasSuffix(t.Text, "UTC") || // some languages write UTC+5:30
			n < len(plain) && t.Text == plain[n].Text {
			found = append(found, fmt.Sprintf("%q is not in the visitor's zone", t.Text))
		}
		if !strings.Contains(t.Title, "UTC") {
			found = append(found, fmt.Sprintf("%q keeps no UTC in its title", t.Text))
		}
	}
	return found
}

// lacking returns what is in all and not in some.
func lacking(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// complaintsBut leaves out that the page itself has an error status.
func complaintsBut(list []string, url string) []string {
	return slices.DeleteFunc(list, func(c string) bool {
		return strings.HasPrefix(c, "Failed to load resource") && strings.HasSuffix(c, url)
	})
}

// stop is where the focus stands after a Tab.
type stop struct {
	N                                   int
	Name, Call                          string
	Ringed, Covered, Parts, Skips, Main bool
}

// How many Tabs a field with parts may take: day, month, year, hours, minutes,
// half of the day, and the button that opens its calendar.
const fieldParts = 9

// walk goes through the page with Tab.
func (b *browser) walk() []string {
	b.t.Helper()
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	var way []stop
	again := 0
	for range 600 {
		b.press(kb.Tab)
		s := answer[*stop](b, "checks.stop()")
		if s == nil || len(way) > 0 && s.N == way[0].N && s.N != way[len(way)-1].N {
			break // once around
		}
		if len(way) > 0 && s.N == way[len(way)-1].N {
			if again++; !s.Parts && again > 0 || again > fieldParts {
				if len(way) > 1 || len(answer[[]string](b, "checks.controls()")) > 0 {
					add("trap: the focus does not leave %s", s.Call)
				}
				break
			}
			continue
		}
		again = 0
		if slices.ContainsFunc(way, func(o stop) bool { return o.N == s.N }) {
			add("trap: the focus goes back to %s", s.Call)
			break
		}
		way = append(way, *s)
	}
	if len(way) == 0 {
		return []string{"no stop at all"}
	}
	if !way[0].Skips && slices.ContainsFunc(way, func(s stop) bool { return s.Main }) && !way[0].Main {
		add("the first stop is %s, not a link that skips to the content", way[0].Call)
	}
	for _, s := range way {
		if s.Name == "" {
			add("%s has no name", s.Call)
		}
		if !s.Ringed {
			add("nothing shows that %s has the focus", s.Call)
		}
		if s.Covered {
			add("%s is covered or out of view when it has the focus", s.Call)
		}
	}
	if left := answer[[]string](b, "checks.controls()"); len(left) > 0 {
		add("Tab never reaches %q", left)
	}
	return found
}

func (b *browser) press(key string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.KeyEvent(key)); err != nil {
		b.t.Fatalf("Chromium: %v", err)
	}
}

// checkHTML runs the Nu HTML checker over documents by their names, and
// returns what it finds by name.
func checkHTML(t testing.TB, documents map[string][]byte) map[string][]string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-jar", nodeFile("vnu-jar", "build", "dist", "vnu.jar"), "--format", "json", "--exit-zero-always", "--also-check-svg"}
	names := map[string]string{}
	for name, document := range documents {
		file := filepath.Join(dir, fmt.Sprintf("%d.html", len(names)))
		if err := os.WriteFile(file, document, 0o600); err != nil {
			t.Fatal(err)
		}
		names["file:"+file] = name
		args = append(args, file)
	}
	var report struct {
		Messages []struct {
			Type, URL, Message, Extract string
			LastLine                    int
		}
	}
	cmd := exec.Command(tool(t, "java"), args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	if _, err := cmd.Output(); err != nil {
		t.Fatalf("the Nu HTML checker: %v; is it installed? run: make tools\n%s", err, errs.String())
	}
	if err := json.Unmarshal([]byte(errs.String()), &report); err != nil {
		t.Fatalf("the Nu HTML checker: %v\n%s", err, errs.String())
	}
	found := map[string][]string{}
	for _, m := range report.Messages {
		name := names[m.URL]
		found[name] = append(found[name], fmt.Sprintf("line %d: %s: %s", m.LastLine, m.Message, m.Extract))
	}
	return found
}
