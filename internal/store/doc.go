// Package store keeps everything in one SQL database, SQLite or PostgreSQL.
//
// What the public sees changes through one verb only: Apply. It locks the
// board, lets a pure function decide, and saves the whole decision in one
// transaction, the announcements that follow from it included. Callers that
// wait for the lock share a transaction (see queue), so that a storm of
// webhooks costs a handful of commits.
//
// Both dialects run the same SQL wherever they can; the few differences are the
// fields of dialect. Each entity is described once, as the list that ties
// columns to fields (see table), and reading, writing and the test that
// compares both schemas all follow that list.
//
// Times are integer unix milliseconds in UTC, and NULL when zero. Parts that
// are only ever read with their owner, such as the updates of an issue, are
// JSON in a text column.
package store
