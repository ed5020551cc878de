package pages

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// lastGoodForm is the form of the file; those of other forms are not read, besides
// the one of earlier releases, which had the issues within the view.
const (
	lastGoodForm   = 2
	formWithIssues = 1
)

// lastGood begins the file that lets a restart without a database show a page. The
// issues follow it, one by one.
type lastGood struct {
	Form   int         `json:"form"`
	View   status.View `json:"view"` // without its issues
	Issues int         `json:"issues"`
}

// A keeper keeps the last good view in a file. The file's own date tells when
// the view was last known to be true, so an unchanged view costs no write.
type keeper struct {
	dir      string // "" keeps nothing
	settings string // what the pages are made of, see settingsOf
	kept     bool
	revision int64

	pagesKept     bool
	pagesRevision int64
}

func (k *keeper) file() string { return filepath.Join(k.dir, "last-good") }

// load returns the kept view and when it was last true.
func (k *keeper) load() (status.View, time.Time, error) {
	if k.dir == "" {
		return status.View{}, time.Time{}, status.ErrNotFound
	}
	f, err := os.Open(k.file())
	if errors.Is(err, fs.ErrNotExist) {
		return status.View{}, time.Time{}, status.ErrNotFound
	}
	if err != nil {
		return status.View{}, time.Time{}, err
	}
	defer f.Close()
	view, err := readLastGood(json.NewDecoder(bufio.NewReaderSize(f, 64<<10)))
	if err != nil {
		return status.View{}, time.Time{}, fmt.Errorf("%s cannot be used and will be written anew: %w", k.file(), err)
	}
	info, err := os.Stat(k.file())
	if err != nil {
		return status.View{}, time.Time{}, err
	}
	return view, info.ModTime(), nil
}

func readLastGood(d *json.Decoder) (status.View, error) {
	var last lastGood
	if err := d.Decode(&last); err != nil {
		return status.View{}, err
	}
	switch last.Form {
	case formWithIssues:
		return last.View, nil
	case lastGoodForm:
	default:
		return status.View{}, fmt.Errorf("it is of form %d, want %d", last.Form, lastGoodForm)
	}
	for range last.Issues {
		var i status.Issue
		if err := d.Decode(&i); err != nil {
			return status.View{}, fmt.Errorf("issue %d of %d: %w", len(last.View.Issues)+1, last.Issues, err)
		}
		last.View.Issues = append(last.View.Issues, &i)
	}
	return last.View, nil
}

// save keeps the view: whole or not at all, also through a crash.
func (k *keeper) save(v status.View, now time.Time, rest func()) error {
	if k.dir == "" {
		return nil
	}
	if k.kept && k.revision == v.Revision {
		return os.Chtimes(k.file(), now, now)
	}
	err := replaceFile(k.file(), func(w io.Writer) error { return writeLastGood(json.NewEncoder(w), v, rest) })
	if err != nil {
		return err
	}
	k.kept, k.revision = true, v.Revision
	return os.Chtimes(k.file(), now, now)
}

// writeLastGood rests after each issue: a long history takes a while to write, and
// news must not wait for it where there is one core.
func writeLastGood(e *json.Encoder, v status.View, rest func()) error {
	issues := v.Issues
	v.Issues = nil
	err := e.Encode(lastGood{Form: lastGoodForm, View: v, Issues: len(issues)})
	for n := range issues {
		if err != nil {
			break
		}
		err = e.Encode(issues[n])
		rest()
	}
	return err
}

// replaceFile writes a file so that its old or its new content is there at any
// moment: aside first, onto the disk, then in place.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // nothing is left of it after the rename
	buffer := bufio.NewWriterSize(f, 64<<10)
	err = errors.Join(write(buffer), buffer.Flush(), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
