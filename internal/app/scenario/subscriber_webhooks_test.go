package scenario

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast"
)

// program is a subscriber that listens.
type program struct {
	server *httptest.Server
	mu     sync.Mutex
	got    []news
	gone   bool
}

type news struct {
	ID, Event   string
	ConfirmURL  string `json:"confirm_url"`
	Unsubscribe string `json:"unsubscribe_url"`
	Incident    struct{ Name, Status string }
	signature   string
	raw         []byte
}

func listen(t *testing.T) *program {
	p := &program{}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		n := news{signature: r.Header.Get(broadcast.SignatureHeader), raw: raw}
		if err := json.Unmarshal(raw, &n); err != nil {
			t.Error(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.gone {
			w.WriteHeader(http.StatusGone)
			return
		}
		p.got = append(p.got, n)
	}))
	t.Cleanup(p.server.Close)
	return p
}

// hears waits for an event.
func (p *program) hears(t *testing.T, event string) news {
	t.Helper()
	var found news
	eventually(t, "the program hears "+event, func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		at := slices.IndexFunc(p.got, func(n news) bool { return n.Event == event })
		if at < 0 {
			return fmt.Errorf("%d requests", len(p.got))
		}
		found = p.got[at]
		return nil
	})
	return found
}

func TestAProgramSubscribesConfirmsHearsAndLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{extra: "\nsubscriptions: { allow_private: true }\n"})
	listener, goner := listen(t), listen(t)
	secrets := map[*program]string{}
	for _, p := range []*program{listener, goner} {
		f := visitor(w.daemon).get("/subscriptions/webhook").form("endpoint")
		f.set("endpoint", p.server.URL+"/in")
		answer := f.press("")
		secrets[p] = "whsec_" + strings.Fields(after(answer.text(), "whsec_"))[0]
		ask := p.hears(t, "confirm")
		path := strings.TrimPrefix(ask.ConfirmURL, w.url)
		if got := visitor(w.daemon).get(path).form(path).press(""); got.says("subscribed") != nil {
			t.Fatalf("confirming: %s", got.text())
		}
	}
	goner.mu.Lock()
	goner.gone = true
	goner.mu.Unlock()

	id := w.openIssue("Checkout fails", "We look.")
	told := listener.hears(t, "open")
	at, _, _ := strings.Cut(strings.TrimPrefix(told.signature, "t="), ",")
	if told.Incident.Name != "Checkout fails" || !signedBy(told, at, secrets[listener]) || signedBy(told, at, secrets[goner]) {
		t.Errorf("told %s, signed %s", told.raw, told.signature)
	}
	eventually(t, "the one that is gone is stopped", func() error {
		return w.admin.get("/admin/subscribers").says("Stopped")
	})
	if err := w.admin.get("/admin").says("Webhooks of subscribers is in trouble"); err == nil {
		t.Error("one subscriber's trouble is called the channel's")
	}

	// Leaving takes one POST, as a program makes it.
	resp, err := http.Post(told.Unsubscribe, "application/x-www-form-urlencoded", nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("leaving: %v, %v", resp, err)
	}
	resp.Body.Close()
	f := w.admin.get("/admin/issues/" + id).form("/admin/issues/" + id + "/update")
	f.set("state", "resolved")
	f.set("body", "All is well.")
	f.press("Post")
	w.subscribe("late@example.com") // its mail is sent after the announcement
	listener.mu.Lock()
	defer listener.mu.Unlock()
	if n := len(listener.got); n != 2 {
		t.Errorf("%d requests, want the question and the news before it left", n)
	}
}

func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}

// signedBy reports whether the secret made the signature.
func signedBy(n news, at, secret string) bool {
	seconds := int64(0)
	if _, err := fmt.Sscan(at, &seconds); err != nil {
		return false
	}
	return broadcast.Sign(n.raw, time.Unix(seconds, 0), secret) == n.signature
}
