package status

import (
	"slices"
	"time"
)

// Suggestion is what automation would have done to a field that a person holds.
type Suggestion struct {
	Field  Field     `json:"field"`
	Value  string    `json:"value"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	// DeclinedBy is the person who keeps the field as it is, "" while the
	// suggestion waits. It is kept so that it is not made again.
	DeclinedBy string `json:"declined_by,omitempty"`
}

// Waiting lists the suggestions that nobody has decided on.
func (i Issue) Waiting() []Suggestion {
	return slices.DeleteFunc(slices.Clone(i.Suggestions), func(s Suggestion) bool { return s.DeclinedBy != "" })
}

// KeepFields declines what automation suggests for fields: they stay as they
// are and held, until it would do something else to them.
type KeepFields struct {
	ID      string
	Version int64
	Fields  []Field
}

// Subjects is the issue.
func (e KeepFields) Subjects() []string { return subjects(e.ID) }

func (e KeepFields) revise(d *desk, who string) error {
	i, err := d.take(e.ID, e.Version)
	if err != nil {
		return err
	}
	i.Suggestions = slices.Clone(i.Suggestions)
	declined := ""
	for n := range i.Suggestions {
		s := &i.Suggestions[n]
		if s.DeclinedBy == "" && slices.Contains(e.Fields, s.Field) {
			s.DeclinedBy = who
			declined += string(s.Field) + ": " + s.Value + "\n"
		}
	}
	if declined == "" {
		return nil
	}
	d.log(Entry{Actor: who, Action: "declined a suggestion for", Subject: i.ID, Reason: ReasonPerson, Detail: clip(declined, 500)})
	d.saveIssue(i)
	return nil
}
