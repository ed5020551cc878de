package web

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// csvColumns are those of an export, and those an import understands.
var csvColumns = []string{"email", "components", "scope", "language", "time_zone", "state", "since"}

// csvRow writes a subscriber. Components are slugs with a blank between.
func csvRow(s status.Subscriber, slugs map[string]string) []string {
	var comps []string
	for _, id := range s.Components {
		if slug := slugs[id]; slug != "" {
			comps = append(comps, slug)
		}
	}
	scope := string(s.Scope)
	if scope == "" {
		scope = string(status.ScopeAll)
	}
	row := []string{s.Email, strings.Join(comps, " "), scope, s.Language, s.TimeZone, subscriberState(s), s.CreatedAt.UTC().Format(time.RFC3339)}
	for n, cell := range row {
		row[n] = guardFormula(cell)
	}
	return row
}

// guardFormula keeps a spreadsheet from running a cell: an address may begin
// with "=" (OWASP, CSV injection).
func guardFormula(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// unguard takes off what an export put on.
func unguard(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@\t\r", rune(cell[1])) {
		return cell[1:]
	}
	return cell
}

func subscriberState(s status.Subscriber) string {
	switch {
	case !s.SuppressedAt.IsZero():
		return "bounced"
	case s.ConfirmedAt.IsZero():
		return "unconfirmed"
	}
	return "active"
}

// csvProblem is a line that cannot be imported.
type csvProblem struct {
	Line int
	Text string
}

// csvImport is what a file says.
type csvImport struct {
	Rows     []status.Subscriber
	Problems []csvProblem
	Twice    int // addresses that stand there more than once
}

// mostImported bounds one file.
const mostImported = 200_000

// readCSV reads subscribers: a file with a header that names the columns, or
// plain addresses, one a line. What it cannot read it lists.
func readCSV(text string, components []status.Component, languages []string) (csvImport, error) {
	var out csvImport
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = -1, true, true
	if first, _, _ := strings.Cut(text, "\n"); strings.Contains(first, ";") && !strings.Contains(first, ",") {
		r.Comma = ';' // as spreadsheets write it where the comma is a decimal mark
	}
	ids, at, seen := componentIDs(components), map[string]int{"email": 0}, map[string]bool{}
	for line := 1; ; line++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, status.Invalid{Field: "csv", Message: fmt.Sprintf("line %d cannot be read: %v", line, err)}
		}
		if line == 1 && !strings.Contains(strings.Join(record, ""), "@") {
			if at, err = csvHeader(record); err != nil {
				return out, err
			}
			continue
		}
		cell := func(name string) string {
			n, named := at[name]
			if !named || n >= len(record) {
				return ""
			}
			return unguard(strings.TrimSpace(record[n]))
		}
		s, err := csvSubscriber(cell, ids, languages)
		switch {
		case cell("email") == "" && len(record) <= 1:
		case err != nil:
			out.Problems = append(out.Problems, csvProblem{line, err.Error()})
		case seen[s.Email]:
			out.Twice++
		case len(out.Rows) == mostImported:
			return out, status.Invalid{Field: "csv", Message: "has more than 200,000 addresses; split it"}
		default:
			seen[s.Email] = true
			out.Rows = append(out.Rows, s)
		}
	}
}

// csvHeader finds the columns by name.
func csvHeader(record []string) (map[string]int, error) {
	at := map[string]int{}
	for n, name := range record {
		at[strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_")] = n
	}
	if _, named := at["email"]; !named {
		return nil, status.Invalid{Field: "csv", Message: "has no column called email; its first line names the columns"}
	}
	return at, nil
}

func componentIDs(components []status.Component) map[string]string {
	ids := map[string]string{}
	for _, c := range components {
		if !c.Archived && !c.Hidden {
			ids[c.Slug], ids[c.ID] = c.ID, c.ID
		}
	}
	return ids
}

func csvSubscriber(cell func(string) string, ids map[string]string, languages []string) (status.Subscriber, error) {
	s := status.Subscriber{Email: strings.ToLower(cell("email")), Scope: status.Scope(cell("scope")), Language: cell("language"), TimeZone: cell("time_zone")}
	if !looksLikeEmail(s.Email) {
		return s, fmt.Errorf("%q is no email address", clip(s.Email, 60))
	}
	for _, name := range strings.FieldsFunc(cell("components"), func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '|' }) {
		id, known := ids[name]
		if !known {
			return s, fmt.Errorf("there is no component %q", clip(name, 60))
		}
		s.Components = append(s.Components, id)
	}
	switch s.Scope {
	case "", status.ScopeAll, status.ScopeMilestones:
	default:
		return s, fmt.Errorf("scope is %q, not all or milestones", clip(string(s.Scope), 60))
	}
	if s.Language != "" && !slices.Contains(languages, s.Language) {
		return s, fmt.Errorf("there is no language %q; there are %s", clip(s.Language, 60), strings.Join(languages, ", "))
	}
	if s.TimeZone != "" && !validZone(s.TimeZone) {
		return s, fmt.Errorf("%q is no time zone such as Europe/Berlin", clip(s.TimeZone, 60))
	}
	return s, nil
}

// validZone reports whether it names a time zone, and no file of this machine.
func validZone(name string) bool {
	if name == "Local" || strings.ContainsAny(name, ".\\") {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}
