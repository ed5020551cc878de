package store_test

import (
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

func TestPostsAreCountedByCalendarMonth(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		end := time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC)
		for _, at := range []time.Time{end, end, end.Add(time.Hour)} {
			if err := s.CountPost(t.Context(), "twitter", at); err != nil {
				t.Fatal(err)
			}
		}
		for at, want := range map[time.Time]int{end.AddDate(0, 0, -29): 2, end.Add(48 * time.Hour): 1, end.AddDate(1, 0, 0): 0} {
			if n, err := s.Posts(t.Context(), "twitter", at); n != want || err != nil {
				t.Errorf("%s has %d posts (%v), want %d", at, n, err, want)
			}
		}
		if n, _ := s.Posts(t.Context(), "bluesky", end); n != 0 {
			t.Errorf("another channel has %d", n)
		}
	})
}

func TestARuleNamesAChannelByItsNameOrItsKind(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		everywhere, kind, name := announcement("u1"), announcement("u2"), announcement("u3")
		kind.Channels, name.Channels = []string{"slack"}, []string{"ops"}
		announce(t, s, everywhere)
		announce(t, s, kind)
		announce(t, s, name)
		outlets := []status.Outlet{{Channel: "ops", Kind: "slack"}, {Channel: "public", Kind: "slack"}, {Channel: "x"}}
		fanOutTo(t, s, noon, outlets)
		for channel, want := range map[string]map[string]bool{
			"ops": {"u1": false, "u2": true, "u3": true}, "public": {"u1": false, "u2": true}, "x": {"u1": false},
		} {
			got := map[string]bool{}
			for _, d := range claim(t, s, channel, noon) {
				got[d.UpdateID] = d.Named
			}
			same(t, channel, got, want)
		}
	})
}

func TestWhatIsSkippedDoesNotMakeAChannelWell(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		announce(t, s, announcement("u1"))
		announce(t, s, announcement("u2"))
		fanOut(t, s, noon, []string{status.ChannelTwitter})
		ds := claim(t, s, status.ChannelTwitter, noon)
		if err := s.MarkFailed(t.Context(), ds[0].ID, 1, "dead token", noon); err != nil {
			t.Fatal(err)
		}
		if err := s.MarkSkipped(t.Context(), ds[1].ID, 1, "nothing to send", noon.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		states, err := s.Channels(t.Context())
		if err != nil || len(states) != 1 || !states[0].Troubled() || states[0].LastError != "dead token" {
			t.Errorf("the channel is %+v (%v)", states, err)
		}
		if ds := claim(t, s, status.ChannelTwitter, noon.Add(time.Hour)); len(ds) != 0 {
			t.Errorf("claimed again: %+v", ds)
		}
	})
}
