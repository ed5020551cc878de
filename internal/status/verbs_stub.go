package status

import "time"

// Receive takes in what monitoring systems said.
func Receive(b Board, r *Rules, facts []Fact, now time.Time) Changes { return Changes{} }

// Tick does what is due.
func Tick(b Board, r *Rules, now time.Time) Changes { return Changes{} }

// Revise carries out one decision of a person.
func Revise(b Board, r *Rules, e Edit, who string, now time.Time) (Changes, error) {
	return Changes{}, nil
}

// Overview sums up the present.
func Overview(v View, now time.Time) Summary { return Summary{} }

// Outages lists the stretches in which the issue hurt a component.
func (i Issue) Outages(now time.Time) []Outage { return nil }

// Uptime is the share of the window, 0 to 1, in which the component worked;
// false when the window holds no time that counts.
func Uptime(outages []Outage, w Window, weights Weights) (float64, bool) { return 1, true }

func (OpenIssue) Subjects() []string               { return nil }
func (e EditIssue) Subjects() []string             { return []string{e.ID} }
func (e DismissIssue) Subjects() []string          { return []string{e.ID} }
func (e PostUpdate) Subjects() []string            { return []string{e.ID} }
func (e HandBack) Subjects() []string              { return []string{e.ID} }
func (e SaveComponent) Subjects() []string         { return []string{e.ID} }
func (e SaveGroup) Subjects() []string             { return []string{e.ID} }
func (e ArchiveComponent) Subjects() []string      { return []string{e.ID} }
func (e ArchiveGroup) Subjects() []string          { return []string{e.ID} }
func (e SaveMaintenance) Subjects() []string       { return []string{e.ID} }
func (e PostMaintenanceUpdate) Subjects() []string { return []string{e.ID} }

func (OpenIssue) revise(d *desk, who string) error               { return nil }
func (e EditIssue) revise(d *desk, who string) error             { return nil }
func (e PublishIssue) revise(d *desk, who string) error          { return nil }
func (e DismissIssue) revise(d *desk, who string) error          { return nil }
func (e PostUpdate) revise(d *desk, who string) error            { return nil }
func (e HandBack) revise(d *desk, who string) error              { return nil }
func (e SaveComponent) revise(d *desk, who string) error         { return nil }
func (e SaveGroup) revise(d *desk, who string) error             { return nil }
func (e ArchiveComponent) revise(d *desk, who string) error      { return nil }
func (e ArchiveGroup) revise(d *desk, who string) error          { return nil }
func (e SaveMaintenance) revise(d *desk, who string) error       { return nil }
func (e PostMaintenanceUpdate) revise(d *desk, who string) error { return nil }
