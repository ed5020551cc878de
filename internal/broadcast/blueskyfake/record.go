package blueskyfake

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Record is a post as its schema has it:
// https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/feed/post.json
type Record struct {
	Type      string   `json:"$type"`
	Text      string   `json:"text"`
	CreatedAt string   `json:"createdAt"`
	Langs     []string `json:"langs"`
	Facets    []Facet  `json:"facets"`
	Reply     *Reply   `json:"reply"`
}

// Facet says what a part of the text is, counted in bytes of UTF-8.
type Facet struct {
	Index struct {
		ByteStart *int `json:"byteStart"`
		ByteEnd   *int `json:"byteEnd"`
	} `json:"index"`
	Features []struct {
		Type string `json:"$type"`
		URI  string `json:"uri"`
	} `json:"features"`
}

// Reply names what a post answers.
type Reply struct {
	Root   Ref `json:"root"`
	Parent Ref `json:"parent"`
}

// Ref is a version of a record.
type Ref struct {
	URI string `json:"uri"`
	CID string `json:"cid"`
}

var (
	tid      = regexp.MustCompile(`^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$`)
	datetime = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$`)
	langTag  = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]+)*$`)
)

// verify checks a record like the server, and beyond that what every reader of
// it does: a facet outside the text, or one that cuts a character, is shown as
// no link.
func (f *Fake) verify(raw json.RawMessage) (Record, error) {
	var r Record
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("invalid record: %w", err)
	}
	_, err := time.Parse(time.RFC3339Nano, r.CreatedAt)
	switch {
	case r.Type != "app.bsky.feed.post":
		return r, fmt.Errorf("invalid $type: %q", r.Type)
	case err != nil || !datetime.MatchString(r.CreatedAt):
		return r, fmt.Errorf("invalid app.bsky.feed.post record: Record/createdAt must be an valid atproto datetime (got %q)", r.CreatedAt)
	case uniseg.GraphemeClusterCount(r.Text) > 300:
		return r, fmt.Errorf("invalid app.bsky.feed.post record: Record/text must not be longer than 300 graphemes")
	case len(r.Text) > 3000:
		return r, fmt.Errorf("invalid app.bsky.feed.post record: Record/text must not be longer than 3000 characters")
	case len(r.Langs) > 3:
		return r, fmt.Errorf("invalid app.bsky.feed.post record: Record/langs must not have more than 3 elements")
	}
	for _, tag := range r.Langs {
		if !langTag.MatchString(tag) {
			return r, fmt.Errorf("invalid app.bsky.feed.post record: Record/langs must be a well-formed language tag (got %q)", tag)
		}
	}
	for _, facet := range r.Facets {
		if err := facet.verify(r.Text); err != nil {
			return r, err
		}
	}
	if r.Reply != nil {
		for name, ref := range map[string]Ref{"root": r.Reply.Root, "parent": r.Reply.Parent} {
			if at := f.at(ref.URI); at < 0 || f.posts[at].CID != ref.CID {
				return r, fmt.Errorf("invalid app.bsky.feed.post record: Record/reply/%s names no post: %+v", name, ref)
			}
		}
	}
	return r, nil
}

func (f Facet) verify(text string) error {
	from, to := f.Index.ByteStart, f.Index.ByteEnd
	switch {
	case from == nil || to == nil:
		return fmt.Errorf("invalid app.bsky.feed.post record: Record/facets/index must have the properties byteStart and byteEnd")
	case *from < 0 || *to <= *from || *to > len(text) || !utf8.ValidString(text[*from:*to]):
		return fmt.Errorf("facet of bytes %d to %d of %d is none", *from, *to, len(text))
	case len(f.Features) == 0:
		return fmt.Errorf("invalid app.bsky.feed.post record: Record/facets/features must have a feature")
	}
	for _, feature := range f.Features {
		u, err := url.Parse(feature.URI)
		if feature.Type != "app.bsky.richtext.facet#link" || err != nil || u.Host == "" {
			return fmt.Errorf("feature %+v is no link", feature)
		}
	}
	return nil
}

// Links are what a reader sees as links: the text, and where it leads.
func (r Record) Links() map[string]string {
	out := map[string]string{}
	for _, facet := range r.Facets {
		out[r.Text[*facet.Index.ByteStart:*facet.Index.ByteEnd]] = facet.Features[0].URI
	}
	return out
}

// cidOf is a CID (version 1, dag-cbor, sha2-256) of what was sent. The real one
// is of its CBOR; it is a name here, nobody can compute it.
func cidOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "b" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(append([]byte{1, 0x71, 0x12, 32}, sum[:]...)))
}
