package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/molecule-man/go-brrr"
)

// Doc is one public document, ready to send. It never changes: nobody may
// write to its bytes.
type Doc struct {
	Status       int
	ContentType  string
	CacheControl string
	ETag         string // strong, quoted, of the content
	LastModified time.Time
	Raw          []byte
	Gzip         []byte // nil when it would not be smaller
	Brotli       []byte // nil when it would not be smaller
	Header       [][2]string

	packed bool // all forms were tried; Brotli takes its time
	kept   atomic.Value
}

// Once is what first made of this document when it was asked for the first time.
// A server keeps there what it needs again each time that it sends the document.
func (d *Doc) Once(first func(*Doc) any) any {
	if kept := d.kept.Load(); kept != nil {
		return kept
	}
	d.kept.CompareAndSwap(nil, first(d))
	return d.kept.Load()
}

// A kind is what documents of one sort have in common.
type kind struct {
	contentType  string
	cacheControl string
	header       [][2]string
}

const (
	pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	// A page that other sites may show in a frame.
	framedPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'none'; base-uri 'none'; frame-ancestors *"
	dataPolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"

	// For a quarter of a minute caches answer alone; then they may answer once
	// more while they ask, and for a day when nobody answers them.
	soon    = "public, max-age=15, stale-while-revalidate=30, stale-if-error=86400"
	later   = "public, max-age=60, stale-while-revalidate=120, stale-if-error=86400"
	forever = "public, max-age=31536000, immutable"
	never   = "no-store"
)

var (
	varyHeader = [2]string{"Vary", "Accept-Encoding"}
	plainType  = [2]string{"X-Content-Type-Options", "nosniff"}

	pageHeader = [][2]string{
		varyHeader, plainType,
		{"Content-Security-Policy", pagePolicy},
		{"Referrer-Policy", "strict-origin-when-cross-origin"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"X-Frame-Options", "DENY"},
	}
	// Data is for everybody: feed readers, widgets and the banner on other sites.
	dataHeader = [][2]string{
		varyHeader, plainType,
		{"Content-Security-Policy", dataPolicy},
		{"Access-Control-Allow-Origin", "*"},
		{"Cross-Origin-Resource-Policy", "cross-origin"},
	}
	framedHeader = [][2]string{
		varyHeader, plainType,
		{"Content-Security-Policy", framedPolicy},
		{"Referrer-Policy", "strict-origin-when-cross-origin"},
		{"Access-Control-Allow-Origin", "*"},
		{"Cross-Origin-Resource-Policy", "cross-origin"},
	}
	// In a sandboxed frame our own files come from elsewhere.
	sharedHeader = [][2]string{
		varyHeader, plainType,
		{"Content-Security-Policy", dataPolicy},
		{"Cross-Origin-Resource-Policy", "cross-origin"},
	}
	assetHeader = [][2]string{
		varyHeader, plainType,
		{"Content-Security-Policy", dataPolicy},
		{"Cross-Origin-Resource-Policy", "same-origin"},
	}
)

var (
	htmlKind = kind{"text/html; charset=utf-8", soon, pageHeader}
	oldKind  = kind{"text/html; charset=utf-8", later, pageHeader} // what hardly changes any more
	downKind = kind{"text/html; charset=utf-8", never, append([][2]string{{"Retry-After", "30"}}, pageHeader...)}
	jsonKind = kind{"application/json; charset=utf-8", soon, dataHeader}
	rssKind  = kind{"application/rss+xml; charset=utf-8", later, dataHeader}
	atomKind = kind{"application/atom+xml; charset=utf-8", later, dataHeader}
	// JSON Feed 1.1 names this type; the calendar's is of RFC 5545.
	jsonFeedKind = kind{"application/feed+json; charset=utf-8", later, dataHeader}
	calendarKind = kind{"text/calendar; charset=utf-8", later, dataHeader}
	sitemapKind  = kind{"application/xml; charset=utf-8", later, assetHeader}
	badgeKind    = kind{"image/svg+xml; charset=utf-8", soon, dataHeader}
	cardKind     = kind{"image/png", soon, dataHeader}
	bannerKind   = kind{"text/javascript; charset=utf-8", soon, dataHeader}
	frozenKind   = kind{"text/javascript; charset=utf-8", forever, dataHeader}
	framedKind   = kind{"text/html; charset=utf-8", soon, framedHeader}
	textKind     = kind{"text/plain; charset=utf-8", later, assetHeader}
	iconKind     = kind{"image/svg+xml", soon, assetHeader}
	cssKind      = kind{"text/css; charset=utf-8", forever, sharedHeader}
	scriptKind   = kind{"text/javascript; charset=utf-8", forever, sharedHeader}
)

// versionMark stands in a page where its own version will: the version is the
// hash of the page, which cannot hold its own hash. It is in the first line,
// before anything an attacker could write.
const versionMark = "@version-of-it-@" // as long as a version

// A shelf collects the documents of a site. A document whose content is the
// same as before is kept whole, with its date, and not compressed again.
type shelf struct {
	docs   map[string]*Doc
	leaves map[string]leaf
	old    *site
	now    time.Time
	hasty  bool        // the past may wait
	wanted func() bool // what is made: otherwise it may stay unfinished
	plain  bool        // nothing is compressed
}

// shelf makes an empty shelf that follows an old site. Of one that knows
// nothing, nothing is taken over.
func (p *press) shelf(old *site, now time.Time) *shelf {
	s := &shelf{docs: map[string]*Doc{}, leaves: map[string]leaf{}, old: old, now: now, wanted: always, plain: p.cfg.Uncompressed}
	if old == nil {
		s.old = &site{}
	}
	return s
}

func always() bool { return true }

// put adds a document under its path.
func (s *shelf) put(path string, k kind, raw []byte) *Doc { return s.putStatus(200, path, k, raw) }

func (s *shelf) putStatus(status int, path string, k kind, raw []byte) *Doc {
	doc, tag := s.old.docs[path], entityTag(raw)
	if doc == nil || doc.ETag != tag || doc.Status != status || doc.CacheControl != k.cacheControl {
		doc = newDoc(status, k, raw, tag, s.now)
		if doc.packed = s.plain; !s.plain {
			doc.Gzip = compressed(&quickWriters, doc.Raw, always)
		}
	}
	s.docs[path] = doc
	return doc
}

// sizeOf is how long the document was on the old site, 0 if it was not there.
func (s *shelf) sizeOf(path string) int {
	if doc := s.old.docs[path]; doc != nil {
		return len(doc.Raw)
	}
	return 0
}

// newDoc makes a document of bytes that are its own from then on, with its version and
// its tag, not compressed yet. A quick gzip is done in no time; for the rest see pack.
func newDoc(status int, k kind, raw []byte, tag string, at time.Time) *Doc {
	doc := &Doc{
		Status: status, ContentType: k.contentType, CacheControl: k.cacheControl, Header: k.header,
		ETag: tag, LastModified: at.UTC().Truncate(time.Second),
		Raw: raw,
	}
	if at := bytes.Index(raw, []byte(versionMark)); at >= 0 {
		copy(raw[at:], doc.version())
	}
	return doc
}

func gzipped(raw []byte, wanted func() bool) []byte {
	if len(raw) > stride {
		return compressed(&longWriters, raw, wanted)
	}
	return compressed(&gzipWriters, raw, wanted)
}

// pack is the document with all its forms, as small as is worth the time; nil when
// they were not wanted any more before they were done.
func (d *Doc) pack(wanted func() bool) *Doc {
	whole := &Doc{
		Status: d.Status, ContentType: d.ContentType, CacheControl: d.CacheControl, Header: d.Header,
		ETag: d.ETag, LastModified: d.LastModified, Raw: d.Raw, packed: true,
	}
	whole.Gzip, whole.Brotli = gzipped(d.Raw, wanted), compressed(&brotliWriters, d.Raw, wanted)
	if !wanted() && (whole.Gzip == nil || whole.Brotli == nil) {
		return nil
	}
	return whole
}

// Version is what the ETag quotes.
func (d *Doc) version() string { return d.ETag[len(`W/"`) : len(d.ETag)-1] }

// entityTag is weak: it is the same for all codings, whose bytes differ (RFC 9110,
// 8.8.3.3).
func entityTag(raw []byte) string { return `W/"` + checksum(raw) + `"` }

// checksum names content: 96 bits are plenty against accidents.
func checksum(raw []byte) string {
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// The writers are large and used again.
var (
	quickWriters = gzipPool(gzip.BestSpeed)
	gzipWriters  = gzipPool(gzip.BestCompression)
	// Of a long page, level 9 saves 8 per cent more and takes 20 times as long.
	longWriters = gzipPool(6)
	// Level 5: level 11 saves a few per cent more and takes a hundred times as long.
	// A window of 256 kB holds all but the longest pages; the usual one of 4 MB
	// would make each writer 8 MB larger for nothing.
	brotliWriters = sync.Pool{New: func() any {
		w, _ := brrr.NewWriterOptions(nil, 5, brrr.WriterOptions{LGWin: 18}) // the options are valid
		return w
	}}
)

func gzipPool(level int) sync.Pool {
	return sync.Pool{New: func() any {
		w, _ := gzip.NewWriterLevel(nil, level) // the level is valid
		return w
	}}
}

// stride is how much is compressed before anybody asks whether it is still
// wanted: some hundred microseconds.
const stride = 32 << 10

// rooms are where documents are compressed to.
var rooms = sync.Pool{New: func() any { return new(bytes.Buffer) }}

type packer interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// compressed compresses with a writer of the pool: to nil when it would not be
// smaller, or is not wanted any more.
func compressed(pool *sync.Pool, raw []byte, wanted func() bool) []byte {
	b := rooms.Get().(*bytes.Buffer)
	defer rooms.Put(b)
	b.Reset()
	w := pool.Get().(packer)
	defer pool.Put(w)
	w.Reset(b)
	for part := range slices.Chunk(raw, stride) {
		if !wanted() {
			return nil
		}
		_, _ = w.Write(part) // a buffer takes all
	}
	_ = w.Close()
	if b.Len() >= len(raw) {
		return nil
	}
	return bytes.Clone(b.Bytes()) // the room is used again
}
