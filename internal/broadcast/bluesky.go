package broadcast

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rivo/uniseg"
)

// bluesky posts to one account over the AT Protocol, by the HTTP methods of its
// data server: https://atproto.com/specs/xrpc
type bluesky struct {
	server         string // without a slash at the end
	user, password string
	client         *http.Client

	mu      sync.Mutex
	session session
}

// session is what a sign-in gives. Sign-ins are few a day, so it is kept and
// renewed: https://docs.bsky.app/docs/advanced-guides/rate-limits
type session struct {
	DID     string `json:"did"` // the account, whatever it is called
	Handle  string `json:"handle"`
	Access  string `json:"accessJwt"`
	Refresh string `json:"refreshJwt"`
}

// The methods that are called, and the collection that posts are in.
const (
	xrpcCreateSession  = "com.atproto.server.createSession"
	xrpcGetSession     = "com.atproto.server.getSession"
	xrpcRefreshSession = "com.atproto.server.refreshSession"
	xrpcCreateRecord   = "com.atproto.repo.createRecord"
	xrpcGetRecord      = "com.atproto.repo.getRecord"
	skyPosts           = "app.bsky.feed.post"
)

// skyHost is where most accounts are.
const skyHost = "https://bsky.social"

func newBluesky(cfg ChannelConfig, client *http.Client) *bluesky {
	return &bluesky{server: strings.TrimRight(cfg.URL, "/"), user: strings.TrimPrefix(cfg.User, "@"), password: cfg.Password, client: client}
}

// record names a version of a post (com.atproto.repo.strongRef).
type record struct {
	URI string `json:"uri"`
	CID string `json:"cid"`
}

// post sends a message; the name of the post follows from the delivery, so that
// a second attempt cannot make a second one. What an earlier attempt left behind
// is looked up.
func (b *bluesky) post(ctx context.Context, m Message) (string, error) {
	key := skyKey(m)
	if m.Attempt > 1 {
		if there, err := b.find(ctx, key); err != nil || there.URI != "" {
			return there.URI, err
		}
	}
	body := skyPost(m)
	if m.Root != "" {
		// Somebody may have deleted it: then this one stands alone.
		root, err := b.find(ctx, m.Root[strings.LastIndexByte(m.Root, '/')+1:])
		if err != nil {
			return "", err
		}
		if root.URI != "" {
			body["reply"] = map[string]record{"root": root, "parent": root}
		}
	}
	var made record
	err := b.signed(ctx, func(s session) error {
		return b.call(ctx, http.MethodPost, xrpcCreateRecord, s.Access, map[string]any{
			"repo": s.DID, "collection": skyPosts, "rkey": key, "record": body,
		}, &made)
	})
	if refused, ok := errors.AsType[*xrpcError](err); ok && (refused.code == http.StatusBadRequest || refused.code >= 500) {
		// A server that has the post already only says that something is wrong.
		if there, found := b.find(ctx, key); found == nil && there.URI != "" {
			return there.URI, nil
		}
	}
	return made.URI, judgeSky(err)
}

// find looks a post of the account up; it is empty when there is none.
func (b *bluesky) find(ctx context.Context, key string) (record, error) {
	var found record
	err := b.signed(ctx, func(s session) error {
		query := url.Values{"repo": {s.DID}, "collection": {skyPosts}, "rkey": {key}}
		return b.call(ctx, http.MethodGet, xrpcGetRecord+"?"+query.Encode(), s.Access, nil, &found)
	})
	if refused, ok := errors.AsType[*xrpcError](err); ok && refused.Name == "RecordNotFound" {
		return record{}, nil
	}
	return found, judgeSky(err)
}

// signed calls with a session: the one that is kept, that one renewed, or a new
// one.
func (b *bluesky) signed(ctx context.Context, do func(session) error) error {
	s, err := b.signIn(ctx, session{})
	if err != nil {
		return err
	}
	if err = do(s); !expired(err) {
		return err
	}
	if s, err = b.signIn(ctx, s); err != nil {
		return err
	}
	return do(s)
}

// signIn gives a session that is another than the old one.
func (b *bluesky) signIn(ctx context.Context, old session) (session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.session.Access != old.Access {
		return b.session, nil
	}
	var s session
	if old.Refresh != "" {
		err := b.call(ctx, http.MethodPost, xrpcRefreshSession, old.Refresh, nil, &s)
		if refused, ok := errors.AsType[*xrpcError](err); err != nil && (!ok || refused.code == http.StatusTooManyRequests || refused.code >= 500) {
			return s, err
		}
	}
	if s.Access == "" {
		err := b.call(ctx, http.MethodPost, xrpcCreateSession, "", map[string]string{"identifier": b.user, "password": b.password}, &s)
		if err != nil {
			b.session = session{}
			return s, err
		}
	}
	b.session = s
	return s, nil
}

// xrpcError is the answer of a server that did not do it.
type xrpcError struct {
	code    int
	Name    string `json:"error"`
	Message string `json:"message"`
	reset   time.Time
}

func (e *xrpcError) Error() string {
	return strings.TrimRight(fmt.Sprintf("answer %d: %s: %s", e.code, e.Name, cutTo(oneLine(e.Message), 200)), ": ")
}

// expired reports whether a new token may help: data servers say so with 400.
func expired(err error) bool {
	refused, ok := errors.AsType[*xrpcError](err)
	return ok && (refused.Name == "ExpiredToken" || refused.Name == "InvalidToken" || refused.code == http.StatusUnauthorized)
}

// judgeSky says what a refusal means for the message.
func judgeSky(err error) error {
	refused, ok := errors.AsType[*xrpcError](err)
	if !ok {
		return err
	}
	switch code := refused.code; {
	case code == http.StatusTooManyRequests:
		return RetryAfter{At: refused.reset, After: time.Minute, Err: refused}
	case code >= 500 || code == http.StatusRequestTimeout:
		return refused
	case code == http.StatusUnauthorized || code == http.StatusForbidden || strings.HasPrefix(refused.Name, "Account"):
		return Permanent{Reason: "the account or its app password is no longer good: make a new one under Settings, Privacy and security, App passwords", Err: refused}
	}
	return Permanent{Reason: "the message is refused", Err: refused}
}

// call makes one request. token may be empty, body and into nil.
func (b *bluesky) call(ctx context.Context, method, nsid, token string, body, into any) error {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, b.server+"/xrpc/"+nsid, sent)
	if err != nil {
		return withoutURL(err)
	}
	req.Header.Set("User-Agent", "statusbridge")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return fmt.Errorf("reach %s: %w", req.URL.Host, withoutURL(err))
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 256<<10))
	if err != nil {
		return fmt.Errorf("reach %s: %w", req.URL.Host, withoutURL(err))
	}
	if resp.StatusCode >= 300 {
		refused := &xrpcError{code: resp.StatusCode}
		_ = json.Unmarshal(said, refused) // a proxy answers with a page
		if at, err := strconv.ParseInt(resp.Header.Get("RateLimit-Reset"), 10, 64); err == nil {
			refused.reset = time.Unix(at, 0)
		}
		return refused
	}
	if err := json.Unmarshal(said, into); err != nil {
		return fmt.Errorf("the answer of %s is no JSON: %w", req.URL.Host, err)
	}
	return nil
}

// skyRuler counts as app.bsky.feed.post does: 300 characters as people see
// them, and 3000 bytes, which only piled-up accents reach.
var skyRuler = ruler{300, func(text string) int {
	return max(uniseg.GraphemeClusterCount(text), (len(text)+9)/10)
}}

// skyPost is the record of a post. A link is no link by itself: a facet makes it
// one, which counts in bytes (https://docs.bsky.app/docs/advanced-guides/post-richtext).
// So the text shows a short one.
func skyPost(m Message) map[string]any {
	shown := ""
	if m.Link != "" && m.Root == "" {
		_, shown, _ = strings.Cut(m.Link, "://")
		shown, _, _ = strings.Cut(shown, "#")
		shown = cutTo(shown, 60)
	}
	tail := ""
	if shown != "" {
		tail = " " + shown
	}
	text := write(m, plain(m.Body), tail, skyRuler)
	out := map[string]any{"$type": skyPosts, "text": text, "langs": []string{"en"}, "createdAt": skyTime(m).UTC().Format("2006-01-02T15:04:05.000Z")}
	if shown != "" {
		out["facets"] = []any{map[string]any{
			"$type":    "app.bsky.richtext.facet",
			"index":    map[string]int{"byteStart": strings.LastIndexByte(text, ' ') + 1, "byteEnd": len(text)},
			"features": []any{map[string]string{"$type": "app.bsky.richtext.facet#link", "uri": m.Link}},
		}}
	}
	return out
}

// skyTime is the same for every attempt.
func skyTime(m Message) time.Time {
	if m.Queued.IsZero() {
		return m.Now
	}
	return m.Queued
}

// skyKey is the key of the post's record, a TID (https://atproto.com/specs/tid):
// 53 bits of microseconds and 10 of chance. What is finer than the time of the
// delivery follows from its name.
func skyKey(m Message) string {
	sum := sha256.Sum256([]byte(m.DeliveryID))
	chance := binary.BigEndian.Uint64(sum[:])
	value := (uint64(skyTime(m).UnixMilli())*1000+chance%1000)<<10 | chance>>54
	const alphabet = "234567abcdefghijklmnopqrstuvwxyz"
	var key [13]byte
	for i := len(key) - 1; i >= 0; i-- {
		key[i] = alphabet[value&31]
		value >>= 5
	}
	return string(key[:])
}
