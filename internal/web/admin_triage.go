package web

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// snoozes are for how long a draft can be put off with one tap.
var snoozes = map[string]time.Duration{"15": 15 * time.Minute, "60": time.Hour, "240": 4 * time.Hour}

// snoozeIssue puts a draft off, or with no minutes brings it back.
func (s *Server) snoozeIssue(c *fiber.Ctx, v visit) error {
	f := form(c)
	edit, done := status.SnoozeIssue{ID: param(c), Version: version(f)}, "woken"
	if minutes := f.Get("minutes"); minutes != "" {
		d, ok := snoozes[minutes]
		if !ok {
			return refusal{code: http.StatusUnprocessableEntity, text: "A draft can be put off for 15 minutes, an hour or four hours."}
		}
		edit.Until, done = s.clock.Now().Add(d), "snoozed"
	}
	return s.decide(c, v, edit, "/admin", done)
}

func (s *Server) claimIssue(c *fiber.Ctx, v visit) error {
	edit, done := status.ClaimIssue{ID: param(c)}, "claimed"
	if form(c).Get("release") != "" {
		edit.Release, done = true, "released"
	}
	return s.decide(c, v, edit, "/admin/issues/"+param(c), done)
}

// saveUpdate rewords or deletes a statement.
func (s *Server) saveUpdate(c *fiber.Ctx, v visit) error {
	f := form(c)
	id, update := param(c), f.Get("update")
	if f.Get("do") == "delete" {
		return s.decide(c, v, status.DeleteUpdate{ID: id, Version: version(f), UpdateID: update}, "/admin/issues/"+id, "deleted")
	}
	edit := status.EditUpdate{ID: id, Version: version(f), UpdateID: update, Body: lines(f.Get("body"))}
	_, err := s.revise(c.UserContext(), v, edit)
	in := issueInput{said: map[string]string{update: edit.Body}}
	return answers{
		then: "/admin/issues/" + id, done: "saved",
		conflict: func() error {
			i, err := s.store.Issue(c.UserContext(), id)
			if err != nil {
				return err
			}
			for _, u := range i.Updates {
				if u.ID == update && u.Body == edit.Body {
					return redirect(c, "/admin/issues/"+id, "saved") // sent twice
				}
			}
			in.alert = "Nothing was saved yet: the issue changed after you loaded it. Your words are still in the form; compare and save again."
			return s.sendIssue(c, http.StatusConflict, in)
		},
		invalid: func(invalid status.Invalid) error {
			in.alert = "Nothing was saved: " + invalid.Message + "."
			return s.sendIssue(c, http.StatusUnprocessableEntity, in)
		},
	}.answer(c, err)
}

// saveTimes corrects when an issue began and ended.
func (s *Server) saveTimes(c *fiber.Ctx, v visit) error {
	f := form(c)
	edit := status.CorrectTimes{ID: param(c), Version: version(f)}
	var err error
	if edit.StartedAt, err = parseLocal("started_at", f.Get("started")); err == nil {
		edit.ResolvedAt, err = parseLocal("resolved_at", f.Get("resolved"))
	}
	if err != nil {
		return s.sendIssue(c, http.StatusUnprocessableEntity, issueInput{alert: "Nothing was saved: " + err.Error() + "."})
	}
	return s.decide(c, v, edit, "/admin/issues/"+param(c), "saved")
}
