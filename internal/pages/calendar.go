package pages

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/statusbridge/statusbridge/internal/status"
)

// calendar writes maintenance as iCalendar, RFC 5545: one event each, planned
// times as they were announced, in UTC.
func (p *press) calendar(e *edition, name string, works []status.Maintenance) []byte {
	var c calendarText
	c.line("BEGIN", "VCALENDAR")
	c.line("VERSION", "2.0")
	c.line("PRODID", "-//statusbridge//statusbridge//EN")
	c.line("CALSCALE", "GREGORIAN")
	c.line("METHOD", "PUBLISH")
	c.text("NAME", name) // RFC 7986; older programs know the two lines with X
	c.text("X-WR-CALNAME", name)
	c.line("REFRESH-INTERVAL;VALUE=DURATION", "PT1H")
	c.line("X-PUBLISHED-TTL", "PT1H")
	for _, m := range works {
		p.event(e, &c, m)
	}
	c.line("END", "VCALENDAR")
	return []byte(c.String())
}

// event writes one maintenance. Its id is permanent; the sequence grows with
// each saved change, so that calendars replace what they have.
func (p *press) event(e *edition, c *calendarText, m status.Maintenance) {
	c.line("BEGIN", "VEVENT")
	c.line("UID", strings.TrimPrefix(permanentID("maintenance", m.ID), "urn:uuid:"))
	c.line("SEQUENCE", strconv.FormatInt(max(0, m.Version-1), 10))
	changed := latest(workChanged(m), m.UpdatedAt)
	c.time("DTSTAMP", changed)
	c.time("CREATED", m.CreatedAt)
	c.time("LAST-MODIFIED", changed)
	c.time("DTSTART", m.ScheduledFor)
	c.time("DTEND", m.ScheduledUntil)
	c.text("SUMMARY", p.cfg.Name+": "+oneLine(m.Title))
	c.text("DESCRIPTION", e.calendarNote(m))
	c.line("URL", p.cfg.PublicURL+"/maintenance/"+m.ID)
	state := "CONFIRMED"
	if m.State == status.Cancelled {
		state = "CANCELLED"
	}
	c.line("STATUS", state)
	c.line("TRANSP", "TRANSPARENT") // nobody is busy with it
	c.line("END", "VEVENT")
}

// calendarNote tells in plain text what a calendar has room for: what will be
// done, where it stands and what it touches.
func (e *edition) calendarNote(m status.Maintenance) string {
	parts := []string{strings.TrimSpace(visible(m.Body)), e.lang.say("feed.state", "state", e.lang.work(m.State).Word)}
	if n := len(m.Updates); n > 0 && m.Updates[n-1].Body != m.Body {
		parts = append(parts, strings.TrimSpace(visible(m.Updates[n-1].Body)))
	}
	if again := e.repeatsText(m); again != "" {
		parts = append(parts, again)
	}
	if names := e.publicNames(m.Components); len(names) > 0 {
		parts = append(parts, e.lang.say("affected", "names", e.lang.list(names)))
	}
	return strings.TrimSpace(strings.Join(parts, "\n\n"))
}

// calendarText collects the lines of a calendar.
type calendarText struct{ strings.Builder }

// line ends with CR LF and is folded after 75 octets, never within a
// character (RFC 5545 3.1).
func (c *calendarText) line(name, value string) {
	const limit = 75
	rest, room := name+":"+value, limit
	for len(rest) > room {
		cut := room
		for !utf8.RuneStart(rest[cut]) {
			cut--
		}
		c.WriteString(rest[:cut] + "\r\n ")
		rest, room = rest[cut:], limit-1 // the blank counts
	}
	c.WriteString(rest + "\r\n")
}

var calendarEscapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`, "\r", "")

// text writes a value of type TEXT (RFC 5545 3.3.11).
func (c *calendarText) text(name, value string) { c.line(name, calendarEscapes.Replace(value)) }

func (c *calendarText) time(name string, t time.Time) {
	c.line(name, t.UTC().Format("20060102T150405Z"))
}
