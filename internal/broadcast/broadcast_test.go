package broadcast

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/statusbridge/statusbridge/internal/bubble"
	"github.com/statusbridge/statusbridge/internal/status"
)

func TestMain(m *testing.M) {
	if os.Getenv(senderEnv) != "" {
		send() // we are the process that a test kills
	}
	goleak.VerifyTestMain(m,
		// A listener whose server is gone sleeps before it notices that it was closed.
		goleak.IgnoreAnyFunction("github.com/lib/pq.(*Listener).listenerMain"),
		goleak.IgnoreAnyFunction("github.com/statusbridge/statusbridge/internal/store.(*Store).listen.func2"),
	)
}

// pen is a sender that notes when it was asked to send what.
type pen struct {
	channel  string
	parallel int
	start    time.Time
	takes    time.Duration // of each message, unless its context ends
	answer   func(m Message, try int) (string, error)

	mu    sync.Mutex
	sent  []Message
	log   []string // "10s u1 person1@example.com"
	rests int
}

func (p *pen) Channel() string { return p.channel }
func (p *pen) Parallel() int   { return p.parallel }

func (p *pen) Rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rests++
}

func (p *pen) Send(ctx context.Context, m Message) (string, error) {
	p.mu.Lock()
	p.sent = append(p.sent, m)
	p.log = append(p.log, fmt.Sprintf("%v %s %s", time.Since(p.start), m.UpdateID, m.Recipient))
	try := len(p.log)
	takes := p.takes
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(takes):
	}
	if p.answer == nil {
		return fmt.Sprintf("%s-%d", p.channel, try), nil
	}
	return p.answer(m, try)
}

func (p *pen) tries() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

func (p *pen) messages() []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// house is a broadcaster at work in a bubble of its own time.
type house struct {
	outbox *memoryOutbox
	shelf  *shelf
	wake   chan struct{}
	stop   func()
}

func open(t *testing.T, senders ...*pen) *house {
	return openOver(t, &memoryOutbox{subscribers: people(1)}, senders...)
}

// openWith opens a house over an outbox.
func openWith(t *testing.T, outbox *memoryOutbox, list ...Sender) *house {
	h := &house{outbox: outbox, shelf: newShelf(), wake: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	b := New(Config{PublicURL: "https://status.example.com"}, h.outbox, h.shelf, list, bubbleClock{}, quiet(t))
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx, h.wake) }()
	stopped := false
	h.stop = func() {
		cancel()
		if !stopped {
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
		stopped = true
	}
	return h
}

// announce orders to tell about an update, and wakes.
func (h *house) announce(event status.Event, subject, update string) {
	h.outbox.announce(status.Announcement{Event: event, SubjectID: subject, UpdateID: update, DueAt: time.Now()})
	ring(h.wake)
}

func TestAnAnnouncementReachesEveryRecipientOfEveryChannelAtOnce(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail, tweets := &pen{channel: "email", parallel: 8}, &pen{channel: "twitter"}
		h := open(t, mail, tweets)
		defer h.stop()
		h.outbox.subscribers = people(30)
		h.announce(status.EventOpen, "i1", "u1")
		synctest.Wait()
		if got := h.outbox.states(); got[status.Sent] != 31 || len(got) != 1 {
			t.Errorf("deliveries are %v, want 31 sent", got)
		}
		if got := tweets.tries(); !slices.Equal(got, []string{"0s u1 twitter"}) {
			t.Errorf("tweets at %v", got)
		}
	})
}

func TestALostWakeUpOnlyDelays(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email"}
		h := open(t, mail)
		defer h.stop()
		synctest.Wait()
		h.outbox.announce(status.Announcement{Event: status.EventOpen, SubjectID: "i1", UpdateID: "u1", DueAt: time.Now()})
		time.Sleep(poll + time.Second)
		if got := mail.tries(); len(got) != 1 {
			t.Errorf("without a wake-up it was sent %d times within the poll, want once", len(got))
		}
	})
}

func TestWhatIsDueLaterIsSentLaterToTheSecond(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email"}
		h := open(t, mail)
		defer h.stop()
		h.outbox.announce(status.Announcement{Event: status.EventOpen, SubjectID: "i1", UpdateID: "u1", DueAt: time.Now().Add(10 * time.Second)})
		ring(h.wake)
		time.Sleep(time.Minute)
		if got := mail.tries(); !slices.Equal(got, []string{"10s u1 person1@example.com"}) {
			t.Errorf("sent at %v, want after the ten seconds in which it can be undone", got)
		}
	})
}

func TestAFailingMessageIsTriedByTheTimetableAndThenGivenUp(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email", answer: func(Message, int) (string, error) { return "", errors.New("connection refused") }}
		h := open(t, mail)
		defer h.stop()
		h.announce(status.EventOpen, "i1", "u1")
		time.Sleep(24 * time.Hour)
		var want []string
		at := time.Duration(0)
		for _, pause := range append([]time.Duration{0}, backOff...) {
			at += pause
			want = append(want, at.String()+" u1 person1@example.com")
		}
		if got := mail.tries(); !slices.Equal(got, want) {
			t.Errorf("tried\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if d := h.outbox.all()[0]; d.State != status.Failed || d.LastError != "connection refused" {
			t.Errorf("it is %s with %q, want failed with the reason", d.State, d.LastError)
		}
	})
}

func TestAPermanentErrorFailsAtOnceWithItsReason(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email", answer: func(Message, int) (string, error) { return "", Permanent{Reason: "no such user"} }}
		h := open(t, mail)
		defer h.stop()
		h.announce(status.EventOpen, "i1", "u1")
		time.Sleep(time.Hour)
		if d := h.outbox.all()[0]; d.State != status.Failed || d.LastError != "no such user" || d.Attempt != 1 {
			t.Errorf("it is %s with %q after %d attempts", d.State, d.LastError, d.Attempt)
		}
	})
}

func TestAProvidersWaitIsObeyed(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		tweets := &pen{channel: "twitter", answer: func(_ Message, try int) (string, error) {
			if try == 1 {
				return "", RetryAfter{After: 7 * time.Minute}
			}
			return "1", nil
		}}
		h := open(t, tweets)
		defer h.stop()
		h.announce(status.EventOpen, "i1", "u1")
		time.Sleep(time.Hour)
		if got := tweets.tries(); !slices.Equal(got, []string{"0s u1 twitter", "7m0s u1 twitter"}) {
			t.Errorf("posted at %v", got)
		}
	})
}

func TestABrokenChannelDelaysNoOther(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		hanging := &pen{channel: "twitter", answer: func(Message, int) (string, error) {
			time.Sleep(10 * time.Second)
			return "", errors.New("timeout")
		}}
		mail := &pen{channel: "email"}
		h := open(t, hanging, mail)
		defer h.stop()
		for n, update := range []string{"u1", "u2", "u3"} {
			time.Sleep(time.Duration(min(n, 1)) * time.Second)
			h.announce(status.EventUpdate, "i1", update)
			synctest.Wait()
		}
		want := []string{"0s u1 person1@example.com", "1s u2 person1@example.com", "2s u3 person1@example.com"}
		if got := mail.tries(); !slices.Equal(got, want) {
			t.Errorf("mails at %v, want %v", got, want)
		}
	})
}

func TestASlowRecipientHoldsUpOnlyItsOwnLine(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email", parallel: 2, answer: func(m Message, _ int) (string, error) {
			if m.Recipient == "person1@example.com" {
				time.Sleep(8 * time.Second)
			}
			return "", nil
		}}
		h := open(t, mail)
		defer h.stop()
		h.outbox.subscribers = people(50)
		h.announce(status.EventOpen, "i1", "u1")
		time.Sleep(time.Second)
		if got := h.outbox.states(); got[status.Sent] != 49 {
			t.Errorf("after a second %d of 49 are sent", got[status.Sent])
		}
	})
}

func TestTwoReplicasNeverSendTheSameThoughTheServerTurnsSlow(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		one, two := &pen{channel: "email", parallel: 1}, &pen{channel: "email", parallel: 1}
		h := open(t, one)
		defer h.stop()
		h.outbox.subscribers = people(300)
		slow := func(m Message, try int) (string, error) {
			if try > 200 { // by then it is handed large batches
				time.Sleep(3 * time.Second)
			}
			return "", nil
		}
		one.answer, two.answer = slow, slow
		h.announce(status.EventOpen, "i1", "u1")
		synctest.Wait()
		other := openOver(t, h.outbox, two)
		defer other.stop()
		time.Sleep(time.Hour)
		if got := h.outbox.states(); got[status.Sent] != 300 {
			t.Errorf("deliveries are %v, want 300 sent", got)
		}
		if n := len(one.tries()) + len(two.tries()); n != 300 {
			t.Errorf("300 recipients were written to %d times", n)
		}
	})
}

func TestWhatACrashLeftIsSentWhenTheLeaseIsOver(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email"}
		h := open(t, mail)
		defer h.stop()
		synctest.Wait()
		crashed := status.Delivery{
			ID: "d1", Event: status.EventOpen, SubjectID: "i1", UpdateID: "u1", Channel: "email", Recipient: "person1@example.com",
			SubscriberID: "s1", Token: "t", State: status.Queued, Attempt: 1, DueAt: time.Now().Add(lease),
		}
		h.outbox.mu.Lock()
		h.outbox.deliveries = append(h.outbox.deliveries, crashed)
		h.outbox.mu.Unlock()
		ring(h.wake)
		time.Sleep(time.Minute)
		if got := mail.tries(); !slices.Equal(got, []string{"20s u1 person1@example.com"}) {
			t.Errorf("sent at %v", got)
		}
	})
}

func TestAMarkThatFailsIsTriedAgainInsteadOfTheMessage(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email"}
		h := open(t, mail)
		defer h.stop()
		h.outbox.lostMarks = 2
		h.announce(status.EventOpen, "i1", "u1")
		time.Sleep(time.Minute)
		if got := mail.tries(); len(got) != 1 || h.outbox.all()[0].State != status.Sent {
			t.Errorf("tried %v, it is %s", got, h.outbox.all()[0].State)
		}
	})
}

func TestADeadDatabaseIsOutlived(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email"}
		h := open(t, mail)
		defer h.stop()
		h.outbox.setBroken(errors.New("connection refused"))
		h.announce(status.EventOpen, "i1", "u1")
		time.Sleep(time.Hour)
		h.outbox.setBroken(nil)
		time.Sleep(afterError + time.Second)
		if got := mail.tries(); len(got) != 1 {
			t.Errorf("after the database came back it was sent %d times, want once", len(got))
		}
	})
}

func TestASenderThatPanicsLosesOneMessageOnly(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email", answer: func(m Message, _ int) (string, error) {
			if m.Recipient == "person2@example.com" {
				panic("nil map")
			}
			return "", nil
		}}
		h := open(t, mail)
		defer h.stop()
		h.outbox.subscribers = people(3)
		h.announce(status.EventOpen, "i1", "u1")
		synctest.Wait()
		if got := h.outbox.states(); got[status.Sent] != 2 || got[status.Failed] != 1 {
			t.Errorf("deliveries are %v", got)
		}
	})
}

func TestAFeedAnswersItsFirstMessageAboutTheStory(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		tweets := &pen{channel: "twitter"}
		h := open(t, tweets)
		defer h.stop()
		h.announce(status.EventOpen, "i1", "u1")
		synctest.Wait()
		h.announce(status.EventUpdate, "i1", "u2")
		synctest.Wait()
		h.announce(status.EventResolve, "i1", "u3")
		h.announce(status.EventMaintenanceScheduled, "m1", "w1")
		synctest.Wait()
		var roots []string
		for _, m := range tweets.messages() {
			roots = append(roots, m.UpdateID+":"+m.Root)
		}
		if want := []string{"u1:", "u2:twitter-1", "u3:twitter-1", "w1:"}; !slices.Equal(roots, want) {
			t.Errorf("roots %v, want %v", roots, want)
		}
	})
}

func TestWhatASenderSkipsIsDone(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		tweets := &pen{channel: "twitter", answer: func(Message, int) (string, error) { return "", Skipped{Reason: "not for us"} }}
		h := open(t, tweets)
		defer h.stop()
		h.announce(status.EventUpdate, "i1", "u2")
		time.Sleep(time.Hour)
		if d := h.outbox.all()[0]; d.State != status.Sent || d.ProviderID != "" || len(tweets.tries()) != 1 {
			t.Errorf("it is %+v after %d tries", d, len(tweets.tries()))
		}
	})
}

func TestNothingIsToldOfWhatIsNotPublicOrGone(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email"}
		h := open(t, mail)
		defer h.stop()
		draft := checkoutDown()
		draft.ID, draft.Stage = "i2", status.Draft
		h.shelf.issues["i2"] = draft
		for _, subject := range []string{"i2", "gone"} {
			h.outbox.announce(status.Announcement{ID: subject, Event: status.EventOpen, SubjectID: subject, UpdateID: "u1", DueAt: time.Now()})
		}
		h.announce(status.EventUpdate, "i1", "never")
		synctest.Wait()
		if got := h.outbox.states(); got[status.Failed] != 3 || len(mail.tries()) != 0 {
			t.Errorf("deliveries are %v, sent %v", got, mail.tries())
		}
	})
}

func TestTheSenderMayRestWhenNothingIsLeft(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email", parallel: 4, answer: func(Message, int) (string, error) {
			time.Sleep(100 * time.Millisecond)
			return "", nil
		}}
		h := open(t, mail)
		defer h.stop()
		synctest.Wait()
		mail.mu.Lock()
		mail.rests = 0
		mail.mu.Unlock()
		h.outbox.subscribers = people(40)
		h.announce(status.EventOpen, "i1", "u1")
		time.Sleep(900 * time.Millisecond)
		mail.mu.Lock()
		if mail.rests != 0 {
			t.Errorf("rested %d times in the middle of the work", mail.rests)
		}
		mail.mu.Unlock()
		time.Sleep(time.Second)
		mail.mu.Lock()
		defer mail.mu.Unlock()
		if mail.rests == 0 {
			t.Error("never rested")
		}
	})
}

func TestStoppingLetsWhatIsOnItsWayArrive(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		mail := &pen{channel: "email", parallel: 2, takes: 2 * time.Second}
		h := open(t, mail)
		h.outbox.subscribers = people(10)
		h.announce(status.EventOpen, "i1", "u1")
		time.Sleep(time.Second)
		began := time.Now()
		h.stop()
		if took := time.Since(began); took > grace+markTimeout {
			t.Errorf("stopping took %v", took)
		}
		sent := h.outbox.states()[status.Sent]
		if sent < 2 || sent != len(mail.tries()) {
			t.Errorf("%d messages left, %d are marked as sent", len(mail.tries()), sent)
		}
		for _, d := range h.outbox.all() {
			if d.State == status.Queued && d.DueAt.After(time.Now()) && d.Attempt > 0 {
				t.Errorf("%s stays leased until %v though nobody works on it", d.ID, d.DueAt)
			}
		}
	})
}
