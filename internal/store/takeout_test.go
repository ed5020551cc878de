package store_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/moving"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func TestNoColumnThatLooksLikeASecretLeaves(t *testing.T) {
	secret := regexp.MustCompile(`token|hash|secret|password|csrf|key$|seed|totp|credential`)
	harmless := []string{"issues.rules_hash", "issues.group_key", "rules_versions.hash"}
	for name, columns := range store.Takeouts() {
		for _, column := range columns {
			if !slices.Contains(store.Columns()[name], column) {
				t.Errorf("%s has no column %s", name, column)
			}
			if secret.MatchString(column) && !slices.Contains(harmless, name+"."+column) {
				t.Errorf("%s.%s looks like a secret and would leave", name, column)
			}
		}
	}
	for _, name := range []string{"settings", "sessions", "authenticators", "recovery_codes", "passkeys", "challenges", "identities"} {
		if store.Takeouts()[name] != nil {
			t.Errorf("%s would leave", name)
		}
	}
}

// stays is what a takeout leaves behind, and why: whole tables.
var stays = map[string]string{
	"board": "counts revisions", "timers": "follow from the issues", "tracks": "where the engine stands in the alerts of today",
	"sources": "when each was last heard of", "channels": "whether each is paused or broken now", "posts": "counts against this month's budget of X",
	"announcements": "work of the sender", "dispatches": "work of the sender", "idempotency_keys": "answers kept for a day",
	"settings": "the webhook secret", "sessions": "secrets", "challenges": "secrets", "login_failures": "limits of an hour",
	"authenticators": "secrets", "recovery_codes": "secrets", "passkeys": "how people sign in", "identities": "how people sign in",
}

func TestEachTableLeavesOrSomebodyHasSaidWhyNot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	open(t, "sqlite:"+path)
	tables := schema(t, "sqlite", path, `SELECT name, '', '', 0 FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'`)
	if len(tables) < 30 {
		t.Fatalf("only %d tables were found", len(tables))
	}
	for name := range tables {
		name = strings.TrimSuffix(name, ".")
		_, leaves := store.Takeouts()[name]
		_, reason := stays[name]
		if leaves == reason {
			t.Errorf("%s: leaves: %v, has a reason to stay: %v; put it into takeouts, or into stays with the reason", name, leaves, reason)
		}
	}
	for name := range stays {
		if _, there := tables[name+"."]; !there {
			t.Errorf("%s is no table", name)
		}
	}
}

func TestATakeoutHasEverythingButSecrets(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		apply(t, s, status.Changes{
			Components: map[string]status.Component{"c1": {ID: "c1", Slug: "shop", Name: "=Shop", Status: status.Operational, CreatedAt: noon}},
			Issues: map[string]status.Issue{"i1": {
				ID: "i1", Title: "Shop, \"down\"", State: status.Investigating, Impact: status.ImpactMajor, Stage: status.Published, Origin: status.Manual,
				Components: []status.Affected{{ComponentID: "c1", Status: status.MajorOutage}},
				StartedAt:  noon, CreatedAt: noon, PublishedAt: noon, UpdatedAt: noon,
				Updates: []status.Update{{ID: "u1", SubjectID: "i1", State: "investigating", Body: "Looking.", CreatedAt: noon, DisplayAt: noon}},
			}},
		})
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.CreateAccount(t.Context(), status.Account{ID: "a1", Email: "jo@example.com", Role: "admin", PasswordHash: "canary-hash", CreatedAt: noon}))
		must(s.SetSetting(t.Context(), "webhook.secret", "canary-setting"))
		must(s.SaveWebhook(t.Context(), status.Webhook{ID: "w1", Kind: "alertmanager", Body: []byte(`{"alerts":[]}`), ReceivedAt: noon}))
		_, err := s.Import(t.Context(), noon, []status.Subscriber{{Email: "reader@example.com"}}, true, false)
		must(err)

		for _, format := range []moving.Format{moving.JSON, moving.CSV} {
			dir := filepath.Join(t.TempDir(), "out")
			files, err := moving.NewFiles(dir, format)
			must(err)
			counted := 0
			must(s.TakeOut(t.Context(), files, func(done, total int) {
				if counted++; done != counted || done > total {
					t.Errorf("progress %d of %d after %d rows", done, total, counted)
				}
			}))
			must(files.Close())
			all := ""
			for _, e := range must2(os.ReadDir(dir))(t) {
				all += string(must2(os.ReadFile(filepath.Join(dir, e.Name())))(t))
			}
			for _, want := range []string{"jo@example.com", "reader@example.com", "Looking.", "c1", "2026-11-22T12:00:00"} {
				if !strings.Contains(all, want) {
					t.Errorf("%s: %q is missing", format, want)
				}
			}
			subscribers, err := s.Subscribers(t.Context(), "", 9)
			must(err)
			for _, secret := range []string{"canary", subscribers[0].Token, subscribers[0].ConfirmToken} {
				if secret == "" || strings.Contains(all, secret) {
					t.Errorf("%s: the secret %q left", format, secret)
				}
			}
			issues := must2(os.ReadFile(filepath.Join(dir, "issues."+string(format))))(t)
			if format == moving.JSON {
				var list []struct {
					Title   string
					Updates []struct {
						Body      string
						DisplayAt time.Time `json:"display_at"`
					}
					ResolvedAt *time.Time `json:"resolved_at"`
				}
				if err := json.Unmarshal(issues, &list); err != nil || len(list) != 1 || list[0].Title != "Shop, \"down\"" || list[0].ResolvedAt != nil || !list[0].Updates[0].DisplayAt.Equal(kept) {
					t.Errorf("issues.json is %s (%v)", issues, err)
				}
				continue
			}
			rows, err := csv.NewReader(strings.NewReader(string(issues))).ReadAll()
			if err != nil || len(rows) != 2 || rows[1][slices.Index(rows[0], "title")] != "Shop, \"down\"" {
				t.Errorf("issues.csv is %s (%v)", issues, err)
			}
			if !strings.Contains(all, "'=Shop") {
				t.Error("a spreadsheet would run the name of a component")
			}
		}
	})
}

func must2[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
