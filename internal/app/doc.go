// Package app puts the daemon together: configuration, wiring, the clock, the
// ticker, and starting and stopping in order. It is the only package that
// knows what time it is.
package app
