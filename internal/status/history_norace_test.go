//go:build !race

package status_test

// stepsByDefault is how many steps of random histories a test run takes.
const stepsByDefault = 1_000_000
