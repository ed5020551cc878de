// Package broadcast tells the world: it turns announcements into messages and
// brings each to its recipients over every channel that is configured.
//
// The order to tell (status.Announcement) is saved together with the update it
// speaks of, so nothing is announced that did not happen and nothing happens
// unannounced. From there on the work is level-triggered: a Broadcaster is
// woken after a commit and polls besides, so a lost wake-up only delays.
//
//	FanOut           one delivery for every recipient of an announcement
//	ClaimDeliveries  a lease of 20 s on some of them
//	Compose          what to say, a pure function of what happened
//	Sender.Send      one message to one recipient
//	MarkSent, ...    at once, each by itself, fenced by the attempt
//
// Every channel has its own worker, so a broken one delays no other. A crash
// between sending and marking sends at most what was in flight a second time.
package broadcast
