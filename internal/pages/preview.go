package pages

import (
	"errors"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Preview is the page of an issue as visitors would get it, were it public now.
// It is not kept anywhere.
func (p *Publisher) Preview(i status.Issue) ([]byte, error) {
	e := p.site.Load().now
	if e == nil {
		return nil, errors.New("no preview: nothing of the page is known yet")
	}
	page := p.press.issue(e, i)
	page.Live, page.Script = false, "" // there is nothing to keep current
	return e.render("issue", page, 0)
}
