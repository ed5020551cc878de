package status_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// lived is a world after so many alerts of the past, of as many groups as there
// are tens of them, with one alert that fires.
func lived(t testing.TB, past int) *world {
	w := newWorld(t, checkoutDown(t, publishedAtOnce))
	w.receive(w.firing("a"))
	c := status.Changes{Signals: map[status.SignalKey]status.Signal{}, Tracks: map[status.TrackKey]status.Track{}}
	for n := range past {
		labels := map[string]string{"region": fmt.Sprint("past-", n/10)}
		track := status.TrackKey{Rule: "checkout-down", Group: status.GroupKey(labels)}
		key := status.SignalKey{Source: "am", Fingerprint: fmt.Sprint("past-", n)}
		c.Signals[key] = status.Signal{Key: key, EndsAt: epoch, OrderedAt: epoch, SeenAt: epoch, Tracks: []status.TrackKey{track}}
		c.Tracks[track] = status.Track{Key: track, Labels: labels}
	}
	w.board.Merge(c)
	return w
}

// webhooks are what comes most: a repeat, one more alert, and its end.
func (w *world) webhooks(n int) {
	w.now = w.now.Add(time.Minute)
	w.receive(fact("a", epoch, time.Time{}))
	one := w.firing(fmt.Sprint("more-", n%3))
	w.receive(one)
	w.receive(w.cleared(one.Fingerprint, one.StartsAt.Add(time.Second)))
}

// TestAWebhookCostsTheSameAfterAnyPast: a thousand times the past, and the best
// of many runs may not take ten times as long. Whatever looks through the past
// takes a thousand times as long.
func TestAWebhookCostsTheSameAfterAnyPast(t *testing.T) {
	best := func(past int) time.Duration {
		w, least := lived(t, past), time.Hour
		for n := range 300 {
			began := time.Now()
			w.webhooks(n)
			least = min(least, time.Since(began))
		}
		return least
	}
	short, long := best(100), best(100_000)
	t.Logf("three webhooks after 100 alerts of the past take %s, after 100,000 %s", short, long)
	if long > 10*short {
		t.Errorf("three webhooks after 100 alerts of the past take %s, after 100,000 %s", short, long)
	}
}

// BenchmarkAfterHistory is three webhooks on a board that remembers so much.
func BenchmarkAfterHistory(b *testing.B) {
	for _, past := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(past, "-past-alerts"), func(b *testing.B) {
			w := lived(b, past)
			for n := 0; b.Loop(); n++ {
				w.webhooks(n)
			}
		})
	}
}
