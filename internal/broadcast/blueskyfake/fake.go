// Package blueskyfake stands in for a personal data server of the AT Protocol:
// it signs accounts in, verifies records as their schema (app.bsky.feed.post)
// has it, and plays the refusals that the real one knows. For tests, and for
// trying statusbridge out without posting anything.
package blueskyfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The one account there is.
const (
	Handle   = "status.example.com"
	Password = "abcd-efgh-ijkl-mnop"
	DID      = "did:plc:z72i7hdynmk6r22z27h6tvur"
)

// Post is a record that was taken.
type Post struct {
	URI, CID string
	Record   Record
}

// Answer is one bad answer to a post.
type Answer struct {
	Status int // 0: none, the connection breaks
	Header map[string]string
	Body   string
	Taken  bool // the post was taken all the same
}

// RateLimited is a 429 until the moment.
func RateLimited(reset time.Time) Answer {
	return Answer{
		Status: http.StatusTooManyRequests,
		Header: map[string]string{
			"RateLimit-Limit": "1666", "RateLimit-Remaining": "0", "RateLimit-Reset": strconv.FormatInt(reset.Unix(), 10), "RateLimit-Policy": "1666;w=3600",
		},
		Body: `{"error":"RateLimitExceeded","message":"Rate Limit Exceeded"}`,
	}
}

// Unavailable is a 502 as a proxy gives it, not even JSON.
func Unavailable() Answer { return Answer{Status: http.StatusBadGateway, Body: "<h1>Bad gateway</h1>"} }

// Broken takes the post and closes the connection without an answer.
func Broken() Answer { return Answer{Taken: true} }

// Lost closes the connection without an answer and without the post.
func Lost() Answer { return Answer{} }

// Fake is a running stand-in.
type Fake struct {
	server *httptest.Server

	mu              sync.Mutex
	sessions        int
	signIns         int
	access, refresh string
	unauthorised    bool // expired tokens are answered with 401 instead of 400
	script          []Answer
	posts           []Post
	tries           int
	refused         []string
}

// Start starts a fake. Close it.
func Start() *Fake {
	f := &Fake{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /xrpc/com.atproto.server.createSession", f.createSession)
	mux.HandleFunc("POST /xrpc/com.atproto.server.refreshSession", f.refreshSession)
	mux.HandleFunc("GET /xrpc/com.atproto.server.getSession", f.getSession)
	mux.HandleFunc("POST /xrpc/com.atproto.repo.createRecord", f.createRecord)
	mux.HandleFunc("GET /xrpc/com.atproto.repo.getRecord", f.getRecord)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		f.refuse(w, http.StatusNotImplemented, "MethodNotImplemented", "Method Not Implemented: "+r.URL.Path)
	})
	f.server = httptest.NewServer(mux)
	return f
}

// Close ends it.
func (f *Fake) Close() { f.server.Close() }

// URL is where it listens.
func (f *Fake) URL() string { return f.server.URL }

// Next gives the coming posts, one each, a bad answer.
func (f *Fake) Next(answers ...Answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = append(f.script, answers...)
}

// Expire makes the tokens useless: that of requests, or both. unauthorised
// picks 401 over the 400 that servers answer with today.
func (f *Fake) Expire(both, unauthorised bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.access, f.unauthorised = "expired", unauthorised
	if both {
		f.refresh = "expired"
	}
}

// Delete removes all posts.
func (f *Fake) Delete() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posts = nil
}

// Posts are all posts that are there, oldest first.
func (f *Fake) Posts() []Post {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.posts)
}

// Counts are how often somebody signed in by password, and tried to post.
func (f *Fake) Counts() (signIns, tries int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.signIns, f.tries
}

// Refused says why requests were refused.
func (f *Fake) Refused() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.refused)
}

func (f *Fake) createSession(w http.ResponseWriter, r *http.Request) {
	var in struct{ Identifier, Password string }
	if !f.input(w, r, &in) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signIns++
	if in.Identifier != Handle && in.Identifier != DID || in.Password != Password {
		f.refuse(w, http.StatusUnauthorized, "AuthenticationRequired", "Invalid identifier or password")
		return
	}
	f.newSession(w)
}

func (f *Fake) refreshSession(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if body, _ := io.ReadAll(r.Body); len(body) > 0 {
		f.refuse(w, http.StatusBadRequest, "InvalidRequest", "A request body was provided when none was expected")
		return
	}
	if f.authorised(w, r, f.refresh) {
		f.newSession(w)
	}
}

func (f *Fake) getSession(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.authorised(w, r, f.access) {
		write(w, map[string]any{"did": DID, "handle": Handle, "active": true})
	}
}

func (f *Fake) newSession(w http.ResponseWriter) {
	f.sessions++
	f.access, f.refresh = fmt.Sprintf("access-%d", f.sessions), fmt.Sprintf("refresh-%d", f.sessions)
	write(w, map[string]any{"did": DID, "handle": Handle, "accessJwt": f.access, "refreshJwt": f.refresh, "active": true})
}

// authorised checks the token; a token is good for one purpose.
func (f *Fake) authorised(w http.ResponseWriter, r *http.Request, token string) bool {
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch code := map[bool]int{true: http.StatusUnauthorized, false: http.StatusBadRequest}[f.unauthorised]; {
	case !bearer || given == "":
		f.refuse(w, http.StatusUnauthorized, "AuthMissing", "Authentication Required")
	case given == token:
		return true
	case token == "expired":
		f.refuse(w, code, "ExpiredToken", "Token has expired")
	default:
		f.refuse(w, code, "InvalidToken", "Token could not be verified")
	}
	return false
}

func (f *Fake) createRecord(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Repo       string          `json:"repo"`
		Collection string          `json:"collection"`
		Rkey       string          `json:"rkey"`
		Record     json.RawMessage `json:"record"`
	}
	if !f.input(w, r, &in) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.authorised(w, r, f.access) {
		return
	}
	f.tries++
	var bad *Answer
	if len(f.script) > 0 {
		bad, f.script = &f.script[0], f.script[1:]
		if !bad.Taken {
			bad.give(w)
			return
		}
	}
	rec, err := f.verify(in.Record)
	switch {
	case in.Repo != DID && in.Repo != Handle:
		f.refuse(w, http.StatusUnauthorized, "AuthenticationRequired", "Authentication Required")
		return
	case in.Collection != "app.bsky.feed.post":
		err = fmt.Errorf("invalid $type: expected %s", in.Collection)
	case !tid.MatchString(in.Rkey):
		err = fmt.Errorf("invalid record key %q: it must be a TID", in.Rkey)
	}
	if err != nil {
		f.refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	made := Post{URI: "at://" + DID + "/app.bsky.feed.post/" + in.Rkey, CID: cidOf(in.Record), Record: rec}
	if f.at(made.URI) >= 0 {
		// The tree refuses a second value at a key, and the server is surprised.
		f.refuse(w, http.StatusInternalServerError, "InternalServerError", "Internal Server Error")
		return
	}
	f.posts = append(f.posts, made)
	if bad != nil {
		bad.give(w)
		return
	}
	w.Header().Set("RateLimit-Remaining", "1600")
	write(w, map[string]any{"uri": made.URI, "cid": made.CID, "validationStatus": "valid"})
}

func (f *Fake) getRecord(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := r.URL.Query()
	if q.Get("repo") != DID && q.Get("repo") != Handle {
		f.refuse(w, http.StatusBadRequest, "InvalidRequest", "Could not find repo: "+q.Get("repo"))
		return
	}
	at := f.at("at://" + DID + "/" + q.Get("collection") + "/" + q.Get("rkey"))
	if at < 0 {
		f.refuse(w, http.StatusBadRequest, "RecordNotFound", "Could not locate record")
		return
	}
	write(w, map[string]any{"uri": f.posts[at].URI, "cid": f.posts[at].CID, "value": f.posts[at].Record})
}

func (f *Fake) at(uri string) int {
	return slices.IndexFunc(f.posts, func(p Post) bool { return p.URI == uri })
}

func (f *Fake) input(w http.ResponseWriter, r *http.Request, into any) bool {
	err := json.NewDecoder(r.Body).Decode(into)
	if r.Header.Get("Content-Type") != "application/json" {
		err = fmt.Errorf("wrong request encoding: %q", r.Header.Get("Content-Type"))
	}
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
	}
	return err == nil
}

// refuse answers as XRPC does, and remembers why.
func (f *Fake) refuse(w http.ResponseWriter, code int, name, message string) {
	f.refused = append(f.refused, fmt.Sprintf("%d %s: %s", code, name, message))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": name, "message": message})
}

func (a Answer) give(w http.ResponseWriter) {
	if a.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	for key, value := range a.Header {
		w.Header().Set(key, value)
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body)
}

func write(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
