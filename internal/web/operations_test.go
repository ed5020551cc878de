package web_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestHealthzLivesWithoutADatabase(t *testing.T) {
	s := newSite(t)
	_ = s.store.Close()
	s.browser().get("/healthz").want(t, http.StatusOK)
}

func TestReadyzTellsTheTruth(t *testing.T) {
	s := newSite(t)
	s.browser().get("/readyz").want(t, http.StatusOK, `"ready":true`, `"reasons":[]`)
	s.reload = errors.New("rules.yaml:1:1: nonsense")
	s.browser().get("/readyz").want(t, http.StatusOK, "the last reload failed")
	s.intake.stuck = "pq: password of statusbridge is wrong"
	stuck := s.browser().get("/readyz")
	stuck.want(t, http.StatusServiceUnavailable, "webhooks are stored but cannot be processed")
	if strings.Contains(stuck.body, "password") {
		t.Errorf("it tells of the inside: %s", stuck.body)
	}
	s.intake.stuck = ""
	s.late, s.lateSince = true, time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	s.browser().get("/readyz").want(t, http.StatusServiceUnavailable, "late since 2026-01-05T08:00:00Z")
	s.lateSince = time.Time{}
	s.browser().get("/readyz").want(t, http.StatusServiceUnavailable, "have not been rendered yet")
	s.late, s.intake.depth = false, 3
	s.browser().get("/readyz").want(t, http.StatusServiceUnavailable, `"ready":false`, "the journal keeps 3 webhooks")
	_ = s.store.Close()
	got := s.browser().get("/readyz")
	got.want(t, http.StatusServiceUnavailable, "the database does not answer")
	if strings.Contains(got.body, "sql") {
		t.Errorf("it tells of the inside: %s", got.body)
	}
}

func TestMetricsAreForThoseWhoMay(t *testing.T) {
	s := newSite(t)
	s.draft()
	s.browser().do("POST", "/hooks/alertmanager", url.Values{}, "Authorization", "Bearer wrong")
	s.browser().get("/metrics").want(t, http.StatusUnauthorized)
	got := s.browser().do("GET", "/metrics", nil, "Authorization", "Bearer "+secret)
	got.want(t, http.StatusOK,
		`statusbridge_webhooks_total{code="401",kind="alertmanager"} 1`, `statusbridge_journal_depth 0`,
		`statusbridge_issues{stage="draft"} 1`, `statusbridge_issues{stage="published"} 0`,
		`statusbridge_database_up 1`, `statusbridge_page_age_seconds 3600`)
	admin, viewer := s.signedIn(status.Admin), s.signedIn(status.Viewer)
	s.browser().do("GET", "/metrics", nil, "Authorization", "Bearer "+admin.cookies["__Host-statusbridge"]).want(t, http.StatusOK)
	s.browser().do("GET", "/metrics", nil, "Authorization", "Bearer "+viewer.cookies["__Host-statusbridge"]).want(t, http.StatusUnauthorized)
	admin.get("/metrics").want(t, http.StatusUnauthorized) // a cookie is not enough: pages of others could load it
	_ = s.store.Close()
	s.browser().do("GET", "/metrics", nil, "Authorization", "Bearer "+secret).want(t, http.StatusOK, "statusbridge_database_up 0", "statusbridge_journal_depth")
}

func TestABlindSourceIsSeenByAdminsAndMonitoring(t *testing.T) {
	s := newSite(t)
	s.rules = &status.Rules{Sources: []status.Source{{Name: "prod", Type: "alertmanager", Peers: []string{"http://am:9093"}}, {Name: "unwatched"}}}
	save := func(change func(status.Board) status.Changes) {
		_, err := s.store.Apply(t.Context(), s.clock.Now(), func(b status.Board) (status.Changes, error) { return change(b), nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	save(func(b status.Board) status.Changes { return status.Started(b, s.rules, s.clock.Now()) })
	save(func(b status.Board) status.Changes {
		return status.Reconcile(b, s.rules, status.Seen{Source: "prod", Err: "am:9093 refused"}, s.clock.Now())
	})
	admin := s.signedIn(status.Viewer)
	admin.get("/admin/alerts").want(t, http.StatusOK, "Nothing of it resolves by itself: it has not answered since this program started", "am:9093 refused")
	metrics := func() answer { return s.browser().do("GET", "/metrics", nil, "Authorization", "Bearer "+secret) }
	metrics().want(t, http.StatusOK, `statusbridge_source_blind{source="prod"} 1`)
	save(func(b status.Board) status.Changes {
		return status.Reconcile(b, s.rules, status.Seen{Source: "prod", Trusted: true}, s.clock.Now())
	})
	metrics().want(t, http.StatusOK, `statusbridge_source_blind{source="prod"} 0`, `statusbridge_source_answer_age_seconds{source="prod"} 0`)
	got := admin.get("/admin/alerts")
	got.want(t, http.StatusOK, "<strong>prod</strong>", "http://am:9093", "last answer", "<strong>unwatched</strong>", "not asked")
	if strings.Contains(got.body, "Nothing of it resolves") {
		t.Error("a source that can be believed is called blind")
	}
}
