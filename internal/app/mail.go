package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/common/model"

	"github.com/statusbridge/statusbridge/internal/broadcast"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

// mailer makes the sender of mails.
func (c Config) mailer() (*broadcast.Email, error) {
	cfg, err := c.email()
	if err != nil {
		return nil, err
	}
	return broadcast.NewEmail(cfg)
}

func (c Config) email() (broadcast.EmailConfig, error) {
	zone, err := time.LoadLocation(c.Page.TimeZone)
	if err != nil {
		return broadcast.EmailConfig{}, err
	}
	coalesce, err := model.ParseDuration(c.SMTP.Coalesce)
	if err != nil {
		return broadcast.EmailConfig{}, err
	}
	return broadcast.EmailConfig{
		URL: c.SMTP.URL, From: c.SMTP.From, ReplyTo: c.SMTP.ReplyTo, PublicURL: c.PublicURL, PageName: c.Page.Name,
		Language: c.Page.Language, Zone: zone, Connections: c.SMTP.Connections, Join: time.Duration(coalesce),
		DKIM: broadcast.DKIM{Domain: c.SMTP.DKIM.Domain, Selector: c.SMTP.DKIM.Selector, Key: c.SMTP.DKIM.Key},
	}, nil
}

// operatorMail makes the sender of mails to operators.
func (c Config) operatorMail() (*broadcast.OperatorMail, error) {
	cfg, err := c.email()
	if err != nil {
		return nil, err
	}
	return broadcast.NewOperatorMail(cfg, c.SMTP.Operators)
}

// mailLanguages are the languages a subscriber can choose.
func mailLanguages() []web.Language {
	var out []web.Language
	for _, l := range broadcast.Languages() {
		out = append(out, web.Language{Tag: l.Tag, Name: l.Name})
	}
	return out
}

// errNoMail is the answer to whoever wants a mail of a page that sends none.
var errNoMail = errors.New("mail is not configured: set smtp.url and smtp.from")

// testMail sends one mail right now, past the queue.
func (d *Daemon) testMail(ctx context.Context, recipient string) (answer string, err error) {
	if d.mail == nil {
		return "", errNoMail
	}
	return d.mail.Test(ctx, recipient, d.clock.Now())
}

// takeBounces keeps a report of a mail service.
func (d *Daemon) takeBounces(ctx context.Context, report []byte) (kept int, err error) {
	bounces, err := broadcast.ReadBounces(report)
	var confirm broadcast.Confirm
	if errors.As(err, &confirm) {
		d.log.Warn("bounce reports wait for a person", "err", err)
		return 0, nil // the service wants a yes; the person finds it in the log
	}
	if err != nil {
		return 0, status.Invalid{Field: "body", Message: err.Error()}
	}
	return RecordBounces(ctx, d.store, bounces)
}

// Bouncer keeps what reports of mail systems say; *store.Store satisfies it.
type Bouncer interface {
	RecordBounce(ctx context.Context, now time.Time, b status.Bounce) error
}

// RecordBounces keeps the bounces of one report. Those about addresses that
// nobody here knows are passed over. It tells how many it kept.
func RecordBounces(ctx context.Context, to Bouncer, bounces []status.Bounce) (kept int, err error) {
	for _, b := range bounces {
		switch err := to.RecordBounce(ctx, Clock{}.Now(), b); {
		case errors.Is(err, status.ErrNotFound):
		case err != nil:
			return kept, err
		default:
			kept++
		}
	}
	return kept, nil
}
