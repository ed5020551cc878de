package moving

import (
	"encoding/csv"
	"fmt"
	"net/mail"
	"strings"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Subscribers reads the list that Statuspage exports: a header, then a line for
// each. It needs a column email; confirmed, quarantined_at and components are
// heeded. A component is named by its id, its name or its slug; one that is not
// among those given is left out.
func Subscribers(source Source, components []status.Component) (Page, error) {
	var p Page
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(source.Text), "\ufeff")))
	r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = -1, true, true
	records, err := r.ReadAll()
	if err != nil || len(records) == 0 {
		return p, fmt.Errorf("%s: cannot be read as CSV: %v", source.Name, err)
	}
	at := map[string]int{}
	for n, name := range records[0] {
		at[strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_")] = n
	}
	if n, ok := at["email_address"]; ok {
		at["email"] = n
	}
	if _, ok := at["email"]; !ok {
		return p, fmt.Errorf("%s: no column is called email; its first line names the columns", source.Name)
	}
	ids := map[string]string{}
	for _, c := range components {
		for _, name := range []string{c.ID, c.Name, status.Slug(c.Name)} {
			ids[strings.ToLower(name)] = c.ID
		}
	}
	seen := map[string]bool{}
	for n, record := range records[1:] {
		cell := func(name string) string {
			if k, ok := at[name]; ok && k < len(record) {
				return strings.TrimSpace(record[k])
			}
			return ""
		}
		email, line := strings.ToLower(cell("email")), fmt.Sprintf("line %d", n+2)
		switch parsed, err := mail.ParseAddress(email); {
		case email == "":
			p.skip("subscriber", line, "", "has no email; texts, Slack and webhooks are not taken over")
		case err != nil || parsed.Address != email:
			p.Refused = append(p.Refused, status.Landing{Kind: "subscriber", ID: line, Name: email, Fate: status.FateFailed, Why: "is no email address"})
		case seen[email]:
			p.skip("subscriber", line, email, "stands in the list twice")
		case cell("quarantined_at") != "":
			p.skip("subscriber", line, email, "mail to it came back there")
		case strings.EqualFold(cell("confirmed"), "false"), strings.EqualFold(cell("state"), "unconfirmed"):
			p.skip("subscriber", line, email, "never confirmed there")
		default:
			seen[email] = true
			s := status.Subscriber{Email: email}
			for _, name := range strings.FieldsFunc(cell("components"), func(r rune) bool { return strings.ContainsRune(",;|", r) }) {
				if id := ids[strings.ToLower(strings.TrimSpace(name))]; id != "" {
					s.Components = append(s.Components, id)
				}
			}
			p.Subscribers = append(p.Subscribers, s)
		}
	}
	return p, nil
}
