package pages

import (
	"errors"
	"os"
)

// exchange puts a folder in the place of another, which is then where the first
// was. Where the system can, no visitor comes between.
func exchange(made, place string) error {
	if _, err := os.Stat(place); errors.Is(err, os.ErrNotExist) {
		return os.Rename(made, place)
	}
	if err := swap(made, place); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	aside := made + "-old"
	if err := os.Rename(place, aside); err != nil {
		return err
	}
	if err := os.Rename(made, place); err != nil {
		return errors.Join(err, os.Rename(aside, place))
	}
	return os.Rename(aside, made)
}
