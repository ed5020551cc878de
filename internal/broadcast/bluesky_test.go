package broadcast

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"github.com/statusbridge/statusbridge/internal/broadcast/blueskyfake"
)

// sky is a channel to a stand-in of Bluesky.
func sky(t *testing.T, change ...func(*ChannelConfig)) (*Channel, *blueskyfake.Fake) {
	t.Helper()
	fake := blueskyfake.Start()
	t.Cleanup(fake.Close)
	cfg := ChannelConfig{Name: "sky", Type: Bluesky, URL: fake.URL() + "/", User: blueskyfake.Handle, Password: blueskyfake.Password, AllowPrivate: true}
	for _, c := range change {
		c(&cfg)
	}
	ch, err := NewChannel(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ch.Rest)
	return ch, fake
}

// queued is a hostile message as the worker hands it over.
func queued(t *testing.T, delivery string) Message {
	m := hostile(t)
	m.DeliveryID, m.Queued, m.Attempt = delivery, noon, 1
	return m
}

func TestAPostOnBlueskyIsWithinItsLimitsAndItsLinkIsAFacet(t *testing.T) {
	ch, fake := sky(t)
	for name, change := range map[string]func(*Message){
		"long":  func(*Message) {},
		"short": func(m *Message) { m.Title, m.Body = "Checkout", "We look." },
		"wide": func(m *Message) {
			m.Title, m.Body = strings.Repeat("決済が失敗", 20), strings.Repeat("👩‍👩‍👧‍👦🇯🇵é ", 200)
		},
		"piled": func(m *Message) { m.Title = strings.Repeat("e"+strings.Repeat("\u0334", 40), 300) },
	} {
		t.Run(name, func(t *testing.T) {
			m := queued(t, name+".sky")
			change(&m)
			uri, err := ch.Send(t.Context(), m)
			if err != nil {
				t.Fatalf("%v; refused: %q", err, fake.Refused())
			}
			posts := fake.Posts()
			post := posts[len(posts)-1]
			if uri != post.URI || post.Record.Links()["status.example.com/issues/i1"] != m.Link || len(post.Record.Facets) != 1 {
				t.Errorf("%s: text %q, links %v", uri, post.Record.Text, post.Record.Links())
			}
			if strings.Contains(post.Record.Text, "@everyone") || name == "long" && uniseg.GraphemeClusterCount(post.Record.Text) < 250 {
				t.Errorf("text %q", post.Record.Text)
			}
		})
	}
	if signIns, _ := fake.Counts(); signIns != 1 {
		t.Errorf("%d sign-ins: Bluesky allows 300 a day", signIns)
	}
}

func TestAnUpdateOnBlueskyAnswersTheFirstPostUnlessThatIsDeleted(t *testing.T) {
	ch, fake := sky(t)
	root, err := ch.Send(t.Context(), queued(t, "u1.sky"))
	if err != nil {
		t.Fatal(err)
	}
	reply := queued(t, "u2.sky")
	reply.Root = root
	if _, err := ch.Send(t.Context(), reply); err != nil {
		t.Fatalf("%v; refused: %q", err, fake.Refused())
	}
	posts := fake.Posts()
	want := blueskyfake.Ref{URI: root, CID: posts[0].CID}
	if r := posts[1].Record; r.Reply == nil || r.Reply.Root != want || r.Reply.Parent != want || len(r.Facets) != 0 {
		t.Errorf("reply %+v", r)
	}
	fake.Delete()
	reply.DeliveryID = "u3.sky"
	if _, err := ch.Send(t.Context(), reply); err != nil || fake.Posts()[0].Record.Reply != nil {
		t.Errorf("with the first deleted: %v, %+v", err, fake.Posts())
	}
}

// A time-out, a second worker, or a retry by hand: nobody may read it twice.
func TestATimeOutOnBlueskyNeverPostsTwice(t *testing.T) {
	ch, fake := sky(t)
	m := queued(t, "u1.sky")
	fake.Next(blueskyfake.Broken())
	if _, err := ch.Send(t.Context(), m); err == nil {
		t.Fatal("a broken connection counts as sent")
	}
	again := m
	again.Attempt, again.Body, again.Now = 2, "Meanwhile it says something else.", noon.Add(time.Hour)
	uri, err := ch.Send(t.Context(), again)
	if _, tries := fake.Counts(); err != nil || uri != fake.Posts()[0].URI || tries != 1 {
		t.Errorf("looked up: %q, %v after %d tries", uri, err, tries)
	}
	fresh := m // counts its attempts anew, and the server refuses without a reason
	uri, err = ch.Send(t.Context(), fresh)
	if err != nil || uri != fake.Posts()[0].URI || len(fake.Posts()) != 1 {
		t.Errorf("retried: %q, %v, %d posts", uri, err, len(fake.Posts()))
	}

	lost := queued(t, "u2.sky")
	fake.Next(blueskyfake.Lost())
	if _, err := ch.Send(t.Context(), lost); err == nil {
		t.Fatal("a broken connection counts as sent")
	}
	lost.Attempt = 2
	if _, err := ch.Send(t.Context(), lost); err != nil || len(fake.Posts()) != 2 {
		t.Errorf("what never arrived: %v, %d posts", err, len(fake.Posts()))
	}
}

func TestAnExpiredSessionOnBlueskyIsRenewedAndADeadOneBegunAnew(t *testing.T) {
	for name, c := range map[string]struct {
		both, unauthorised bool
		signIns            int
	}{
		"400": {false, false, 1}, "401": {false, true, 1}, "both tokens": {true, false, 2}, "both with 401": {true, true, 2},
	} {
		ch, fake := sky(t)
		if _, err := ch.Send(t.Context(), queued(t, "u1.sky")); err != nil {
			t.Fatal(err)
		}
		fake.Expire(c.both, c.unauthorised)
		_, err := ch.Send(t.Context(), queued(t, "u2.sky"))
		if signIns, _ := fake.Counts(); err != nil || signIns != c.signIns || len(fake.Posts()) != 2 {
			t.Errorf("%s: %v after %d sign-ins, %d posts", name, err, signIns, len(fake.Posts()))
		}
	}
}

func TestARefusalOfBlueskyIsJudged(t *testing.T) {
	ch, fake := sky(t)
	reset := noon.Add(20 * time.Minute)
	fake.Next(blueskyfake.RateLimited(reset), blueskyfake.Unavailable())
	_, err := ch.Send(t.Context(), queued(t, "u1.sky"))
	if wait, ok := errors.AsType[RetryAfter](err); !ok || !wait.At.Equal(reset) {
		t.Errorf("429: %v, want to wait until %s", err, reset)
	}
	_, err = ch.Send(t.Context(), queued(t, "u1.sky"))
	if _, permanent := errors.AsType[Permanent](err); err == nil || permanent {
		t.Errorf("502: %v", err)
	}
	dead, fake := sky(t, func(c *ChannelConfig) { c.Password = "wrong-SECRET" })
	_, err = dead.Send(t.Context(), queued(t, "u1.sky"))
	if _, permanent := errors.AsType[Permanent](err); !permanent || !strings.Contains(err.Error(), "app password") || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("wrong password: %v", err)
	}
	if signIns, _ := fake.Counts(); signIns != 1 {
		t.Errorf("%d sign-ins with a wrong password", signIns)
	}
}
