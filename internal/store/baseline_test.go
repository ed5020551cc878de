package store_test

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"golang.org/x/sync/errgroup"

	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

var update = flag.Bool("update", false, "write the baselines of the schema anew (make baseline)")

// A baseline is read off a database that took all steps, so it cannot say
// anything else; this test notices when somebody forgot to read it off again.
func TestTheBaselineGivesWhatTheMigrationsGive(t *testing.T) {
	onBothEmpty(t, func(t *testing.T, empty func() database) {
		stepped, founded := empty(), empty()
		if err := stepped.store.MigrateStepByStep(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := stepped.script(t)
		if *update {
			if err := os.WriteFile(stepped.baselineFile(), []byte(head+want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := founded.store.Found(t.Context(), founded.baseline(t)); err != nil || n == 0 {
			t.Fatalf("the baseline stands for %d steps (%v)", n, err)
		}
		if diff := cmp.Diff(want, founded.script(t)); diff != "" {
			t.Errorf("`make baseline` was forgotten. What the migrations and the baseline give (-, +):\n%s", diff)
		}
	})
}

func TestANewDatabaseIsMadeFromTheBaseline(t *testing.T) {
	onBothEmpty(t, func(t *testing.T, empty func() database) {
		migrated, founded := empty(), empty()
		all, err := founded.store.Found(t.Context(), founded.baseline(t))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := migrated.store.Migrate(t.Context()); err != nil || n != all {
			t.Errorf("%d steps taken, the baseline stands for %d (%v)", n, all, err)
		}
		query := catalogues[migrated.store.Dialect()].changes
		if got, want := migrated.texts(t, query), founded.texts(t, query); got[0] != want[0] {
			t.Errorf("%s changes of the schema, the baseline makes %s", got, want)
		}
		steps, err := migrated.store.MigrationStatus(t.Context())
		if err != nil || len(steps) != all {
			t.Fatalf("%d steps listed, want %d (%v)", len(steps), all, err)
		}
		for _, step := range steps {
			if step.Applied.IsZero() {
				t.Errorf("pending: %s", step.Name)
			}
		}
	})
}

func TestStepsAfterTheBaselineAreTakenOnTopOfIt(t *testing.T) {
	onBothEmpty(t, func(t *testing.T, empty func() database) {
		earlier, later, stepped := empty(), empty(), empty()
		steps, err := stepped.store.MigrationStatus(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := earlier.store.MigrateTo(t.Context(), steps[len(steps)-3].Version); err != nil {
			t.Fatal(err)
		}
		if n, err := later.store.Found(t.Context(), earlier.script(t)); err != nil || n != len(steps)-2 {
			t.Fatalf("the earlier baseline stands for %d steps, want %d (%v)", n, len(steps)-2, err)
		}
		if n, err := later.store.Migrate(t.Context()); err != nil || n != 2 {
			t.Fatalf("%d steps on top, want 2 (%v)", n, err)
		}
		if err := stepped.store.MigrateStepByStep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(stepped.script(t), later.script(t)); diff != "" {
			t.Errorf("all steps, and two on top of a baseline (-, +):\n%s", diff)
		}
	})
}

func TestListingTheStepsOfAnEmptyDatabaseLeavesItEmpty(t *testing.T) {
	onBothEmpty(t, func(t *testing.T, empty func() database) {
		db := empty()
		steps, err := db.store.MigrationStatus(t.Context())
		if err != nil || len(steps) == 0 || !steps[0].Applied.IsZero() {
			t.Fatalf("the steps are %v (%v), want all of them, pending", steps, err)
		}
		if n, err := db.store.Found(t.Context(), db.baseline(t)); n == 0 || err != nil {
			t.Errorf("it is not empty any more: the baseline makes %d steps (%v)", n, err)
		}
	})
}

func TestADatabaseThatHoldsSomethingIsMigratedAsBefore(t *testing.T) {
	onBothEmpty(t, func(t *testing.T, empty func() database) {
		old := empty()
		if err := old.store.MigrateTo(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if n, err := old.store.Found(t.Context(), old.baseline(t)); n != 0 || err != nil {
			t.Errorf("an old database took the baseline: %d steps (%v)", n, err)
		}
		if n, err := old.store.Migrate(t.Context()); n == 0 || err != nil {
			t.Errorf("an old database took %d steps (%v)", n, err)
		}
	})
}

func TestReplicasThatStartTogetherMakeOneSchema(t *testing.T) {
	onBothEmpty(t, func(t *testing.T, empty func() database) {
		first := empty()
		steps, err := first.store.MigrationStatus(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var g errgroup.Group
		taken := make([]int, 4)
		for i := range taken {
			g.Go(func() (err error) {
				s, err := store.Open(t.Context(), first.dsn)
				if err != nil {
					return err
				}
				defer s.Close()
				taken[i], err = s.Migrate(t.Context())
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		all := 0
		for _, n := range taken {
			all += n
		}
		if all != len(steps) {
			t.Errorf("the replicas took %v steps, there are %d", taken, len(steps))
		}
	})
}

// database is one that a test may read past the store.
type database struct {
	dsn   string
	store *store.Store
	plain *sql.DB
}

// onBothEmpty runs a test that makes databases which hold nothing. On
// PostgreSQL they are schemas of one that is not called public.
func onBothEmpty(t *testing.T, test func(t *testing.T, empty func() database)) {
	begin := func(t *testing.T, driver, plain, dsn string) database {
		t.Helper()
		s, err := store.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open(driver, plain)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			_ = db.Close()
		})
		return database{dsn, s, db}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, func() database {
			path := filepath.Join(t.TempDir(), "test.db")
			return begin(t, "sqlite", path, "sqlite:"+path)
		})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		whole, n := pgtest.Start(t).NewDatabase(t), 0
		test(t, func() database {
			n++
			dsn := fmt.Sprintf("%s&search_path=empty_%d", whole, n)
			d := begin(t, "postgres", dsn, dsn)
			if _, err := d.plain.Exec(fmt.Sprintf("CREATE SCHEMA empty_%d", n)); err != nil {
				t.Fatal(err)
			}
			return d
		})
	})
}

// head begins a baseline.
const head = "-- Written by `make baseline`: what all migrations come to. A change of the schema\n" +
	"-- is a new file in the folder above.\n\n"

// drawn is the row of the board with its seed, which each database draws.
var drawn = regexp.MustCompile(`'[A-Z2-7]{52}'`)

// baseline is the file for a dialect as it is now, which in this program may be
// older.
func (d database) baseline(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(d.baselineFile())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (d database) baselineFile() string {
	return filepath.Join("migrations", "baseline", d.store.Dialect()+".sql")
}

// script makes the database again: tables and indexes in the order in which
// they were made, then the rows that migrations put there.
func (d database) script(t *testing.T) string {
	t.Helper()
	in := catalogues[d.store.Dialect()]
	statements := d.texts(t, in.schema)
	for _, table := range d.texts(t, in.tables) {
		columns, order := d.texts(t, fmt.Sprintf(in.columns, table)), "1"
		if table == goose.DefaultTablename { // which numbers and dates its rows itself
			columns, order = []string{"version_id", "is_applied"}, "id"
		}
		values := "SELECT '(' || " + in.quote + "(" + strings.Join(columns, ") || ', ' || "+in.quote+"(") + ") || ')'"
		if rows := d.texts(t, values+" FROM "+table+" ORDER BY "+order); len(rows) > 0 {
			statements = append(statements, fmt.Sprintf("INSERT INTO %s (%s) VALUES\n    %s", table, strings.Join(columns, ", "), strings.Join(rows, ",\n    ")))
		}
	}
	return drawn.ReplaceAllString(strings.Join(statements, ";\n\n"), "''") + ";\n"
}

// catalogues say what a database of each dialect holds, and in how many changes
// its schema was made.
var catalogues = map[string]struct{ schema, tables, columns, quote, changes string }{
	"sqlite": {
		schema:  "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY rowid",
		tables:  "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid",
		columns: "SELECT name FROM pragma_table_info('%s') ORDER BY cid",
		quote:   "quote",
		changes: "PRAGMA schema_version",
	},
	"postgres": {
		schema: `
			SELECT statement FROM (
				SELECT c.oid, format(E'CREATE TABLE %I (\n    %s\n)', c.relname, concat_ws(E',\n    ', (
					SELECT string_agg(concat_ws(' ', quote_ident(attname), format_type(atttypid, atttypmod),
						CASE WHEN attnotnull THEN 'NOT NULL' END,
						CASE attidentity WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY' END,
						'DEFAULT ' || pg_get_expr(adbin, adrelid)), E',\n    ' ORDER BY attnum)
					FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
					WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
				), (
					SELECT string_agg(format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid, TRUE)), E',\n    ' ORDER BY conname)
					FROM pg_constraint WHERE conrelid = c.oid AND contype <> 'n'
				))) || coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', '') AS statement
				FROM pg_class AS c WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
			UNION ALL
				SELECT indexrelid, pg_get_indexdef(indexrelid, 0, TRUE)
				FROM pg_index JOIN pg_class ON oid = indexrelid
				WHERE relnamespace = current_schema()::regnamespace AND indexrelid NOT IN (SELECT conindid FROM pg_constraint)
			) AS made ORDER BY oid`,
		tables:  "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY oid",
		columns: "SELECT attname FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
		quote:   "quote_nullable",
		changes: "SELECT COUNT(DISTINCT xmin::text) FROM goose_db_version",
	},
}

// texts is the only column of what a query yields.
func (d database) texts(t *testing.T, query string) (texts []string) {
	t.Helper()
	rows, err := d.plain.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%v: %s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}
