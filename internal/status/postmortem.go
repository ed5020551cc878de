package status

import (
	"slices"
	"strings"
)

// StatePostmortem is what an update says that explains a resolved issue
// afterwards. The issue itself stays resolved.
const StatePostmortem = "postmortem"

// WritePostmortem keeps the words of a post-mortem, for its authors only, or
// publishes them: as the last update of the issue, reworded when it is published
// again.
type WritePostmortem struct {
	ID      string
	Version int64
	Body    string // Markdown
	Publish bool
	Notify  bool // tell it like an update; only when it is published first
}

// WithdrawPostmortem takes a published post-mortem back. Its words stay with
// its authors.
type WithdrawPostmortem struct {
	ID      string
	Version int64
}

// Subjects is the issue.
func (e WritePostmortem) Subjects() []string { return subjects(e.ID) }

// Subjects is the issue.
func (e WithdrawPostmortem) Subjects() []string { return subjects(e.ID) }

// Postmortem is the published one.
func (i Issue) Postmortem() (Update, bool) {
	n := slices.IndexFunc(i.Updates, func(u Update) bool { return u.State == StatePostmortem })
	if n < 0 {
		return Update{}, false
	}
	return i.Updates[n], true
}

func (e WritePostmortem) revise(d *desk, who string) error {
	i, err := d.take(e.ID, e.Version)
	if err != nil {
		return err
	}
	body := strings.TrimSpace(e.Body)
	if err := d.check(i, body); err != nil {
		return err
	}
	if !e.Publish {
		if published, is := i.Postmortem(); body == i.PostmortemDraft || is && i.PostmortemDraft == "" && body == published.Body {
			return nil
		}
		i.PostmortemDraft = body
		d.log(Entry{Actor: who, Action: "wrote on the post-mortem of", Subject: i.ID, Reason: ReasonPerson, After: clip(body, 500)})
		d.saveIssue(i)
		return nil
	}
	switch {
	case body == "":
		return Invalid{"postmortem", "say what happened, why, and what you do about it"}
	case i.Stage != Published:
		return Invalid{"postmortem", "the issue is not public"}
	case i.State != Resolved:
		return Invalid{"postmortem", "the issue goes on; keep the text as a draft until it is resolved"}
	}
	return d.publishPostmortem(i, body, who, e.Notify)
}

func (d *desk) publishPostmortem(i Issue, body, who string, notify bool) error {
	i.PostmortemDraft = ""
	i.Updates = slices.Clone(i.Updates)
	n := slices.IndexFunc(i.Updates, func(u Update) bool { return u.State == StatePostmortem })
	if n >= 0 {
		old := i.Updates[n].Body
		if old == body {
			return nil
		}
		i.Updates[n].Body, i.Updates[n].EditedAt = body, d.now
		d.log(Entry{Actor: who, Action: "edited the post-mortem of", Subject: i.ID, Reason: ReasonPerson, Before: clip(old, 500), After: clip(body, 500)})
		d.saveIssue(i)
		return nil
	}
	u := d.update(i, body, who, i.Components, i.Components)
	u.State, u.Silent = StatePostmortem, !notify
	i.Updates = append(i.Updates, u)
	d.log(Entry{Actor: who, Action: "published the post-mortem of", Subject: i.ID, Reason: ReasonPerson, After: clip(body, 500)})
	d.saveIssue(i)
	if notify {
		d.announce(i, EventUpdate, u, d.channels(i, EventUpdate))
	}
	return nil
}

func (e WithdrawPostmortem) revise(d *desk, who string) error {
	i, err := d.take(e.ID, e.Version)
	if err != nil {
		return err
	}
	published, is := i.Postmortem()
	if !is {
		return nil
	}
	if i.PostmortemDraft == "" {
		i.PostmortemDraft = published.Body
	}
	i.Updates = slices.DeleteFunc(slices.Clone(i.Updates), func(u Update) bool { return u.State == StatePostmortem })
	d.log(Entry{Actor: who, Action: "withdrew the post-mortem of", Subject: i.ID, Reason: ReasonPerson, Before: clip(published.Body, 500)})
	d.saveIssue(i)
	return nil
}
