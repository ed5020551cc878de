package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

var joining = []status.Outlet{{Channel: status.ChannelEmail, Join: time.Minute}}

func fanOutTo(t *testing.T, s *store.Store, now time.Time, outlets []status.Outlet) int {
	t.Helper()
	queued := 0
	for more := true; more; {
		var n int
		var err error
		if n, more, err = s.FanOut(t.Context(), now, outlets); err != nil {
			t.Fatal(err)
		}
		queued += n
	}
	return queued
}

// updateAt is the announcement of one more update of the same issue.
func updateAt(update string, at time.Time, change ...func(*status.Announcement)) status.Announcement {
	a := announcement(update)
	a.Event, a.CreatedAt, a.DueAt = status.EventUpdate, at, at
	for _, f := range change {
		f(&a)
	}
	return a
}

func TestABurstOfUpdatesIsTwoMessages(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		queued := 0
		for n := range 50 {
			now := noon.Add(time.Duration(n) * time.Second)
			announce(t, s, updateAt(fmt.Sprintf("u%02d", n), now))
			queued += fanOutTo(t, s, now, joining)
		}
		if queued != 1 {
			t.Errorf("%d messages in the first minute, want only the first", queued)
		}
		if next, err := s.NextDelivery(t.Context(), time.Time{}, []string{status.ChannelEmail}); err != nil || !next.Equal(kept) {
			t.Errorf("the first is due at %v (%v)", next, err)
		}
		if n := fanOutTo(t, s, noon.Add(59*time.Second), joining); n != 0 {
			t.Errorf("%d more before the minute was over", n)
		}
		if n := fanOutTo(t, s, noon.Add(time.Minute), joining); n != 1 {
			t.Fatalf("%d messages after it, want one", n)
		}
		ds := claim(t, s, status.ChannelEmail, noon.Add(time.Minute))
		if len(ds) != 2 || ds[0].UpdateID != "u00" || ds[1].UpdateID != "u01" || len(ds[1].Joined) != 48 || ds[1].Joined[47] != "u49" {
			t.Errorf("messages %+v", ds)
		}
	})
}

func TestUpdatesFarApartAreToldAtOnceAndByThemselves(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		for n := range 3 {
			now := noon.Add(time.Duration(n) * time.Minute)
			announce(t, s, updateAt(fmt.Sprint("u", n), now), updateAt(fmt.Sprint("v", n), now, func(a *status.Announcement) { a.SubjectID = fmt.Sprint("issue", n) }))
			if n := fanOutTo(t, s, now, joining); n != 2 {
				t.Errorf("%d messages at %v, want one for each issue", n, now)
			}
		}
	})
}

func TestAnEndJoinedToUpdatesReachesThoseWhoWantOnlyMilestones(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		quiet := member(t, s, "quiet@x")
		quiet.Scope = status.ScopeMilestones
		if err := s.SaveSubscriber(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		announce(t, s, announcement("open"))
		fanOutTo(t, s, noon, joining)
		announce(t, s, updateAt("more", noon))
		fanOutTo(t, s, noon.Add(time.Second), joining)
		announce(t, s, updateAt("end", noon, func(a *status.Announcement) { a.Event = status.EventResolve }))
		fanOutTo(t, s, noon.Add(2*time.Second), joining)
		announce(t, s, updateAt("after", noon))
		fanOutTo(t, s, noon.Add(3*time.Second), joining)
		if n := fanOutTo(t, s, noon.Add(time.Minute), joining); n != 1 {
			t.Errorf("%d messages with the end in it", n)
		}
		announce(t, s, updateAt("talk", noon.Add(time.Hour)))
		if n := fanOutTo(t, s, noon.Add(time.Hour), joining); n != 0 {
			t.Errorf("%d messages about an update in between", n)
		}
	})
}

func TestAReminderIsNeverKeptBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		announce(t, s, announcement("u1"), updateAt("r", noon, func(a *status.Announcement) { a.Event = status.EventMaintenanceReminder }))
		if n := fanOutTo(t, s, noon, joining); n != 2 {
			t.Errorf("%d messages", n)
		}
	})
}

func TestUrgentDeliveriesOvertake(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		for n := range 3 {
			member(t, s, fmt.Sprintf("%d@x", n))
		}
		announce(t, s, announcement("calm"))
		fanOutTo(t, s, noon, joining)
		announce(t, s, updateAt("fire", noon.Add(time.Second), func(a *status.Announcement) { a.SubjectID, a.Priority = "fire", status.PriorityUrgent }))
		fanOutTo(t, s, noon.Add(time.Second), joining)
		if _, err := s.Subscribe(t.Context(), noon, status.Subscriber{Email: "new@x"}); err != nil {
			t.Fatal(err)
		}
		got := ""
		for range 4 {
			ds, err := s.ClaimDeliveries(t.Context(), status.ChannelEmail, noon.Add(time.Second), time.Minute, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range ds {
				got += string(d.Event) + " "
			}
		}
		if want := "update update update confirm open open open "; got != want {
			t.Errorf("claimed %q, want %q", got, want)
		}
	})
}

func TestManySubscribersAreReachedInChunks(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		const many = 2001 // three transactions
		rows := make([]status.Subscriber, many)
		for n := range rows {
			rows[n].Email = fmt.Sprintf("%d@x", n)
		}
		if n, err := s.Import(t.Context(), noon, rows, true, false); err != nil || n != many {
			t.Fatalf("%d imported: %v", n, err)
		}
		announce(t, s, announcement("u1"))
		if n := fanOutTo(t, s, noon, joining); n != many {
			t.Errorf("%d deliveries, want %d", n, many)
		}
		d, err := s.Dispatch(t.Context(), "u1.email")
		if err != nil || d.Total != many || d.Waiting() != many || d.FannedOutAt.IsZero() || !d.FinishedAt.IsZero() {
			t.Errorf("dispatch %+v (%v)", d, err)
		}
	})
}

func TestTheFirstMailsAndUrgentOnesDoNotWaitUntilAllAreQueued(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		rows := make([]status.Subscriber, 1500) // more than one transaction queues
		for n := range rows {
			rows[n].Email = fmt.Sprintf("%d@x", n)
		}
		if _, err := s.Import(t.Context(), noon, rows, true, false); err != nil {
			t.Fatal(err)
		}
		announce(t, s, announcement("a usual one"))
		n, more, err := s.FanOut(t.Context(), noon, joining)
		if err != nil || !more || n == 0 || n > len(rows)/10 {
			t.Fatalf("%d of %d queued at once, more: %v (%v)", n, len(rows), more, err)
		}
		if got := claim(t, s, status.ChannelEmail, noon); len(got) == 0 {
			t.Error("what is queued cannot be claimed")
		}
		urgent := announcement("urgent")
		urgent.SubjectID, urgent.Priority = "i2", status.PriorityUrgent
		announce(t, s, urgent)
		if n, _, err := s.FanOut(t.Context(), noon, joining); err != nil || n == 0 {
			t.Fatalf("%d queued (%v)", n, err)
		}
		for _, d := range claim(t, s, status.ChannelEmail, noon) {
			if d.UpdateID != "urgent" {
				t.Fatalf("%s comes before what is urgent", d.UpdateID)
			}
		}
	})
}

func TestADispatchIsFinishedWhenNothingWaitsAndKeepsItsCounts(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		for _, a := range []string{"a@x", "b@x", "c@x"} {
			member(t, s, a)
		}
		announce(t, s, announcement("u1"))
		fanOutTo(t, s, noon, joining)
		ds := claim(t, s, status.ChannelEmail, noon)
		finish := func(waiting int) status.Dispatch {
			t.Helper()
			if err := s.FinishDispatches(t.Context()); err != nil {
				t.Fatal(err)
			}
			all, err := s.Dispatches(t.Context(), "issue", 10)
			if err != nil || len(all) != 1 || all[0].Waiting() != waiting || all[0].FinishedAt.IsZero() != (waiting > 0) {
				t.Errorf("dispatches %+v (%v), want one with %d waiting", all, err, waiting)
			}
			return all[0]
		}
		must(t, s.MarkSent(t.Context(), ds[0].ID, 1, "250 ok", noon.Add(time.Second)))
		must(t, s.MarkFailed(t.Context(), ds[1].ID, 1, "554 spam", noon.Add(2*time.Second)))
		finish(1)
		must(t, s.MarkBounced(t.Context(), ds[2].ID, 1, "550 no such user", noon.Add(3*time.Second)))
		d := finish(0)
		if d.Total != 3 || d.Sent != 1 || d.Failed != 1 || d.Bounced != 1 || !d.FinishedAt.Equal(kept.Add(time.Second)) {
			t.Errorf("finished as %+v", d)
		}
		if n, err := s.Retry(t.Context(), noon.Add(time.Minute), d.ID, ""); n != 1 || err != nil {
			t.Errorf("retried %d (%v), want the one that failed", n, err)
		}
		finish(1)
		again := claim(t, s, status.ChannelEmail, noon.Add(time.Minute))
		if len(again) != 1 || again[0].ID != ds[1].ID {
			t.Errorf("claimed again %+v", again)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPausedChannelKeepsWhatItHas(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		announce(t, s, announcement("u1"))
		fanOut(t, s, noon, []string{status.ChannelEmail, status.ChannelTwitter})
		must(t, s.PauseChannel(t.Context(), status.ChannelEmail, true, "ada@x"))
		if ds := claim(t, s, status.ChannelEmail, noon); len(ds) != 0 {
			t.Errorf("a paused channel gave %d", len(ds))
		}
		if ds := claim(t, s, status.ChannelTwitter, noon); len(ds) != 1 {
			t.Errorf("the other channel gave %d", len(ds))
		}
		if next, err := s.NextDelivery(t.Context(), time.Time{}, []string{status.ChannelEmail}); err != nil || !next.IsZero() {
			t.Errorf("something is due at %v (%v)", next, err)
		}
		must(t, s.PauseChannel(t.Context(), status.ChannelEmail, false, "ada@x"))
		if ds := claim(t, s, status.ChannelEmail, noon); len(ds) != 1 {
			t.Errorf("resumed, it gave %d", len(ds))
		}
	})
}

func TestAChannelIsInTroubleUntilAMessageArrives(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		announce(t, s, announcement("u1"))
		fanOutTo(t, s, noon, joining)
		d := claim(t, s, status.ChannelEmail, noon)[0]
		health := func() status.ChannelState {
			t.Helper()
			all, err := s.Channels(t.Context())
			if err != nil || len(all) != 1 {
				t.Fatalf("channels %+v (%v)", all, err)
			}
			return all[0]
		}
		must(t, s.MarkRetry(t.Context(), d.ID, 1, noon, "421 closing", noon.Add(time.Second)))
		if c := health(); !c.Troubled() || c.LastError != "421 closing" {
			t.Errorf("after a failure %+v", c)
		}
		d = claim(t, s, status.ChannelEmail, noon)[0]
		must(t, s.MarkSent(t.Context(), d.ID, d.Attempt, "ok", noon.Add(2*time.Second)))
		if c := health(); c.Troubled() || !c.FailedAt.Equal(kept.Add(time.Second)) {
			t.Errorf("after a success %+v", c)
		}
	})
}

func TestASuccessOfOneChannelHidesNoneOfAnother(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		announce(t, s, announcement("u1"))
		fanOutTo(t, s, noon, []status.Outlet{{Channel: status.ChannelEmail}, {Channel: "twitter"}})
		for _, channel := range []string{status.ChannelEmail, "twitter"} {
			d := claim(t, s, channel, noon)[0]
			must(t, s.MarkSent(t.Context(), d.ID, d.Attempt, "ok", noon))
		}
		all, err := s.Channels(t.Context())
		if err != nil || len(all) != 2 || all[0].SentAt.IsZero() || all[1].SentAt.IsZero() {
			t.Errorf("channels %+v (%v), want both with their success", all, err)
		}
	})
}

func TestLeasesAreRenewedForThoseWhoStillHoldThem(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		member(t, s, "b@x")
		announce(t, s, announcement("u1"))
		fanOutTo(t, s, noon, joining)
		mine := claim(t, s, status.ChannelEmail, noon) // for a minute
		must(t, s.MarkSent(t.Context(), mine[0].ID, 1, "", noon))
		ours, err := s.RenewLeases(t.Context(), mine, noon.Add(50*time.Second), time.Minute)
		if err != nil || len(ours) != 1 || ours[0] != mine[1].ID {
			t.Fatalf("renewed %v (%v), want what is not marked", ours, err)
		}
		if ds := claim(t, s, status.ChannelEmail, noon.Add(100*time.Second)); len(ds) != 0 {
			t.Error("a renewed lease was taken away")
		}
		if ds := claim(t, s, status.ChannelEmail, noon.Add(110*time.Second)); len(ds) != 1 {
			t.Error("a lease that ended was not")
		}
		if ours, err := s.RenewLeases(t.Context(), mine, noon.Add(110*time.Second), time.Minute); err != nil || len(ours) != 0 {
			t.Errorf("renewed %v (%v) although another has it", ours, err)
		}
	})
}

func TestAHardBounceEndsTheMailUntilTheOwnerConfirmsAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		sub := member(t, s, "a@x")
		announce(t, s, announcement("u1"))
		fanOutTo(t, s, noon, joining)
		d := claim(t, s, status.ChannelEmail, noon)[0]
		must(t, s.MarkSent(t.Context(), d.ID, 1, "ok", noon))
		must(t, s.FinishDispatches(t.Context()))
		announce(t, s, updateAt("u2", noon, func(a *status.Announcement) { a.SubjectID = "other" }))
		fanOutTo(t, s, noon, joining) // waits while the bounce comes in

		must(t, s.RecordBounce(t.Context(), noon, status.Bounce{Address: "A@x", Hard: true, Reason: "550 no such user"}))
		got, err := s.SubscriberByToken(t.Context(), sub.Token)
		if err != nil || got.Active() || got.SuppressedWhy != "550 no such user" {
			t.Errorf("subscriber %+v (%v)", got, err)
		}
		if dis, err := s.Dispatch(t.Context(), "u1.email"); err != nil || dis.Bounced != 1 || dis.Sent != 0 {
			t.Errorf("dispatch %+v (%v)", dis, err)
		}
		if ds := claim(t, s, status.ChannelEmail, noon); len(ds) != 0 {
			t.Errorf("still queued: %+v", ds)
		}
		announce(t, s, announcement("u3"))
		if n := fanOutTo(t, s, noon.Add(time.Hour), joining); n != 0 {
			t.Errorf("%d deliveries to a dead address", n)
		}
		later := noon.Add(25 * time.Hour)
		asked := subscribe(t, s, later, "a@x")
		if ds := claim(t, s, status.ChannelEmail, later); len(ds) != 1 || ds[0].Event != status.EventConfirm {
			t.Errorf("asked with %+v", ds)
		}
		if got, err = s.ConfirmSubscriber(t.Context(), later, asked.ConfirmToken); err != nil || !got.Active() {
			t.Errorf("after the owner confirmed: %+v (%v)", got, err)
		}
	})
}

func TestABounceFindsItsDeliveryByName(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		announce(t, s, announcement("u1"), updateAt("u2", noon, func(a *status.Announcement) { a.SubjectID = "other" }))
		fanOutTo(t, s, noon, joining)
		for _, d := range claim(t, s, status.ChannelEmail, noon) {
			must(t, s.MarkSent(t.Context(), d.ID, 1, "ok", noon))
		}
		id := ""
		for _, d := range deliveriesOf(t, s) {
			if d.UpdateID == "u1" {
				id = d.ID
			}
		}
		// The report names another address: the mail was forwarded.
		must(t, s.RecordBounce(t.Context(), noon, status.Bounce{Address: "forwarded@y", DeliveryID: id, Reason: "452 mailbox full"}))
		for _, d := range deliveriesOf(t, s) {
			if bounced := d.State == status.Bounced; d.Event != status.EventConfirm && bounced != (d.ID == id) {
				t.Errorf("%s is %s", d.ID, d.State)
			}
		}
		if n, err := s.SubscriberCount(t.Context()); err != nil || n != 1 {
			t.Errorf("%d active (%v): a soft bounce suppressed", n, err)
		}
		if err := s.RecordBounce(t.Context(), noon, status.Bounce{Address: "stranger@y", Hard: true}); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("a stranger's bounce: %v", err)
		}
	})
}

func TestAComplaintEndsTheMailButTheMessageHadArrived(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		member(t, s, "a@x")
		announce(t, s, announcement("u1"))
		fanOutTo(t, s, noon, joining)
		d := claim(t, s, status.ChannelEmail, noon)[0]
		must(t, s.MarkSent(t.Context(), d.ID, 1, "ok", noon))
		must(t, s.RecordBounce(t.Context(), noon, status.Bounce{Address: "a@x", Complaint: true, Reason: "abuse"}))
		if n, err := s.SubscriberCount(t.Context()); err != nil || n != 0 {
			t.Errorf("%d active (%v)", n, err)
		}
		if dis, err := s.Dispatch(t.Context(), "u1.email"); err != nil || dis.Sent != 1 {
			t.Errorf("dispatch %+v (%v)", dis, err)
		}
	})
}
