package store_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

// noon is the present of most tests. It carries more digits than the database
// keeps.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 123_456_789, time.UTC)

// kept is what the database makes of noon.
var kept = noon.Truncate(time.Millisecond)

// onBoth runs a test on both dialects, each with an empty database.
func onBoth(t *testing.T, test func(t *testing.T, s *store.Store)) {
	onBothDSN(t, func(t *testing.T, dsn string) { test(t, open(t, dsn)) })
}

func onBothDSN(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, postgres(t))
	})
}

// postgres is a migrated database.
func postgres(t *testing.T) (dsn string) {
	t.Helper()
	server := pgtest.Start(t)
	server.Prepare(t, func(dsn string) {
		s, err := store.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	return server.NewDatabase(t)
}

func open(t *testing.T, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// apply saves changes and returns the revision.
func apply(t *testing.T, s *store.Store, c status.Changes) int64 {
	t.Helper()
	r, err := s.Apply(t.Context(), noon, func(status.Board) (status.Changes, error) { return c, nil })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// boardOf is the board that a store shows.
func boardOf(t *testing.T, s *store.Store, now time.Time, subjects ...string) status.Board {
	t.Helper()
	var board status.Board
	_, err := s.Apply(t.Context(), now, func(b status.Board) (status.Changes, error) {
		board = b
		return status.Changes{}, nil
	}, subjects...)
	if err != nil {
		t.Fatal(err)
	}
	return board
}

// same compares by value; boards by all but their index of members.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(status.Board{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// filled returns a value in which every field says something, so that a field
// that is forgotten on the way to the database and back shows.
func filled[T any](prefix string) T {
	var v T
	n := 0
	fill(reflect.ValueOf(&v).Elem(), prefix, &n)
	return v
}

func fill(v reflect.Value, prefix string, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(prefix + strconv.Itoa(*n) + " \"é\\\n<&>")
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(prefix))
			return
		}
		for range 2 {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(e, prefix, n)
			v.Set(reflect.Append(v, e))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(k, prefix, n)
		fill(e, prefix, n)
		v.SetMapIndex(k, e)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(kept.Add(time.Duration(*n) * time.Millisecond)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), prefix, n)
		}
	default:
		panic("fill: " + v.Kind().String())
	}
}

// issue is a published issue opened by alerts.
func issue(id, rule, group string) status.Issue {
	i := filled[status.Issue](id)
	i.ID, i.Version, i.Rule, i.Group = id, 1, rule, group
	i.State, i.Impact, i.Stage, i.Origin = status.Investigating, status.ImpactMajor, status.Published, status.FromAlert
	i.ResolvedAt = time.Time{}
	return i
}

func draft(id, rule, group string) status.Issue {
	i := issue(id, rule, group)
	i.Stage, i.PublishedAt = status.Draft, time.Time{}
	return i
}

func resolved(i status.Issue, at time.Time) status.Issue {
	i.State, i.ResolvedAt, i.UpdatedAt = status.Resolved, at, at
	return i
}

func component(id string) status.Component {
	c := filled[status.Component](id)
	c.ID, c.Slug, c.Name, c.GroupID, c.Status = id, id, id, "", status.Operational
	c.Hidden, c.Archived = false, false
	return c
}

func maintenance(id string) status.Maintenance {
	m := filled[status.Maintenance](id)
	m.ID, m.State, m.StartedAt, m.EndedAt = id, status.Scheduled, time.Time{}, time.Time{}
	return m
}

func byID[T any](id func(T) string, list ...T) map[string]T {
	m := map[string]T{}
	for _, v := range list {
		m[id(v)] = v
	}
	return m
}

func issuesOf(list ...status.Issue) map[string]status.Issue {
	return byID(func(i status.Issue) string { return i.ID }, list...)
}

func componentsOf(list ...status.Component) map[string]status.Component {
	return byID(func(c status.Component) string { return c.ID }, list...)
}

func maintenancesOf(list ...status.Maintenance) map[string]status.Maintenance {
	return byID(func(m status.Maintenance) string { return m.ID }, list...)
}

func TestOpenTellsWhatADSNLacks(t *testing.T) {
	for _, dsn := range []string{"", "mysql://x", "sqlite:", "postgres:x", "postgres://h:x/y", "postgres://u:p%ZZ@h1,h2/db"} {
		if s, err := store.Open(t.Context(), dsn); err == nil {
			s.Close()
			t.Errorf("%q was opened", dsn)
		}
	}
}

func TestASQLiteFileMayHaveAnyName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "100% sure? #1 é.db")
	s := open(t, "sqlite:"+path)
	if r := apply(t, s, status.Changes{Issues: issuesOf(issue("i", "r", "g"))}); r != 1 {
		t.Fatalf("revision %d", r)
	}
	if found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "100*.db")); err != nil || len(found) != 1 || found[0] != path {
		t.Errorf("the file is %q (%v), want %q", found, err, path)
	}
}

func TestAMemoryDatabaseWorksAndGoes(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s, err := store.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(t.TempDir(), "../*/statusbridge-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestHostsWithPortsReachTheDriver(t *testing.T) {
	for in, want := range map[string]string{
		"postgres://u:p@one/db?sslmode=disable":    "postgres://u:p@one/db?sslmode=disable",
		"postgres://u:p%40@one:1,two:2/db?x=y":     "postgres://u:p%40@/db?host=one%2Ctwo&port=1%2C2&x=y",
		"postgres://one,two:2/db":                  "postgres:///db?host=one%2Ctwo&port=5432%2C2",
		"postgres://u@[::1]:5433,two/db":           "postgres://u@/db?host=%3A%3A1%2Ctwo&port=5433%2C5432",
		"postgres:///db?host=one,two&port=1,2":     "postgres:///db?host=one,two&port=1,2",
		"postgres://u@one/db?host=/run/postgresql": "postgres://u@one/db?host=/run/postgresql",
	} {
		got, err := store.SplitHosts(in)
		if err != nil || got != want {
			t.Errorf("%s\n got %s (%v)\nwant %s", in, got, err, want)
		}
	}
}

func TestCallsAfterCloseFail(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		s, err := store.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("a second Close: %v", err)
		}
		if _, err := s.Apply(context.Background(), noon, nil); err == nil {
			t.Error("Apply worked on a closed store")
		}
	})
}

func TestMigratingTwiceDoesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		if n, err := s.Migrate(t.Context()); n != 0 || err != nil {
			t.Errorf("took %d steps again (%v)", n, err)
		}
		steps, err := s.MigrationStatus(t.Context())
		if err != nil || len(steps) == 0 {
			t.Fatalf("%v (%v)", steps, err)
		}
		if steps[0].Version != 1 || steps[0].Name != "00001_initial" || steps[0].Applied.IsZero() {
			t.Errorf("first step is %+v", steps[0])
		}
	})
}

func TestTheSeedIsDrawnOnce(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		one, two := open(t, dsn), open(t, dsn)
		a, b := boardOf(t, one, noon).Seed, boardOf(t, two, noon).Seed
		if len(a) < 32 || a != b {
			t.Errorf("seeds %q and %q", a, b)
		}
	})
}

func keys[V any](m map[string]V) []string {
	return keysOf(m, func(k string) string { return k })
}

func keysOf[K comparable, V any](m map[K]V, name func(K) string) []string {
	var out []string
	for k := range m {
		out = append(out, name(k))
	}
	slices.Sort(out)
	return out
}

func TestANewFileIsForItsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	s := open(t, "sqlite:"+filepath.Join(dir, "private.db"))
	apply(t, s, status.Changes{Issues: issuesOf(issue("i", "r", "g"))})
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 { // the log and its index stand beside it
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v (%v)", f.Name(), info.Mode(), err)
		}
	}
}
