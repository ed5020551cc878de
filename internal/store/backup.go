package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/jmoiron/sqlx"
)

// ErrOtherDatabase: SQLite is copied here; PostgreSQL has programs for that.
var ErrOtherDatabase = errors.New("this is done for SQLite only")

// Backup writes a consistent copy of the database into a new file, while others
// read and write. It is SQLite's VACUUM INTO
// (https://www.sqlite.org/lang_vacuum.html), which sees one state of the
// database and holds nobody up, then synced, because SQLite itself does not.
// The file is readable by its owner only, and there once it is whole; until
// then it has ".partial" at its end.
func (s *Store) Backup(ctx context.Context, file string) error {
	if s.path == "" {
		return ErrOtherDatabase
	}
	if _, err := os.Stat(s.path); err != nil {
		return fmt.Errorf("backup: there is no database to copy: %w", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("backup: %s is there already; name a file that is not", file)
	}
	partial := file + PartialSuffix
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("backup: %w", err)
	}
	empty, err := os.OpenFile(partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	empty.Close()
	defer os.Remove(partial) // gone by then, if all went well
	db, err := sqlx.Open("sqlite", sqliteDSN(s.path, ""))
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", partial); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if _, err := inspect(ctx, partial); err != nil {
		return fmt.Errorf("backup: the copy is not sound: %w", err)
	}
	return intoPlace(partial, file)
}

// PartialSuffix ends the name of a file that is not yet whole.
const PartialSuffix = ".partial"

// Restore puts a backup in the place of the database. A database that is there
// already is only replaced when force is set, never while it is in use, and is
// kept: the name it has from then on is returned. progress is told how many
// bytes are copied.
func (s *Store) Restore(ctx context.Context, file string, force bool, progress func(done, total int)) (kept string, err error) {
	if s.path == "" {
		return "", ErrOtherDatabase
	}
	version, err := inspect(ctx, file)
	if err != nil {
		return "", fmt.Errorf("restore: %s: %w", file, err)
	}
	known, err := s.known()
	if err != nil {
		return "", err
	}
	if newest := known[len(known)-1].Version; version > newest {
		return "", fmt.Errorf("restore: %s has schema %d, this release knows %d; install the release that made it, or a newer one", file, version, newest)
	}
	info, err := os.Stat(s.path)
	there := err == nil && info.Size() > 0
	if there && !force {
		return "", fmt.Errorf("restore: %s is there already; --force replaces it and keeps it under another name", s.path)
	}
	partial := s.path + PartialSuffix
	defer os.Remove(partial)
	if err := copyFile(ctx, file, partial, progress); err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	if there {
		if kept, err = s.setAside(ctx); err != nil {
			return "", err
		}
	}
	return kept, intoPlace(partial, s.path)
}

// setAside renames the database. Leaving WAL mode is what SQLite allows to the
// only connection of all, and what brings the log into the file.
func (s *Store) setAside(ctx context.Context) (string, error) {
	db, err := sqlx.Open("sqlite", sqliteDSN(s.path, ""))
	if err != nil {
		return "", err
	}
	_, err = db.ExecContext(ctx, "PRAGMA busy_timeout = 100; PRAGMA journal_mode = DELETE")
	db.Close()
	if err != nil {
		return "", fmt.Errorf("restore: %s is in use; stop the daemon first (%w)", s.path, err)
	}
	for n := 1; ; n++ {
		kept := s.path + ".before-restore-" + strconv.Itoa(n)
		if _, err := os.Stat(kept); errors.Is(err, fs.ErrNotExist) {
			return kept, os.Rename(s.path, kept)
		}
	}
}

// inspect checks a file and returns the version of its schema.
func inspect(ctx context.Context, file string) (version int64, err error) {
	if _, err := os.Stat(file); err != nil {
		return 0, err
	}
	db, err := sqlx.Open("sqlite", sqliteReading(file))
	if err != nil {
		return 0, err
	}
	defer db.Close()
	said, err := scalar[string](ctx, db, "PRAGMA quick_check(1)")
	if err != nil {
		return 0, fmt.Errorf("this is no SQLite database: %w", err)
	}
	if said != "ok" {
		return 0, fmt.Errorf("the file is damaged: %s", said)
	}
	if _, err := scalar[int64](ctx, db, "SELECT revision FROM board"); err != nil {
		return 0, errors.New("this is no database of statusbridge")
	}
	return scalar[int64](ctx, db, "SELECT MAX(version_id) FROM goose_db_version")
}

// copyFile writes a copy that only its owner may read.
func copyFile(ctx context.Context, from, to string, progress func(done, total int)) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	for done := int64(0); ; {
		n, err := io.CopyN(out, in, 1<<20)
		done += n
		progress(int(done), int(info.Size()))
		if errors.Is(err, io.EOF) {
			return out.Close()
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
}

// intoPlace gives a file its name once it is on the disk.
func intoPlace(partial, file string) error {
	for _, step := range []func() error{
		func() error { return syncPath(partial) },
		func() error { return os.Rename(partial, file) },
		func() error { return syncPath(filepath.Dir(file)) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Size is how many bytes a whole copy of the SQLite database has, about.
func (s *Store) Size(ctx context.Context) (int64, error) {
	return scalar[int64](ctx, s.read, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
}

// Queued is how many messages to one recipient each wait to be sent.
func (s *Store) Queued(ctx context.Context) (int, error) {
	return scalar[int](ctx, s.read, "SELECT COUNT(*) FROM deliveries WHERE state = 'queued'")
}
