package pages

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// lastGoodForm is the form of the file; one of another form is not read.
const lastGoodForm = 1

// lastGood is the file that lets a restart without a database show a page.
type lastGood struct {
	Form int         `json:"form"`
	View status.View `json:"view"`
}

// A keeper keeps the last good view in a file. The file's own date tells when
// the view was last known to be true, so an unchanged view costs no write.
type keeper struct {
	dir      string // "" keeps nothing
	kept     bool
	revision int64
}

func (k *keeper) file() string { return filepath.Join(k.dir, "last-good") }

// load returns the kept view and when it was last true.
func (k *keeper) load() (status.View, time.Time, error) {
	if k.dir == "" {
		return status.View{}, time.Time{}, status.ErrNotFound
	}
	raw, err := os.ReadFile(k.file())
	if errors.Is(err, fs.ErrNotExist) {
		return status.View{}, time.Time{}, status.ErrNotFound
	}
	if err != nil {
		return status.View{}, time.Time{}, err
	}
	var last lastGood
	if err := json.Unmarshal(raw, &last); err != nil {
		return status.View{}, time.Time{}, fmt.Errorf("%s is damaged, delete it: %w", k.file(), err)
	}
	if last.Form != lastGoodForm {
		return status.View{}, time.Time{}, fmt.Errorf("%s is of form %d, want %d; it will be written anew", k.file(), last.Form, lastGoodForm)
	}
	info, err := os.Stat(k.file())
	if err != nil {
		return status.View{}, time.Time{}, err
	}
	return last.View, info.ModTime(), nil
}

// save keeps the view: whole or not at all, also through a crash.
func (k *keeper) save(v status.View, now time.Time) error {
	if k.dir == "" {
		return nil
	}
	if k.kept && k.revision == v.Revision {
		return os.Chtimes(k.file(), now, now)
	}
	raw, err := json.Marshal(lastGood{Form: lastGoodForm, View: v})
	if err != nil {
		return err
	}
	if err := replaceFile(k.file(), raw); err != nil {
		return err
	}
	k.kept, k.revision = true, v.Revision
	return os.Chtimes(k.file(), now, now)
}

// replaceFile writes a file so that its old or its new content is there at any
// moment: aside first, onto the disk, then in place.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // nothing is left of it after the rename
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
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
