package pages

import (
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// bannerState is what the banner on other sites needs to know, and no more.
type bannerState struct {
	Version      int          `json:"v"` // of this form
	Language     string       `json:"lang"`
	Self         string       `json:"self"` // path of this document
	Name         string       `json:"name"`
	URL          string       `json:"url"`
	Dismiss      string       `json:"dismiss"` // names the button
	More         string       `json:"more"`    // with {n} for a number
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

// bannerPath is where the state stands in a language; "" is the page's own.
func bannerPath(code, ending string) string {
	if code == "" {
		return "/banner" + ending
	}
	return "/banner." + strings.ToLower(code) + ending
}

// putBanner shelves the banner in each language that there is, whichever the
// page is offered in: other sites have their own. The page's own comes first.
func (p *press) putBanner(s *shelf, e *edition) error {
	for path, build := range p.assets.banners {
		s.put(path, frozenKind, build)
	}
	put := func(code string, l *language) error {
		if l.code != e.lang.code && s.keepDocs(bannerPath(code, ".json"), bannerPath(code, ".js")) {
			return nil
		}
		state := p.bannerState(e, l)
		state.Self = bannerPath(code, ".json")
		raw, err := jsonBytes(state)
		if err == nil {
			s.put(state.Self, jsonKind, raw)
			s.put(bannerPath(code, ".js"), bannerKind, p.assets.banner.with(raw))
		}
		return err
	}
	if err := put("", e.lang); err != nil {
		return err
	}
	for _, l := range p.spoken {
		if !s.wanted() {
			return nil
		}
		if err := put(l.code, l); err != nil {
			return err
		}
	}
	return e.shelve(s, "/banner.html", "banner", framedKind, leaf{content: p.bannerPage(e), live: true})
}

// A bannerPage is the banner for an iframe: for sites that allow no script of
// others.
type bannerPage struct {
	shell
	Headline string
	Items    []bannerLine
}

type bannerLine struct {
	Look        look
	Title, Path string
	State       string
	From, Until *moment
}

func (p *press) bannerPage(e *edition) bannerPage {
	b := bannerPage{shell: live(p.shell(e, "/banner.html", e.headline(), e.description())), Headline: e.headline()}
	b.Languages = nil
	for _, i := range e.sum.Active {
		c := e.activeCard(i)
		b.Items = append(b.Items, bannerLine{Look: c.Look, Title: c.Title, Path: c.Path, State: c.Phase})
	}
	for _, list := range [][]status.Maintenance{e.sum.Running, e.sum.Upcoming} {
		for _, m := range list {
			c := e.workCard(m)
			line := bannerLine{Look: c.Look, Title: c.Title, Path: c.Path, State: e.lang.pair(e.lang.say("maintenance"), c.Look.Word), From: &c.From}
			if !c.Overrun {
				line.Until = &c.Until
			}
			b.Items = append(b.Items, line)
		}
	}
	return b
}

func (p *press) bannerState(e *edition, l *language) bannerState {
	b := bannerState{
		Version: 1, Language: l.code, Name: p.cfg.Name, URL: p.cfg.PublicURL + "/",
		Dismiss: l.say("banner.dismiss"), More: l.say("banner.more", "n", "{n}"),
		Issues: []bannerItem{}, Maintenances: []bannerItem{},
	}
	for _, i := range e.sum.Active {
		item := bannerItem{
			ID: i.ID, Class: e.lang.lookOfIssue(i).Class, Title: oneLine(i.Title), State: l.say("issue." + string(i.State)),
			URL: p.cfg.PublicURL + "/issues/" + i.ID, Components: []string{},
		}
		for _, a := range i.Components {
			if slug, public := e.slugs[a.ComponentID]; public {
				item.Components = append(item.Components, slug)
			}
		}
		item.Revision = revisionOf(item, string(i.State), len(i.Updates))
		b.Issues = append(b.Issues, item)
	}
	for _, list := range [][]status.Maintenance{e.sum.Running, e.sum.Upcoming} {
		for _, m := range list {
			b.Maintenances = append(b.Maintenances, p.bannerWork(e, l, m))
		}
	}
	return b
}

func (p *press) bannerWork(e *edition, l *language, m status.Maintenance) bannerItem {
	item := bannerItem{
		ID: m.ID, Class: classWork, Title: oneLine(m.Title), State: l.pair(l.say("maintenance"), l.say("work."+string(m.State))),
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
	item.Revision = revisionOf(item, string(m.State), len(m.Updates))
	return item
}

// revisionOf changes with whatever somebody who dismissed the item would want
// to know, and with nothing else: it is the same in each language.
func revisionOf(b bannerItem, state string, updates int) string {
	return checksum([]byte(strings.Join([]string{b.Class, b.Title, state, strings.Repeat("+", updates)}, "\x00")))[:8]
}
