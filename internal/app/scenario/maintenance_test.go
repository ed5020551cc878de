package scenario

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// A window that begins and ends by the clock, a few seconds from now.
func TestAMaintenanceBeginsAndEndsByTheClock(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, dsn string) {
		w := newWorld(t, setup{database: dsn})
		w.subscribe(reader)
		const title = "Database upgrade"
		f := w.admin.get("/admin/maintenance/new").form("title")
		f.set("title", title)
		f.set("body", "Checkout is read-only meanwhile.")
		now := time.Now().UTC()
		f.set("from", now.Add(6*time.Second).Format("2006-01-02T15:04:05"))
		f.set("until", now.Add(12*time.Second).Format("2006-01-02T15:04:05"))
		f.tick("components", "Checkout")
		if after := f.press(""); after.status != http.StatusOK {
			t.Fatalf("scheduling: %d %s", after.status, after.text())
		}

		eventually(t, "the page announces it", func() error { return visitor(w.daemon).get("/").says(title, "Scheduled") })
		eventually(t, "the mail announces it", func() error { return w.wrote(reader, 1, title) })
		eventually(t, "it is under way", func() error { return w.maintenance("in_progress", "maintenance", "under_maintenance") })
		if err := visitor(w.daemon).get("/").says("Service Under Maintenance", title); err != nil {
			t.Error(err)
		}
		eventually(t, "it is over", func() error { return w.maintenance("", "none", "operational") })
		if err := visitor(w.daemon).get("/").says("All Systems Operational", title, "Completed"); err != nil {
			t.Error(err)
		}
		if late := time.Since(now.Add(12 * time.Second)); late > 5*time.Second {
			t.Errorf("it ended %v late", late)
		}
		eventually(t, "the feed has it", func() error { return w.feedHas("/history.atom", 1, title, "read-only") })
		eventually(t, "mail for the begin and the end", func() error { return w.wrote(reader, 3, title) })
	})
}

// maintenance is nil when the API says so: the state of the only planned
// maintenance ("" for none), the indicator, the status of Checkout.
func (d *daemon) maintenance(state, indicator, checkout string) error {
	s, err := d.summary()
	if err != nil {
		return err
	}
	at := ""
	if len(s.Scheduled) > 0 {
		at = s.Scheduled[0].Status
	}
	if at != state || s.Status.Indicator != indicator || len(s.Components) != 1 || s.Components[0].Status != checkout {
		return fmt.Errorf("the API says %+v", s)
	}
	return nil
}
