package broadcast

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/status"
)

func TestAConnectionBringsNoTextBeforeTheOneBeforeIsSettled(t *testing.T) {
	const connections, mails = 3, 30
	s := sink(t, smtpsink.Options{})
	e := mailer(t, s, func(c *EmailConfig) { c.Connections = connections })
	deadline := within(t, 20*time.Second)
	release := make(chan struct{})
	var settled atomic.Int64
	var all sync.WaitGroup
	for i := range mails {
		m := firstMessage(t)
		m.Recipient = fmt.Sprintf("person%d@example.com", i)
		all.Go(func() {
			e.SendAndSettle(t.Context(), m, func(_ string, err error) {
				if open := int64(len(s.Messages())) - settled.Load(); err != nil || open > connections {
					t.Errorf("%d mails are taken and not settled over %d connections (%v)", open, connections, err)
				}
				select {
				case <-release:
				case <-deadline.Done():
					t.Error("nobody released it")
				}
				settled.Add(1)
			})
		})
	}
	for i := range mails - 2*connections { // the last ones may wait behind others
		if err := s.Until(deadline, connections+i); err != nil {
			t.Fatal(err)
		}
		release <- struct{}{}
	}
	close(release)
	all.Wait()
}

func TestAMailWrittenOnceForManyHoldsOnlyEachOnesOwnLinks(t *testing.T) {
	e := mailer(t, sink(t, smtpsink.Options{}))
	shared := mustCompose(t, issueStory(status.EventOpen, openCheckout(), "u1"))
	shared.Body = strings.Repeat("Wörter = ünd so weiter ", 40)
	people := map[string]string{
		"ann@example.com": "tok-en_1", "a+b=c@example.com": "2222222222", `"odd one"@example.com`: "333 3&3<3",
		strings.Repeat("long", 16) + "@" + strings.Repeat("host.", 30) + "example": "4444", "jörg@example.com": "5555",
	}
	for address, token := range people {
		m := addressed(shared, address)
		m.Token, m.DeliveryID = token, "d-"+token
		text, _, err := e.build(m)
		if err != nil {
			t.Fatal(err)
		}
		got := parts(t, text)
		alone := m
		alone.letters = nil
		if written, err := e.write(alone); err != nil || got["text/plain"] != wire(written.to(alone).text) || got["text/html"] != wire(written.to(alone).html) {
			t.Errorf("%s: the text is not what was written (%v):\n%s", address, err, got["text/plain"])
		}
		for other, foreign := range people {
			if other != address && strings.Contains(string(text), foreign) {
				t.Errorf("%s has the link of %s", address, other)
			}
		}
		_, body, _ := strings.Cut(string(text), "\r\n\r\n")
		for line := range strings.SplitSeq(body, "\r\n") {
			if len(line) > 76 {
				t.Errorf("%s: a line of %d characters: %s", address, len(line), line)
			}
		}
		if strings.Contains(string(text), markToken) || strings.Contains(string(text), markRecipient) || strings.Contains(string(text), "mark.invalid") {
			t.Errorf("%s: a mark is left", address)
		}
	}
	if n := len(shared.letters.made); n != 1 {
		t.Errorf("it was written %d times, want once", n)
	}
}

func TestWhatIsWrittenIsKeptForTheNextOnesUnlessTheStoryChanged(t *testing.T) {
	tell := func(i status.Issue) composed {
		return composed{message: mustCompose(t, issueStory(status.EventOpen, i, "u1"))}
	}
	first, same, edited := tell(openCheckout()), tell(openCheckout()), openCheckout()
	same.keepLetters(first)
	if same.message.letters != first.message.letters {
		t.Error("the same words are written again for each claim")
	}
	edited.Updates[0].Body = "We were wrong."
	other := tell(edited)
	other.keepLetters(first)
	if other.message.letters == first.message.letters || other.message.letters == nil {
		t.Error("an edited update is told in its old words")
	}
}

// wire is how the ends of lines travel.
func wire(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

// parts reads the bodies of a mail by their type.
func parts(t *testing.T, text []byte) map[string]string {
	t.Helper()
	msg, err := mail.ReadMessage(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	got, r := map[string]string{}, multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		body, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		got[kind] = string(body)
	}
}
