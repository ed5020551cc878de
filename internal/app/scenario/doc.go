// Package scenario drives the built binary as its users do: Alertmanager and
// New Relic send, a person on call clicks, visitors, feed readers and mailboxes
// look. Everything is a real process or a real socket. Nothing sleeps: each
// step waits for what it needs to see, up to a deadline.
package scenario
