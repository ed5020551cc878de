// Package bench measures the built daemon from outside, side by side with a
// bare Fiber handler and nginx. README.md tells how to run and read it.
package bench
