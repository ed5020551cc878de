package broadcast

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Permanent is the error of a message that no later attempt can bring through.
type Permanent struct {
	Reason string // what is wrong and what to mend
	Err    error  // the provider's own words, if any
}

func (e Permanent) Error() string { return withCause(e.Reason, e.Err) }

// Unwrap gives the provider's own words.
func (e Permanent) Unwrap() error { return e.Err }

// Bounced is the error of a message whose recipient does not exist: nothing
// more should be sent there.
type Bounced struct {
	Reason string
	Err    error // the provider's own words
}

func (e Bounced) Error() string { return withCause(e.Reason, e.Err) }

// Unwrap gives the provider's own words.
func (e Bounced) Unwrap() error { return e.Err }

// RetryAfter is the error of a provider that said when to come back: at a
// moment, or after a while from now.
type RetryAfter struct {
	At    time.Time
	After time.Duration // used when At is zero
	Err   error
}

func (e RetryAfter) Error() string { return withCause("the provider asks to wait", e.Err) }

// Unwrap gives the provider's own words.
func (e RetryAfter) Unwrap() error { return e.Err }

// Skipped is the answer of a sender that rightly sent nothing, such as a feed
// that tells only the beginning and the end.
type Skipped struct{ Reason string }

func (e Skipped) Error() string { return "nothing to send: " + e.Reason }

func withCause(reason string, err error) string {
	if err == nil {
		return reason
	}
	return fmt.Sprintf("%s: %v", reason, err)
}

// backOff is how long to wait after each failed attempt. The sum is a good
// eight hours: longer than most outages of a mail relay, and long enough for
// greylisting; later than that the news is old.
var backOff = []time.Duration{
	10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour,
}

// longestWait bounds what a provider can ask for.
const longestWait = 24 * time.Hour

// NextAttempt says when to try again after the attempt (counted from 1) that
// failed with err; false is to give up.
func NextAttempt(attempt int, now time.Time, err error) (time.Time, bool) {
	var permanent Permanent
	if errors.As(err, &permanent) || attempt > len(backOff) {
		return time.Time{}, false
	}
	pause := backOff[max(attempt, 1)-1]
	var asked RetryAfter
	if errors.As(err, &asked) {
		pause = asked.After
		if !asked.At.IsZero() {
			pause = asked.At.Sub(now)
		}
		// Clocks differ and windows end: never at once, never in a month.
		pause = min(max(pause, time.Second), longestWait)
	}
	return now.Add(pause), true
}

// withoutURL takes the address out of an error of an HTTP client: it may be a secret,
// and errors are shown and logged.
func withoutURL(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
