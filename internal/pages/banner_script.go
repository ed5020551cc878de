package pages

import (
	"crypto/sha512"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// The banner has two builds of one source. /banner.js carries the state with
// it. This one never changes: a host page can hold it to its hash (Subresource
// Integrity), and it asks for the state.
type bannerBuild struct {
	source    string // minified, with $STATE where the state goes
	path      string // of the build that never changes
	integrity string // of the same
	script    []byte
}

// minifiedBanner is made of assets/banner.js and assets/banner.css by the test that
// watches over it, so that no minifier is in the program.
const minifiedBanner = "assets/banner.min.js"

func newBannerBuild(source string) bannerBuild {
	b := bannerBuild{source: source}
	b.script = b.with([]byte("null"))
	sum := sha512.Sum384(b.script)
	b.integrity = "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
	b.path = "/banner/v1." + checksum(b.script) + ".js"
	return b
}

// with puts the state in: one request shows the banner, and a host page needs
// to allow no connection for that.
func (b bannerBuild) with(state []byte) []byte {
	return []byte(strings.Replace(b.source, "$STATE", strings.TrimSpace(string(state)), 1) + "\n")
}

// BannerBuild is the path of the banner that never changes, and the hash that
// browsers hold it to.
func (p *Publisher) BannerBuild() (path, integrity string) {
	return p.press.assets.banner.path, p.press.assets.banner.integrity
}

// BannerSamples are the states that the banner can be tried with.
var BannerSamples = []string{"one issue", "an outage", "maintenance", "all at once", "a long title", "nothing"}

// BannerSample is the banner with a made-up state of BannerSamples. It is new
// each time, so that one that was dismissed comes again.
func (p *Publisher) BannerSample(name string, now time.Time) ([]byte, error) {
	l := p.press.languages[0]
	b := p.press.bannerState(p.press.unknown(now), l)
	add := func(list *[]bannerItem, class, title, state string, from time.Duration) {
		item := bannerItem{ID: "sample" + strconv.Itoa(len(b.Issues)+len(b.Maintenances)), Revision: strconv.FormatInt(now.UnixMilli(), 36), Class: class, Title: title, State: state, URL: b.URL}
		if from > 0 {
			item.From, item.Until = now.Add(from).UTC().Format(time.RFC3339), now.Add(from+2*time.Hour).UTC().Format(time.RFC3339)
			item.State = l.pair(l.say("maintenance"), state)
		}
		*list = append(*list, item)
	}
	slow := func() { add(&b.Issues, classSlow, "Sample: search is slow", l.say("issue.monitoring"), 0) }
	down := func() { add(&b.Issues, classDown, "Sample: payments fail", l.say("issue.investigating"), 0) }
	work := func() {
		add(&b.Maintenances, classWork, "Sample: database upgrade", l.say("work.scheduled"), 24*time.Hour)
	}
	switch name {
	case "one issue":
		slow()
	case "an outage":
		down()
	case "maintenance":
		work()
	case "all at once":
		down()
		slow()
		add(&b.Issues, classPart, "Sample: some logins fail", l.say("issue.identified"), 0)
		work()
	case "a long title":
		add(&b.Issues, classPart, "Sample: "+strings.Repeat("some customers in several regions see errors, ", 4), l.say("issue.identified"), 0)
	case "nothing":
	default:
		return nil, status.ErrNotFound
	}
	raw, err := jsonBytes(b)
	if err != nil {
		return nil, err
	}
	return p.press.assets.banner.with(raw), nil
}
