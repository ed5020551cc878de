package store

import (
	"context"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// RulesVersion is a rules.yaml as it once was in force.
type RulesVersion struct {
	Hash   string
	File   string
	Text   string
	SeenAt time.Time // last put into force
}

var rulesVersions = table[RulesVersion]{
	name: "rules_versions", key: []string{"hash"},
	columns: func(v *RulesVersion) []column {
		return []column{{"hash", &v.Hash}, {"file", &v.File}, {"text", &v.Text}, {"seen_at", at(&v.SeenAt)}}
	},
}

// KeepRules remembers a version of rules.yaml that is put into force.
func (s *Store) KeepRules(ctx context.Context, r *status.Rules, now time.Time) error {
	return write(ctx, s.write, s.dialect, rulesVersions, 0, []RulesVersion{{r.Hash, r.File, string(r.Source), now}})
}

// RulesInUse lists the versions that opened issues which are still open.
func (s *Store) RulesInUse(ctx context.Context) ([]RulesVersion, error) {
	return rulesVersions.list(ctx, s.read, `WHERE hash IN (
		SELECT rules_hash FROM issues WHERE state <> 'resolved' AND stage <> 'dismissed') ORDER BY hash`)
}
