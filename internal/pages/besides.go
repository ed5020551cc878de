package pages

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/statusbridge/statusbridge/internal/status"
)

// composeBesides makes what stands beside the pages and is not asked for often
// enough to be rendered ahead: feeds, calendar and badge of one component, the
// calendar of one maintenance, the card, the sitemap.
func (p *Publisher) composeBesides(ctx context.Context, e *edition, a address) (c composition, read bool, err error) {
	switch a.kind {
	case cardPath[1:]:
		c.kind = cardKind
		c.raw, err = p.press.card(e).png()
	case sitemapPath[1:]:
		c.kind = sitemapKind
		c.raw, err = p.press.sitemap(e)
	case "maintenance":
		var m status.Maintenance
		if m, read, err = p.findWork(ctx, e, a.id); err != nil {
			return c, read, err
		}
		c.kind, c.raw = calendarKind, p.press.calendar(e, p.press.cfg.Name+": "+oneLine(m.Title), []status.Maintenance{m})
	default:
		c.kind, c.raw, err = p.press.ofComponent(e, a.id, a.form)
	}
	return c, read, err
}

// allBesides lists the paths of what stands beside the pages, as far as it is
// in memory.
func (p *press) allBesides(e *edition) []string {
	paths := []string{cardPath, sitemapPath}
	for _, c := range e.view.Components {
		paths = append(paths, componentPath(c)+"/badge.svg", componentPath(c)+"/history.ics")
		for form := range feedForms {
			paths = append(paths, componentPath(c)+"/history"+form)
		}
	}
	for _, m := range e.view.Maintenances {
		paths = append(paths, "/maintenance/"+m.ID+".ics")
	}
	slices.Sort(paths)
	return paths
}

// ofComponent makes what there is of one component besides its page.
func (p *press) ofComponent(e *edition, slug, form string) (kind, []byte, error) {
	at := slices.IndexFunc(e.view.Components, func(c status.Component) bool { return c.Slug == slug })
	if at < 0 {
		return kind{}, nil, fmt.Errorf("component %s: %w", slug, status.ErrNotFound)
	}
	c := e.view.Components[at]
	ending, isFeed := strings.CutPrefix(form, "history")
	switch {
	case form == "badge.svg":
		return badgeKind, p.badge(oneLine(c.Name), e.lang.status(e.sum.Components[c.ID])), nil
	case ending == ".ics":
		works := slices.DeleteFunc(slices.Clone(e.view.Maintenances), func(m status.Maintenance) bool {
			return !slices.Contains(m.Components, c.ID)
		})
		return calendarKind, p.calendar(e, p.cfg.Name+" – "+oneLine(c.Name), works), nil
	case isFeed:
		if as, known := feedForms[ending]; known {
			raw, err := as.write(p, p.historyOf(e, c))
			return as.kind, raw, err
		}
	}
	return kind{}, nil, status.ErrNotFound
}
