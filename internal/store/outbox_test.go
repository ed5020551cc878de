package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

var email = []string{status.ChannelEmail}

// member adds a confirmed subscriber of some components, none for all.
func member(t *testing.T, s *store.Store, address string, components ...string) status.Subscriber {
	t.Helper()
	sub, err := s.Subscribe(t.Context(), noon, status.Subscriber{Email: address, Components: components})
	if err != nil {
		t.Fatal(err)
	}
	if sub, err = s.ConfirmSubscriber(t.Context(), noon, sub.ConfirmToken); err != nil {
		t.Fatal(err)
	}
	// The mail that asked is out of the way.
	confirm := claim(t, s, status.ChannelEmail, noon)
	for _, d := range confirm {
		if err := s.MarkSent(t.Context(), d.ID, d.Attempt, "", noon); err != nil {
			t.Fatal(err)
		}
	}
	return sub
}

// announce saves announcements of updates with these ids.
func announce(t *testing.T, s *store.Store, list ...status.Announcement) {
	t.Helper()
	apply(t, s, status.Changes{Announcements: list})
}

func announcement(update string, components ...string) status.Announcement {
	return status.Announcement{
		ID: "a-" + update, Event: status.EventOpen, SubjectID: "issue", UpdateID: update, Components: components,
		CreatedAt: kept, DueAt: kept,
	}
}

func fanOut(t *testing.T, s *store.Store, now time.Time, channels []string) int {
	t.Helper()
	var outlets []status.Outlet
	for _, c := range channels {
		outlets = append(outlets, status.Outlet{Channel: c})
	}
	return fanOutTo(t, s, now, outlets)
}

func claim(t *testing.T, s *store.Store, channel string, now time.Time) []status.Delivery {
	t.Helper()
	ds, err := s.ClaimDeliveries(t.Context(), channel, now, time.Minute, 100)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func recipients(ds []status.Delivery) map[string]int {
	out := map[string]int{}
	for _, d := range ds {
		out[d.Recipient]++
	}
	return out
}

func TestFanOutReachesWhoCaresOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "all@x")
		disk := member(t, s, "disk@x", "disk", "net")
		member(t, s, "mail@x", "mail")
		if _, err := s.Subscribe(t.Context(), noon, status.Subscriber{Email: "unconfirmed@x"}); err != nil {
			t.Fatal(err)
		}
		claim(t, s, status.ChannelEmail, noon) // the question to the unconfirmed

		announce(t, s, announcement("u1", "net", "disk"))
		channels := []string{status.ChannelEmail, status.ChannelTwitter}
		if n := fanOut(t, s, noon, channels); n != 3 {
			t.Errorf("%d deliveries, want 3", n)
		}
		if n := fanOut(t, s, noon, channels); n != 0 {
			t.Errorf("%d deliveries the second time", n)
		}
		mails, tweets := claim(t, s, status.ChannelEmail, noon), claim(t, s, status.ChannelTwitter, noon)
		same(t, "mails", recipients(mails), map[string]int{"all@x": 1, "disk@x": 1})
		same(t, "tweets", recipients(tweets), map[string]int{"twitter": 1})
		for _, d := range mails {
			if d.Recipient == "disk@x" {
				same(t, "delivery", d, status.Delivery{
					ID: "u1.email." + disk.ID, DispatchID: "u1.email", Event: status.EventOpen, SubjectID: "issue", UpdateID: "u1",
					Channel: status.ChannelEmail, Recipient: "disk@x", SubscriberID: disk.ID, Token: disk.Token,
					State: status.Queued, Attempt: 1, DueAt: kept.Add(time.Minute), CreatedAt: kept,
				})
			}
		}
	})
}

func TestAnAnnouncementWithoutComponentsReachesEverybody(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "disk@x", "disk")
		member(t, s, "mail@x", "mail")
		announce(t, s, announcement("u1"))
		if n := fanOut(t, s, noon, email); n != 2 {
			t.Errorf("%d deliveries", n)
		}
	})
}

func TestFanOutKeepsToTheChannelsAllowed(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		tweet, nowhere := announcement("u1"), announcement("u2")
		tweet.Channels, nowhere.Channels = []string{status.ChannelTwitter}, []string{}
		announce(t, s, tweet, nowhere)
		if n := fanOut(t, s, noon, []string{status.ChannelEmail, status.ChannelTwitter}); n != 1 {
			t.Errorf("%d deliveries, want the tweet", n)
		}
		if ds := claim(t, s, status.ChannelTwitter, noon); len(ds) != 1 || ds[0].UpdateID != "u1" {
			t.Errorf("tweets %v", ds)
		}
	})
}

func TestFanOutLeavesOutWhatAPersonDid(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		a := announcement("u1")
		a.Channels, a.Except = nil, []string{status.ChannelEmail}
		announce(t, s, a)
		if n := fanOut(t, s, noon, []string{status.ChannelEmail, status.ChannelTwitter}); n != 1 {
			t.Errorf("%d deliveries, want the tweet", n)
		}
	})
}

func TestFanOutWaitsUntilDue(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		later := announcement("u1")
		later.DueAt = kept.Add(time.Minute)
		announce(t, s, later)
		next := func(want time.Time) {
			t.Helper()
			if got, err := s.NextDelivery(t.Context(), time.Time{}, []string{status.ChannelEmail, status.ChannelTwitter}); err != nil || !got.Equal(want) {
				t.Errorf("next is %v (%v), want %v", got, err, want)
			}
		}
		next(later.DueAt)
		if n := fanOut(t, s, noon, email); n != 0 {
			t.Errorf("%d deliveries before it is due", n)
		}
		if n := fanOut(t, s, noon.Add(time.Minute), email); n != 1 {
			t.Errorf("%d deliveries when it is due", n)
		}
		next(later.DueAt)
		ds := claim(t, s, status.ChannelEmail, noon.Add(time.Hour))
		next(kept.Add(time.Hour + time.Minute))
		if err := s.MarkSent(t.Context(), ds[0].ID, ds[0].Attempt, "", noon); err != nil {
			t.Fatal(err)
		}
		next(time.Time{})
	})
}

func TestAnUpdateIsAnnouncedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		again := announcement("u1")
		again.ID = "another id"
		announce(t, s, announcement("u1"))
		announce(t, s, again)
		if n := fanOut(t, s, noon, email); n != 1 {
			t.Errorf("%d deliveries", n)
		}
	})
}

func TestReplicasThatFanOutTogetherQueueEachDeliveryOnce(t *testing.T) {
	onBothDSN(t, func(t *testing.T, dsn string) {
		replicas := []*store.Store{open(t, dsn), open(t, dsn), open(t, dsn)}
		for n := range 20 {
			member(t, replicas[0], fmt.Sprint(n, "@x"))
		}
		for n := range 10 {
			announce(t, replicas[0], announcement(fmt.Sprint("u", n)))
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		claimed := map[string]int{}
		for _, s := range replicas {
			wg.Go(func() {
				for more := true; more; {
					var err error
					if _, more, err = s.FanOut(t.Context(), noon, []status.Outlet{{Channel: status.ChannelEmail}}); err != nil {
						t.Error(err)
					}
				}
				for {
					ds, err := s.ClaimDeliveries(t.Context(), status.ChannelEmail, noon, time.Minute, 7)
					if err != nil {
						t.Error(err)
					}
					if len(ds) == 0 {
						return
					}
					mu.Lock()
					for _, d := range ds {
						claimed[d.ID]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for _, d := range claim(t, replicas[0], status.ChannelEmail, noon) { // a replica may have looked too early
			claimed[d.ID]++
		}
		if len(claimed) != 200 {
			t.Errorf("%d deliveries, want 200", len(claimed))
		}
		for id, n := range claimed {
			if n != 1 {
				t.Errorf("%s was claimed %d times", id, n)
			}
		}
	})
}

func TestALateMarkIsIgnored(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		announce(t, s, announcement("u1"))
		fanOut(t, s, noon, email)
		slow := claim(t, s, status.ChannelEmail, noon)[0]
		if ds := claim(t, s, status.ChannelEmail, noon.Add(59*time.Second)); len(ds) != 0 {
			t.Fatal("claimed during the lease")
		}
		fast := claim(t, s, status.ChannelEmail, noon.Add(time.Minute))[0]
		if fast.ID != slow.ID || fast.Attempt != 2 {
			t.Fatalf("claimed %+v after %+v", fast, slow)
		}
		ctx := t.Context()
		if err := s.MarkFailed(ctx, slow.ID, slow.Attempt, "too slow", noon); err != nil {
			t.Fatal(err)
		}
		if err := s.MarkSent(ctx, fast.ID, fast.Attempt, "provider-1", noon.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if err := s.MarkRetry(ctx, fast.ID, fast.Attempt, noon, "after it was sent", noon); err != nil {
			t.Fatal(err)
		}
		want := fast
		want.State, want.SentAt, want.DueAt, want.ProviderID = status.Sent, kept.Add(time.Second), kept.Add(time.Second), "provider-1"
		for _, d := range deliveriesOf(t, s) {
			if d.ID == fast.ID {
				same(t, "delivery", d, want)
			}
		}
	})
}

func deliveriesOf(t *testing.T, s *store.Store) []status.Delivery {
	t.Helper()
	ds, err := s.Deliveries(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func TestADeliveryIsRetriedWhenDueOrGivenUp(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		announce(t, s, announcement("u1"))
		fanOut(t, s, noon, []string{status.ChannelTwitter})
		d := claim(t, s, status.ChannelTwitter, noon)[0]
		if err := s.MarkRetry(t.Context(), d.ID, d.Attempt, noon.Add(time.Second), "busy", noon); err != nil {
			t.Fatal(err)
		}
		if ds := claim(t, s, status.ChannelTwitter, noon); len(ds) != 0 {
			t.Error("claimed before it is due again")
		}
		again := claim(t, s, status.ChannelTwitter, noon.Add(time.Second))
		if len(again) != 1 || again[0].Attempt != 2 || again[0].LastError != "busy" {
			t.Fatalf("claimed %+v", again)
		}
		if err := s.MarkFailed(t.Context(), d.ID, 2, "forbidden", noon); err != nil {
			t.Fatal(err)
		}
		got := deliveriesOf(t, s)[0]
		if got.State != status.Failed || got.LastError != "forbidden" || !got.SentAt.IsZero() {
			t.Errorf("delivery %+v", got)
		}
		if ds := claim(t, s, status.ChannelTwitter, noon.Add(time.Hour)); len(ds) != 0 {
			t.Error("claimed after it was given up")
		}
	})
}

func TestTheRootIsTheFirstMessageSent(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		root := func(want string) {
			t.Helper()
			if got, err := s.RootDelivery(t.Context(), status.ChannelTwitter, "issue"); got != want || err != nil {
				t.Errorf("root %q (%v), want %q", got, err, want)
			}
		}
		root("")
		for n := range 2 {
			announce(t, s, announcement(fmt.Sprint("u", n)))
			fanOut(t, s, noon, []string{status.ChannelTwitter})
			d := claim(t, s, status.ChannelTwitter, noon)[0]
			if n == 0 {
				root("")
			}
			if err := s.MarkSent(t.Context(), d.ID, 1, fmt.Sprint("tweet-", n), noon.Add(time.Duration(n)*time.Second)); err != nil {
				t.Fatal(err)
			}
			root("tweet-0")
		}
		counts, err := s.DeliveryCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, "counts", counts, map[string]map[status.DeliveryState]int{"twitter": {status.Sent: 2}})
	})
}

func TestAfterAMarkAllElseWaitsForTheDiskAgain(t *testing.T) {
	s := open(t, "sqlite:"+t.TempDir()+"/test.db")
	member(t, s, "a@x") // marks its confirmation
	if level, err := s.Synchronous(t.Context()); err != nil || level != 2 {
		t.Errorf("the writer has synchronous %d (%v), want 2, which is FULL", level, err)
	}
}
