//go:build race

package status_test

// stepsByDefault is small here: the race detector costs ten times the time, and
// the core has no goroutines to race. `make test` takes the million besides.
const stepsByDefault = 50_000
