package web_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/web"
)

func TestTheSettingsPageSaysWhoGaveWhatAndWhatWaitsForAStart(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(status.Admin)
	line := func(key, value, given string) web.Setting {
		return web.Setting{Section: "Mail", Key: key, Value: value, Given: given, Meaning: "sent by `STARTTLS`, see [mail](mail.md)", Whole: value + "hunter2", Reloads: key == "rules"}
	}
	s.settings.InForce = []web.Setting{line("smtp.url", "smtp://jo:xxxxx@mx", "statusbridge.yaml"), line("smtp.from", "", ""), line("rules", "rules.yaml", "--rules")}
	s.settings.Now = append([]web.Setting(nil), s.settings.InForce...)
	page := b.get("/admin/settings")
	page.want(t, http.StatusOK, "smtp.url", "smtp://jo:xxxxx@mx", `<span class="tag">statusbridge.yaml</span>`, "not set", "<code>STARTTLS</code>, see mail", "docs/configuration.md#mail", "1 as by default")
	for _, not := range []string{"hunter2", "since the start"} {
		if strings.Contains(page.body, not) {
			t.Errorf("the page says %q", not)
		}
	}
	s.settings.Now[1] = line("smtp.from", "a@b.example", "statusbridge.yaml")
	b.get("/admin/settings").want(t, http.StatusOK, "1 setting has changed since the start", "<code>a@b.example</code>, waits for a start")
	s.settings.Now[2] = line("rules", "other.yaml", "--rules")
	b.get("/admin/settings").want(t, http.StatusOK, "2 settings have changed", "<code>other.yaml</code>, waits for a reload", `action="/admin/rules/reload"`)
	s.settings.Err = errors.New("statusbridge.yaml:3:1: smpt is no setting")
	b.get("/admin/settings").want(t, http.StatusOK, "cannot be read now", "smpt is no setting", "smtp://jo:xxxxx@mx")
	s.signedIn(status.Responder).get("/admin/settings").want(t, http.StatusForbidden)
}
