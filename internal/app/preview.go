package app

import (
	"context"

	"github.com/statusbridge/statusbridge/internal/broadcast"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// preview writes what publishing the issue would put on the page and send, with
// the very code that then does it. The issue is given as it would be.
func (d *Daemon) preview(ctx context.Context, i status.Issue) (web.Preview, error) {
	var p web.Preview
	var err error
	if p.Page, err = d.pages.Preview(i); err != nil {
		return p, err
	}
	components, _, err := d.store.Components(ctx)
	if err != nil {
		return p, err
	}
	m, err := broadcast.Compose(broadcast.Story{
		Event: status.EventOpen, Issue: &i, UpdateID: i.Updates[0].ID, Components: components,
	}, d.cfg.PublicURL)
	if err != nil {
		return p, err
	}
	if d.mail != nil {
		mail, err := d.mail.Preview(m)
		if err != nil {
			return p, err
		}
		p.Subject, p.Text, p.HTML = mail.Subject, mail.Text, []byte(mail.HTML)
	}
	if d.twitter != nil {
		p.Tweet, p.Weight, p.Limit = d.twitter.Preview(m)
	}
	return p, nil
}
