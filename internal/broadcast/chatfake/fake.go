// Package chatfake stands in for the chats that take messages by HTTP: Slack,
// Microsoft Teams, Discord and Mastodon. It refuses what the real ones refuse,
// in their words: wrong secrets, shapes and lengths. For tests, and for trying
// statusbridge out without posting anything.
package chatfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"time"
)

// The secrets, as parts of addresses or as a token.
const (
	SlackPath   = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
	TeamsPath   = "/workflows/0a1b/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s3cr3t"
	DiscordPath = "/api/webhooks/1234567890/discord-token"
	Token       = "mastodon-token"
)

// Said is a message that a chat took.
type Said struct {
	Chat    string
	ID      string // as the chat calls it, "" where it does not
	ReplyTo string
	Text    string // all that people read
}

// Fake is a running stand-in for all four.
type Fake struct {
	server *httptest.Server

	mu      sync.Mutex
	said    []Said
	script  []func(w http.ResponseWriter)
	keys    map[string]string // Mastodon's idempotency keys
	refused []string
}

// Start starts a fake. Close it.
func Start() *Fake {
	f := &Fake{keys: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/", f.slack)
	mux.HandleFunc("/workflows/", f.teams)
	mux.HandleFunc("/api/webhooks/{id}/{token}", f.discord)
	mux.HandleFunc("POST /api/v1/statuses", f.mastodon)
	mux.HandleFunc("GET /api/v1/accounts/verify_credentials", f.mastodonAccount)
	f.server = httptest.NewServer(mux)
	return f
}

// Close ends it.
func (f *Fake) Close() { f.server.Close() }

// URL is where it listens.
func (f *Fake) URL() string { return f.server.URL }

// Said are the messages that were taken, oldest first.
func (f *Fake) Said() []Said {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.said)
}

// Refused says why messages were refused.
func (f *Fake) Refused() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.refused)
}

// LimitSlack makes the coming message to Slack a 429.
func (f *Fake) LimitSlack(wait time.Duration) {
	f.next(func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
		http.Error(w, "rate_limited", http.StatusTooManyRequests)
	})
}

// LimitTeams makes the coming message to Teams a 429.
func (f *Fake) LimitTeams(wait time.Duration) {
	f.next(func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
		answer(w, http.StatusTooManyRequests, map[string]any{"error": map[string]string{"code": "WorkflowTriggerIsRateLimited", "message": "Rate limit is exceeded."}})
	})
}

// LimitDiscord makes the coming message to Discord a 429.
func (f *Fake) LimitDiscord(wait time.Duration) {
	f.next(func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", strconv.FormatFloat(wait.Seconds(), 'f', 3, 64))
		w.Header().Set("X-RateLimit-Scope", "user")
		answer(w, http.StatusTooManyRequests, map[string]any{"message": "You are being rate limited.", "retry_after": wait.Seconds(), "global": false})
	})
}

// LimitMastodon makes the coming message to Mastodon a 429 until the moment.
func (f *Fake) LimitMastodon(reset time.Time) {
	f.next(func(w http.ResponseWriter) {
		w.Header().Set("X-RateLimit-Limit", "300")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", reset.UTC().Format("2006-01-02T15:04:05.000000Z"))
		answer(w, http.StatusTooManyRequests, map[string]string{"error": "Too many requests"})
	})
}

func (f *Fake) next(one func(w http.ResponseWriter)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = append(f.script, one)
}

// begin reads a message, unless the script has another answer.
func (f *Fake) begin(w http.ResponseWriter, r *http.Request) (raw []byte, body map[string]any, ok bool) {
	raw, err := io.ReadAll(r.Body)
	if len(f.script) > 0 {
		f.script[0](w)
		f.script = f.script[1:]
		return nil, nil, false
	}
	if err == nil && r.Header.Get("Content-Type") != "application/json" {
		err = fmt.Errorf("content type %q", r.Header.Get("Content-Type"))
	}
	if err == nil {
		err = json.Unmarshal(raw, &body)
	}
	if err != nil {
		f.refuse(err)
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return nil, nil, false
	}
	return raw, body, true
}

func (f *Fake) take(s Said) string {
	s.ID = fmt.Sprint(1000 + len(f.said))
	f.said = append(f.said, s)
	return s.ID
}

func (f *Fake) refuse(why error) { f.refused = append(f.refused, why.Error()) }

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
