package store_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/store"
)

// schema lists "type, nullable" of every column, by table and column.
func schema(t *testing.T, driver, dsn, query string) map[string]string {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var table, column, kind string
		var required bool
		if err := rows.Scan(&table, &column, &kind, &required); err != nil {
			t.Fatal(err)
		}
		if required {
			kind += " not null"
		}
		out[table+"."+column] = strings.ToLower(kind)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBothDialectsHaveTheSameColumns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	open(t, "sqlite:"+path)
	dsn := postgres(t)
	open(t, dsn)
	lite := schema(t, "sqlite", path, `
		SELECT m.name, c.name, c.type, c."notnull" OR c.pk > 0 FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`)
	post := schema(t, "postgres", dsn, `
		SELECT table_name, column_name, data_type, is_nullable = 'NO' FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%'`)
	same(t, "columns of sqlite and postgres", lite, post)
	for table, columns := range store.Columns() {
		for _, c := range columns {
			if _, there := lite[table+"."+c]; !there {
				t.Errorf("the code keeps %s.%s, the schema does not", table, c)
			}
		}
	}
	// And the other way round: columns nobody reads, but for these.
	known := []string{"board", "login_failures"}
	for name := range lite {
		table, column, _ := strings.Cut(name, ".")
		if slices.Contains(known, table) || column == "revision" || column == "fanned_out_at" {
			continue
		}
		if !slices.Contains(store.Columns()[table], column) {
			t.Errorf("the schema keeps %s, the code does not", name)
		}
	}
}

func TestBothDialectsHaveTheSameIndexes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	open(t, "sqlite:"+path)
	dsn := postgres(t)
	open(t, dsn)
	lite := schema(t, "sqlite", path, `
		SELECT tbl_name, name, CASE WHEN sql LIKE 'CREATE UNIQUE%' THEN 'unique' ELSE 'index' END, sql LIKE '%WHERE%'
		FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL`)
	post := schema(t, "postgres", dsn, `
		SELECT tablename, indexname, CASE WHEN indexdef LIKE 'CREATE UNIQUE%' THEN 'unique' ELSE 'index' END, indexdef LIKE '%WHERE%'
		FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'goose%'
			AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE '%_key'`)
	same(t, "indexes of sqlite and postgres", lite, post)
}

func TestASchemaIsNotTakenForCurrentWhenAStepIsMissing(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "test.db"), "postgres": postgres(t)} {
		t.Run(name, func(t *testing.T) {
			s := open(t, dsn)
			if n, err := s.Migrate(t.Context()); n != 0 || err != nil {
				t.Errorf("a current schema: %d steps, %v", n, err)
			}
			steps, err := s.MigrationStatus(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := s.ForgetStep(t.Context(), steps[len(steps)-2].Version); err != nil {
				t.Fatal(err)
			}
			if n, err := s.Migrate(t.Context()); err == nil {
				t.Errorf("a step is missing below the newest: %d steps, no error", n)
			}
		})
	}
}

// PostgreSQL writes every index of a row again when one of them holds a column
// that changed.
func TestNoIndexHoldsWhatAClaimWrites(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("postgres", postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var holding int
	err = db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_indexes
		WHERE tablename = 'deliveries' AND (indexdef LIKE '%due\_at%' OR indexdef LIKE '%attempt%')`).Scan(&holding)
	if err != nil || holding != 0 {
		t.Errorf("%d indexes hold due_at or attempt (%v)", holding, err)
	}
}
