package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/status"
)

// correctionsShown is how many corrections of a component its page lists.
const correctionsShown = 100

// correctionsPage is where an admin says how a component really was.
type correctionsPage struct {
	ID, Name string
	Sheet    sheet
	Statuses []option
	Problem  map[string]string
	List     []correctionLine
}

type correctionLine struct {
	status.Correction
	Look      look
	Withdrawn bool
}

func (s *Server) showCorrections(c *fiber.Ctx, _ visit) error {
	return s.sendCorrections(c, http.StatusOK, correctionsPage{Sheet: readCorrectionSheet(url.Values{"status": {string(status.Operational)}})})
}

func (s *Server) sendCorrections(c *fiber.Ctx, code int, view correctionsPage) error {
	ctx := c.UserContext()
	d, err := s.directory(ctx)
	if err != nil {
		return err
	}
	comp, err := d.component(param(c))
	if err != nil {
		return err
	}
	list, err := s.store.Corrections(ctx, comp.ID, correctionsShown)
	if err != nil {
		return err
	}
	view.ID, view.Name = comp.ID, comp.Name
	for _, correction := range list {
		line := correctionLine{correction, statusLooks[correction.Status], !correction.WithdrawnAt.IsZero()}
		if correction.Status == status.Operational {
			line.Look.Word = "No outage"
		}
		view.List = append(view.List, line)
	}
	for _, st := range status.ComponentStatuses {
		word := statusLooks[st].Word
		if st == status.Operational {
			word = "It was no outage"
		}
		view.Statuses = append(view.Statuses, option{string(st), word, string(st) == view.Sheet["status"]})
	}
	if view.Problem == nil {
		view.Problem = map[string]string{}
	}
	return s.render(c, code, "corrections.html", page{Title: "Uptime of " + comp.Name, Nav: "components", Data: view})
}

func readCorrectionSheet(f url.Values) sheet {
	return sheet{"from": f.Get("from"), "to": f.Get("to"), "status": f.Get("status"), "reason": lines(f.Get("reason"))}
}

func (sh sheet) correction(component string) (e status.CorrectUptime, err error) {
	e = status.CorrectUptime{ComponentID: component, Status: status.ComponentStatus(sh["status"]), Reason: sh["reason"]}
	if e.From, err = parseLocal("from", sh["from"]); err == nil {
		e.To, err = parseLocal("to", sh["to"])
	}
	return e, err
}

// saveCorrection adds a correction, once, even if the form comes twice.
func (s *Server) saveCorrection(c *fiber.Ctx, v visit) error {
	yours := readCorrectionSheet(form(c))
	edit, err := yours.correction(param(c))
	if err == nil {
		_, err = s.create(c.UserContext(), v, edit, func(b status.Board, since time.Time) string {
			for _, o := range b.Corrections {
				same := status.CorrectUptime{ComponentID: o.ComponentID, From: o.From, To: o.To, Status: o.Status, Reason: o.Reason}
				if same == edit && o.WithdrawnAt.IsZero() && !o.CreatedAt.Before(since) {
					return o.ID
				}
			}
			return ""
		})
	}
	return answers{then: "/admin/components/" + param(c) + "/uptime", done: "saved", invalid: func(invalid status.Invalid) error {
		return s.sendCorrections(c, http.StatusUnprocessableEntity, correctionsPage{
			Sheet: yours, Problem: map[string]string{invalid.Field: invalid.Message},
		})
	}}.answer(c, err)
}

func (s *Server) withdrawCorrection(c *fiber.Ctx, v visit) error {
	if _, err := s.revise(c.UserContext(), v, status.WithdrawCorrection{ID: form(c).Get("correction")}); err != nil {
		return err
	}
	return redirect(c, "/admin/components/"+param(c)+"/uptime", "saved")
}
