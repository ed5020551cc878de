package broadcast

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestRetriesComeSlowerAndSlowerAndEnd(t *testing.T) {
	passing := errors.New("connection refused")
	for attempt, want := range map[int]time.Duration{
		0: 10 * time.Second, // nobody counts from zero, but no harm is done
		1: 10 * time.Second, 2: 30 * time.Second, 3: time.Minute, 4: 2 * time.Minute, 5: 5 * time.Minute, 6: 10 * time.Minute,
		7: 20 * time.Minute, 8: 40 * time.Minute, 9: time.Hour, 10: 2 * time.Hour, 11: 4 * time.Hour,
	} {
		at, again := NextAttempt(attempt, noon, passing)
		if !again || at.Sub(noon) != want {
			t.Errorf("attempt %d: again %v after %v, want after %v", attempt, again, at.Sub(noon), want)
		}
	}
	for _, attempt := range []int{12, 13, 1000} {
		if at, again := NextAttempt(attempt, noon, passing); again {
			t.Errorf("attempt %d is followed by another at %v, want none", attempt, at)
		}
	}
}

func TestAPermanentErrorIsNotRetried(t *testing.T) {
	err := fmt.Errorf("send: %w", Permanent{Reason: "no such user", Err: errors.New("550")})
	if at, again := NextAttempt(1, noon, err); again {
		t.Errorf("tried again at %v", at)
	}
}

func TestAProviderSaysWhenToComeBack(t *testing.T) {
	for _, c := range []struct {
		name string
		err  RetryAfter
		want time.Duration
	}{
		{"at a moment", RetryAfter{At: noon.Add(7 * time.Minute)}, 7 * time.Minute},
		{"after a while", RetryAfter{After: 90 * time.Second}, 90 * time.Second},
		{"at a moment that is over", RetryAfter{At: noon.Add(-time.Hour)}, time.Second},
		{"at no moment", RetryAfter{}, time.Second},
		{"next year", RetryAfter{At: noon.AddDate(1, 0, 0)}, 24 * time.Hour},
	} {
		at, again := NextAttempt(3, noon, fmt.Errorf("post: %w", c.err))
		if !again || at.Sub(noon) != c.want {
			t.Errorf("%s: again %v after %v, want %v", c.name, again, at.Sub(noon), c.want)
		}
	}
	if _, again := NextAttempt(12, noon, RetryAfter{After: time.Second}); again {
		t.Error("a provider that always says later is asked for ever")
	}
}

func TestErrorsTellTheReasonAndTheProvidersWords(t *testing.T) {
	cause := errors.New("550 no such user")
	if got := (Permanent{Reason: "refused", Err: cause}).Error(); got != "refused: 550 no such user" {
		t.Errorf("got %q", got)
	}
	if !errors.Is(Permanent{Err: cause}, cause) || !errors.Is(RetryAfter{Err: cause}, cause) {
		t.Error("the cause is lost")
	}
}
