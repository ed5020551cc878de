// Package engine proves the engine as it runs: the real intake, poller, store
// and outbox over SQLite and PostgreSQL, on a virtual clock that plays hours in
// milliseconds. It holds the scenarios of docs/engine.md that are about
// delivery, restarts and reconciliation; those of the core alone are in package
// status, those that need processes in package scenario.
package engine
