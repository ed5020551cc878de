package pages

import (
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// bannerState is what the banner on other sites needs to know, and no more.
type bannerState struct {
	Version      int          `json:"v"` // of this form
	Name         string       `json:"name"`
	URL          string       `json:"url"`
	Issues       []bannerItem `json:"issues"`
	Maintenances []bannerItem `json:"maintenances"`
}

type bannerItem struct {
	ID         string   `json:"id"`
	Revision   string   `json:"rev"` // a dismissal holds for this one only
	Class      string   `json:"class"`
	Title      string   `json:"title"`
	State      string   `json:"state"` // in words
	URL        string   `json:"url"`
	Components []string `json:"components"` // slugs; none: concerns all
	From       string   `json:"from,omitempty"`
	Until      string   `json:"until,omitempty"`
}

func (p *press) bannerState(e *edition) bannerState {
	b := bannerState{Version: 1, Name: p.cfg.Name, URL: p.cfg.PublicURL + "/", Issues: []bannerItem{}, Maintenances: []bannerItem{}}
	for _, i := range e.sum.Active {
		item := bannerItem{
			ID: i.ID, Class: e.lang.lookOfIssue(i).Class, Title: oneLine(i.Title), State: issueWords[i.State],
			URL: p.cfg.PublicURL + "/issues/" + i.ID, Components: []string{},
		}
		for _, a := range i.Components {
			if slug, public := e.slugs[a.ComponentID]; public {
				item.Components = append(item.Components, slug)
			}
		}
		item.Revision = revisionOf(item, len(i.Updates))
		b.Issues = append(b.Issues, item)
	}
	for _, list := range [][]status.Maintenance{e.sum.Running, e.sum.Upcoming} {
		for _, m := range list {
			b.Maintenances = append(b.Maintenances, p.bannerWork(e, m))
		}
	}
	return b
}

func (p *press) bannerWork(e *edition, m status.Maintenance) bannerItem {
	item := bannerItem{
		ID: m.ID, Class: classWork, Title: oneLine(m.Title), State: "Maintenance " + strings.ToLower(workLooks[m.State].Word),
		URL: p.cfg.PublicURL + "/maintenance/" + m.ID, Components: []string{}, From: m.ScheduledFor.UTC().Format(time.RFC3339),
	}
	// One that overruns has no end that could be told.
	if !m.Running() || m.ScheduledUntil.After(e.now) {
		item.Until = m.ScheduledUntil.UTC().Format(time.RFC3339)
	}
	for _, id := range m.Components {
		if slug, public := e.slugs[id]; public {
			item.Components = append(item.Components, slug)
		}
	}
	item.Revision = revisionOf(item, len(m.Updates))
	return item
}

// revisionOf changes with whatever somebody who dismissed the item would want
// to know, and with nothing else.
func revisionOf(b bannerItem, updates int) string {
	return checksum([]byte(strings.Join([]string{b.Class, b.Title, b.State, strings.Repeat("+", updates)}, "\x00")))[:8]
}

// bannerScript is the banner with its state put in: one request shows it, and
// a host page needs to allow no connection for that.
func (p *press) bannerScript(state []byte) []byte {
	return []byte(strings.Replace(p.assets.banner, "$STATE", strings.TrimSpace(string(state)), 1))
}
