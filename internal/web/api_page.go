package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/statusbridge/statusbridge/internal/store"
)

// list is a page of a list.
type list[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"` // address of the page that follows
}

const (
	pageDefault = 50
	pageMost    = 200
)

// limit is how many the caller wants on a page.
func (c *call) limit() (int, error) {
	text := c.Query("limit")
	if text == "" {
		return pageDefault, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > pageMost {
		return 0, badParameter("limit", "is not a number from 1 to "+itoa(pageMost))
	}
	return n, nil
}

// cursor is the last one of the page before, as parts that the list knows.
func (c *call) cursor(parts int) ([]string, error) {
	text := c.Query("cursor")
	if text == "" {
		return make([]string, parts), nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(text)
	found := strings.Split(string(plain), "\x00")
	if err != nil || len(found) != parts {
		return nil, badParameter("cursor", "is not one of ours; take the address in next as it is")
	}
	return found, nil
}

// place is the cursor of lists by time.
func (c *call) place() (store.Place, error) {
	parts, err := c.cursor(2)
	if err != nil || parts[1] == "" {
		return store.Place{}, err
	}
	ms, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return store.Place{}, badParameter("cursor", "is not one of ours; take the address in next as it is")
	}
	return store.Place{At: time.UnixMilli(ms), ID: parts[1]}, nil
}

// page is what a list by time is asked for: how many, after which.
func (c *call) page() (limit int, after store.Place, err error) {
	if limit, err = c.limit(); err != nil {
		return 0, after, err
	}
	after, err = c.place()
	return limit, after, err
}

// byTime are the parts of the cursor behind something.
func byTime(at time.Time, id string) []string {
	return []string{strconv.FormatInt(at.UnixMilli(), 10), id}
}

// paged answers with a page of what was found, which is one more than the limit
// when there is another page.
func paged[T, V any](c *call, found []T, limit int, show func(T) V, parts func(T) []string) reply {
	page := list[V]{Items: []V{}}
	r := reply{}
	if len(found) > limit {
		found = found[:limit]
		query := url.Values{}
		for name, value := range c.Queries() {
			query.Set(name, value)
		}
		query.Set("cursor", base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts(found[limit-1]), "\x00"))))
		r.next = c.Path() + "?" + query.Encode()
		page.Next = &r.next
	}
	for _, v := range found {
		page.Items = append(page.Items, show(v))
	}
	r.body = page
	return r
}

// one answers with a single thing, its components named as on the page.
func one[T, V any](s *Server, c *call, id string, find func(context.Context, string) (T, error), show func(directory) func(T) V) (reply, error) {
	found, err := find(c.UserContext(), id)
	if err != nil {
		return reply{}, err
	}
	d, err := s.directory(c.UserContext())
	if err != nil {
		return reply{}, err
	}
	return versioned(show(d)(found))
}

// versioned answers with the version that a thing has, or, when nobody counts
// its versions, with a number made from all that is shown of it.
func versioned(shown any) (reply, error) {
	if v, ok := shown.(interface{ version() int64 }); ok {
		return reply{body: shown, version: v.version()}, nil
	}
	text, err := json.Marshal(shown, json.Deterministic(true))
	if err != nil {
		return reply{}, err
	}
	sum := sha256.Sum256(text)
	return reply{body: shown, version: int64(binary.BigEndian.Uint64(sum[:8])>>1 | 1)}, nil
}

// everything answers with a list that has one page.
func everything[T, V any](found []T, show func(T) V) reply {
	page := list[V]{Items: []V{}}
	for _, v := range found {
		page.Items = append(page.Items, show(v))
	}
	return reply{body: page}
}
