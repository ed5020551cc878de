package store_test

import (
	"fmt"
	"testing"

	"github.com/statusbridge/statusbridge/internal/store"
)

func TestAStatementIsReadWhileItsTextRunsAgain(t *testing.T) {
	s := open(t, "sqlite::memory:")
	const text = "SELECT value FROM json_each('[1,2,3]')"
	db := store.Writer(s)
	tx, err := db.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	got := ""
	for range 2 { // the second time by statements that are kept
		outer, err := tx.Query(text)
		if err != nil {
			t.Fatal(err)
		}
		for outer.Next() {
			var a int
			if err := outer.Scan(&a); err != nil {
				t.Fatal(err)
			}
			inner, err := tx.Query(text)
			if err != nil {
				t.Fatal(err)
			}
			for inner.Next() {
				var b int
				if err := inner.Scan(&b); err != nil {
					t.Fatal(err)
				}
				got += fmt.Sprint(a*b, " ")
			}
			if err := inner.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := outer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if want := "1 2 3 2 4 6 3 6 9 "; got != want+want {
		t.Errorf("read %q", got)
	}
}

func TestMoreTextsThanAreKeptStillRun(t *testing.T) {
	db := store.Writer(open(t, "sqlite::memory:"))
	for range 2 {
		for n := range 300 {
			var got int
			if err := db.QueryRow(fmt.Sprintf("SELECT %d + ?", n), 1).Scan(&got); err != nil || got != n+1 {
				t.Fatalf("%d (%v), want %d", got, err, n+1)
			}
		}
	}
}
