package alerts

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/statusbridge/statusbridge/internal/status"
)

// journal keeps deliveries on the local disk while the database does not
// answer. It is a row of segments, each a file of records, written to one end
// and drained from the other.
//
//	segment  "sbj1", a random salt (8 bytes), records
//	record   the salt's first half (4), length (4), CRC-32C (4), payload
//
// The CRC covers the salt, the length and the payload. The salt keeps a body
// from containing what looks like a record. Nothing is ever appended to a
// segment that an earlier process wrote, so a torn end needs no repair.
type journal struct {
	dir   string
	limit int64 // bytes on disk
	log   *slog.Logger

	mu       sync.Mutex // guards the queue
	queue    []*entry
	flushing bool

	writing sync.Mutex // guards the segment that is written
	active  *segment
	next    uint64 // number of the next segment

	draining sync.Mutex // guards the cursor
	cursor   cursor

	depth   atomic.Int64 // records that wait
	size    atomic.Int64 // bytes on disk, and about to be
	damaged atomic.Int64 // records found unreadable
}

// entry is a record on its way to the disk.
type entry struct {
	payload []byte
	done    chan error
}

// segment is a file that is written to.
type segment struct {
	f    *os.File
	salt [8]byte
	size int64
}

const (
	segmentMagic  = "sbj1"
	segmentHeader = int64(len(segmentMagic) + 8)
	recordHeader  = 12
	// maxRecord bounds what a length may say, so that a damaged one is noticed.
	maxRecord = 256 << 20
	// segmentSize is when a new segment is begun: a whole one is read at once.
	segmentSize = 8 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errJournalFull = errors.New("the journal is full")

// openJournal counts what waits in the directory, creating it if need be.
func openJournal(dir string, limit int64, log *slog.Logger) (*journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("journal directory: %w", err)
	}
	j := &journal{dir: dir, limit: limit, log: log, next: 1}
	names, err := j.segments()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		j.depth.Add(int64(len(readSegment(data).hooks)))
		j.size.Add(int64(len(data)))
		j.next = max(j.next, segmentNumber(name)+1)
	}
	return j, nil
}

// segments lists the files of the journal, the oldest first.
func (j *journal) segments() ([]string, error) {
	files, err := os.ReadDir(j.dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var names []string
	for _, f := range files {
		if segmentNumber(f.Name()) > 0 {
			names = append(names, f.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func segmentName(n uint64) string { return fmt.Sprintf("%020d.journal", n) }

// segmentNumber is 0 for files that are no segments.
func segmentNumber(name string) uint64 {
	digits, ok := strings.CutSuffix(name, ".journal")
	n, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil || len(digits) != 20 {
		return 0
	}
	return n
}

// append returns when the delivery is on the disk. Callers that come together
// share one fsync.
func (j *journal) append(w status.Webhook) error {
	e := &entry{payload: encodeWebhook(w), done: make(chan error, 1)}
	need := int64(recordHeader + len(e.payload))
	if len(e.payload) > maxRecord {
		return fmt.Errorf("a delivery of %d bytes is too large for the journal", len(e.payload))
	}
	if j.size.Add(need) > j.limit {
		j.size.Add(-need)
		return errJournalFull
	}
	j.mu.Lock()
	j.queue = append(j.queue, e)
	if !j.flushing {
		j.flushing = true
		go j.flush()
	}
	j.mu.Unlock()
	err := <-e.done
	if err != nil {
		j.size.Add(-need)
	}
	return err
}

// flush writes what is queued until nothing is.
func (j *journal) flush() {
	for {
		j.mu.Lock()
		batch := j.queue
		j.queue = nil
		if len(batch) == 0 {
			j.flushing = false
			j.mu.Unlock()
			return
		}
		j.mu.Unlock()
		err := j.write(batch)
		for _, e := range batch {
			e.done <- err
		}
	}
}

func (j *journal) write(batch []*entry) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.active == nil {
		s, err := j.begin()
		if err != nil {
			return err
		}
		j.active = s
	}
	s := j.active
	var buf []byte
	for _, e := range batch {
		buf = appendRecord(buf, s.salt, e.payload)
	}
	if _, err := s.f.Write(buf); err != nil {
		return j.abandon(fmt.Errorf("journal: %w", err))
	}
	if err := s.f.Sync(); err != nil {
		return j.abandon(fmt.Errorf("journal: %w", err))
	}
	s.size += int64(len(buf))
	j.depth.Add(int64(len(batch)))
	if s.size >= segmentSize {
		j.end()
	}
	return nil
}

// begin creates the next segment, and makes sure that its name survives too.
func (j *journal) begin() (*segment, error) {
	s := &segment{size: segmentHeader}
	_, _ = rand.Read(s.salt[:]) // never fails, see its documentation
	path := filepath.Join(j.dir, segmentName(j.next))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		if errors.Is(err, os.ErrExist) {
			j.next++ // another process works here: try the next number the next time
		}
		return nil, fmt.Errorf("journal: %w", err)
	}
	j.next++
	s.f = f
	_, err = f.Write(append([]byte(segmentMagic), s.salt[:]...))
	if err == nil {
		err = syncDir(j.dir)
	}
	if err != nil {
		_ = f.Close()
		_ = os.Remove(path)
		return nil, fmt.Errorf("journal: %w", err)
	}
	j.size.Add(segmentHeader)
	return s, nil
}

// abandon ends a segment whose last write failed: what is on the disk of it is
// unknown, so it is cut off, and nothing is written behind it.
func (j *journal) abandon(err error) error {
	if cut := j.active.f.Truncate(j.active.size); cut != nil {
		j.log.Warn("journal segment could not be cut after a failed write", "err", cut)
	}
	j.end()
	return err
}

// end closes the segment; the next write begins another.
func (j *journal) end() {
	if j.active != nil {
		_ = j.active.f.Close()
		j.active = nil
	}
}

// seal makes sure that all records are in segments that nobody writes to:
// those with a lower number than it returns.
func (j *journal) seal() uint64 {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.end()
	return j.next
}

// sealed is the number below which nobody writes to the segments now.
func (j *journal) sealed() uint64 {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.active != nil {
		return j.next - 1
	}
	return j.next
}

func appendRecord(buf []byte, salt [8]byte, payload []byte) []byte {
	var head [recordHeader]byte
	copy(head[:4], salt[:4])
	binary.LittleEndian.PutUint32(head[4:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(head[8:], checksum(salt, head[4:8], payload))
	return append(append(buf, head[:]...), payload...)
}

func checksum(salt [8]byte, length, payload []byte) uint32 {
	sum := crc32.Update(0, castagnoli, salt[:])
	sum = crc32.Update(sum, castagnoli, length)
	return crc32.Update(sum, castagnoli, payload)
}

// syncDir makes the creation or removal of files in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
