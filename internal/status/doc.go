// Package status is the core: components, issues, maintenance, rules,
// correlation, ownership, uptime and the headline.
//
// It is pure. Nothing here reads a clock, opens a socket or touches a database:
// each verb is a function of a Board, an event and now, and answers with the
// Changes to save, each with its reason. The same input gives the same output,
// so every decision can be replayed, tested and explained.
//
//	Receive   facts from monitoring systems
//	Tick      what the clock alone brings about
//	Revise    what a person decided
//	Overview  the headline and the status of each component
//	Uptime    the share of time a component worked
package status
