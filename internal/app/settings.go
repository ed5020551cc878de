package app

import (
	"context"
	"slices"

	"github.com/statusbridge/statusbridge/internal/web"
)

// begin notes what the daemon starts with.
func (d *Daemon) begin() error {
	if d.opt.Settings == nil {
		d.given.Store(&[]web.Setting{})
		return nil
	}
	given, err := d.opt.Settings()
	d.given.Store(&given)
	return err
}

// takeOver notes what a reload took over.
func (d *Daemon) takeOver() {
	if d.opt.Settings == nil {
		return
	}
	now, err := d.opt.Settings()
	if err != nil {
		return // somebody broke the file a moment ago; the page says so
	}
	given := slices.DeleteFunc(slices.Clone(*d.given.Load()), func(s web.Setting) bool { return s.Reloads })
	for n, s := range now {
		if s.Reloads {
			given = slices.Insert(given, min(n, len(given)), s)
		}
	}
	d.given.Store(&given)
}

// settings is the configuration in force, and what the next start would find.
func (d *Daemon) settings(context.Context) web.Settings {
	out := web.Settings{InForce: slices.Clone(*d.given.Load())}
	if d.opt.Settings != nil {
		out.Now, out.Err = d.opt.Settings()
	}
	for n, s := range out.InForce {
		if s.Key == "webhook.secret" && s.Given == "" {
			out.InForce[n].Value, out.InForce[n].Given = masked, "made by the first start"
		}
	}
	return out
}
