//go:build !linux

package pages

import "errors"

func swap(a, b string) error { return errors.ErrUnsupported }
