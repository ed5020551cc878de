package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

var toPrograms = []status.Outlet{{Channel: status.ChannelWebhooks, Kind: "webhook"}, {Channel: status.ChannelEmail}}

func program(t *testing.T, s *store.Store, endpoint string, confirm bool, components ...string) status.Subscriber {
	t.Helper()
	sub, err := s.SubscribeWebhook(t.Context(), noon, status.Subscriber{Email: endpoint, Components: components, Scope: status.ScopeMilestones})
	must(t, err)
	if confirm {
		sub, err = s.ConfirmSubscriber(t.Context(), noon, sub.ConfirmToken)
		must(t, err)
	}
	return sub
}

func TestAProgramIsToldOnceItConfirmedAndByWebhookOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		const endpoint = "https://hooks.example.com/Path?x=1"
		member(t, s, "a@x")
		unconfirmed := program(t, s, endpoint, false)
		listening := program(t, s, endpoint, true, "disk")
		program(t, s, endpoint, true, "net")
		if listening.Address() != endpoint || !strings.HasPrefix(listening.Secret, "whsec_") || listening.Secret == unconfirmed.Secret {
			t.Errorf("subscriber %+v", listening)
		}
		asked := claim(t, s, status.ChannelWebhooks, noon)
		if len(asked) != 3 || asked[0].Event != status.EventConfirm || claim(t, s, status.ChannelEmail, noon) != nil {
			t.Fatalf("the questions: %+v", asked)
		}
		announce(t, s, announcement("u1", "disk"))
		if n := fanOutTo(t, s, noon, toPrograms); n != 2 {
			t.Errorf("%d messages, want a mail and a webhook", n)
		}
		if n, err := s.Programs(t.Context(), status.EventOpen, []string{"disk"}); err != nil || n != 1 {
			t.Errorf("%d programs would be reached (%v)", n, err)
		}
		told := claim(t, s, status.ChannelWebhooks, noon)
		if len(told) != 1 || told[0].SubscriberID != listening.ID || told[0].Recipient != endpoint+"#"+listening.ID {
			t.Errorf("told %+v", told)
		}
		announce(t, s, updateAt("u2", noon))
		if n := fanOutTo(t, s, noon, toPrograms); n != 1 {
			t.Errorf("%d messages about an update that only the mail subscriber wants", n)
		}

		audience, err := s.Audience(t.Context())
		must(t, err)
		same(t, "the audience", audience, status.Audience{Total: 1, Active: 1, Webhooks: 2})
		if found, err := s.Subscribers(t.Context(), "hooks.example", 0); err != nil || len(found) != 3 {
			t.Errorf("found %d (%v)", len(found), err)
		}

		must(t, s.Unsubscribe(t.Context(), listening.Token))
		if n, err := s.Retry(t.Context(), noon, told[0].DispatchID, ""); err != nil || n != 0 {
			t.Errorf("%d waits for one who left (%v)", n, err)
		}
	})
}

func TestAProgramThatIsGoneIsToldNothingMoreAndBlamesNoChannel(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		sub := program(t, s, "https://hooks.example.com/", true)
		announce(t, s, announcement("u1"))
		fanOutTo(t, s, noon, toPrograms)
		ds := claim(t, s, status.ChannelWebhooks, noon)
		for _, d := range ds {
			must(t, s.MarkRetry(t.Context(), d.ID, 1, noon, "answer 500", noon))
		}
		if states, err := s.Channels(t.Context()); err != nil || len(states) != 0 {
			t.Errorf("channels %+v (%v)", states, err)
		}
		for _, d := range claim(t, s, status.ChannelWebhooks, noon) {
			if d.Event != status.EventConfirm {
				must(t, s.MarkBounced(t.Context(), d.ID, 2, "gone for good", noon))
			}
		}
		stopped, err := s.Subscriber(t.Context(), sub.ID)
		must(t, err)
		if stopped.Active() || stopped.SuppressedWhy != "gone for good" {
			t.Errorf("subscriber %+v", stopped)
		}
		announce(t, s, announcement("u2"))
		if n := fanOutTo(t, s, noon, toPrograms); n != 0 {
			t.Errorf("%d messages to one that is gone", n)
		}
		if again, err := s.ConfirmSubscriber(t.Context(), noon, sub.ConfirmToken); err != nil || !again.Active() {
			t.Errorf("confirmed anew: %+v, %v", again, err)
		}
	})
}

func TestNoHostIsAskedWithoutEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ask := func(endpoint string, now time.Time) error {
			_, err := s.SubscribeWebhook(t.Context(), now, status.Subscriber{Email: endpoint})
			return err
		}
		for n := range 20 {
			must(t, ask("https://victim.example.com/"+strings.Repeat("x", n), noon))
		}
		if err := ask("https://victim.example.com/more", noon.Add(23*time.Hour)); !errors.Is(err, status.ErrAskedOften) {
			t.Errorf("the 21st: %v", err)
		}
		must(t, ask("https://victim.example.com.other.example/", noon))
		must(t, ask("https://victim.example.com/more", noon.Add(25*time.Hour)))
	})
}

func TestTheContactOfAStoppedProgramIsToldOnceIfItGetsMailHere(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		person := member(t, s, "ops@example.com")
		stop := func(contact string) {
			t.Helper()
			sub, err := s.SubscribeWebhook(t.Context(), noon, status.Subscriber{Email: "https://hooks.example.com/", Contact: contact})
			must(t, err)
			for _, d := range claim(t, s, status.ChannelWebhooks, noon) {
				must(t, s.MarkBounced(t.Context(), d.ID, d.Attempt, "gone for good", noon))
			}
			if stopped, err := s.Subscriber(t.Context(), sub.ID); err != nil || stopped.SuppressedAt.IsZero() {
				t.Fatalf("not stopped: %+v (%v)", stopped, err)
			}
		}
		stop("")
		stop("stranger@example.com")
		if ds := claim(t, s, status.ChannelEmail, noon); len(ds) != 0 {
			t.Fatalf("mails to nobody who asked for them: %+v", ds)
		}
		stop("Ops@example.com")
		ds := claim(t, s, status.ChannelEmail, noon)
		if len(ds) != 1 || ds[0].Event != status.EventStopped || ds[0].Recipient != "ops@example.com" || ds[0].Token != person.Token {
			t.Fatalf("mails %+v, want one", ds)
		}
		stop("ops@example.com") // on the same day
		if more := claim(t, s, status.ChannelEmail, noon); len(more) != 0 {
			t.Errorf("told again: %+v", more)
		}
		must(t, s.Unsubscribe(t.Context(), person.Token))
		if left, err := s.Subscriber(t.Context(), ds[0].SubjectID); err != nil || left.Contact != "" {
			t.Errorf("who left is still the contact: %+v (%v)", left, err)
		}
	})
}
