package alerts

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// cursor is how far a segment was drained by this process. It is not kept on
// disk: after a restart a segment is drained again, and the inbox knows the ids
// it has.
type cursor struct {
	name  string
	saved int
}

// drainWindow is how many records are handed over at a time.
const drainWindow = 32

// drain hands over what was in the journal when it began, the oldest first, and
// forgets a segment once all of it was taken. It stops at the first error and
// goes on there the next time.
func (j *journal) drain(ctx context.Context, save func(context.Context, []status.Webhook) error) error {
	j.draining.Lock()
	defer j.draining.Unlock()
	// The segment that is being written is closed only once the others are
	// gone: while the database is away it must not be cut into small ones.
	for _, before := range []func() uint64{j.sealed, j.seal} {
		if err := j.drainBefore(ctx, before(), save); err != nil {
			return err
		}
	}
	return j.settle()
}

// drainBefore drains the segments below a number.
func (j *journal) drainBefore(ctx context.Context, number uint64, save func(context.Context, []status.Webhook) error) error {
	names, err := j.segments()
	if err != nil {
		return err
	}
	for _, name := range names {
		if segmentNumber(name) >= number {
			break // it is being written, or was begun since
		}
		if err := j.drainSegment(ctx, name, save); err != nil {
			return err
		}
	}
	return nil
}

// settle sets the depth right when nothing is left. A failed write that could
// not be cut off may have left records that nobody counted.
func (j *journal) settle() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	names, err := j.segments()
	if err == nil && len(names) == 0 && j.active == nil {
		j.depth.Store(0)
	}
	return err
}

func (j *journal) drainSegment(ctx context.Context, name string, save func(context.Context, []status.Webhook) error) error {
	path := filepath.Join(j.dir, name)
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	got := readSegment(data)
	if j.cursor.name != name {
		j.cursor = cursor{name: name}
	}
	for j.cursor.saved < len(got.hooks) {
		if err := ctx.Err(); err != nil {
			return err
		}
		window := got.hooks[j.cursor.saved:min(j.cursor.saved+drainWindow, len(got.hooks))]
		if err := save(ctx, window); err != nil {
			return err
		}
		j.cursor.saved += len(window)
		j.depth.Add(-int64(len(window)))
	}
	return j.forget(path, got, int64(len(data)))
}

// forget removes a drained segment; a damaged one is kept aside for a person.
func (j *journal) forget(path string, got reading, size int64) error {
	var err error
	if got.torn {
		j.log.Warn("journal segment ends in the middle of a record that was never acknowledged", "file", path)
	}
	if got.damaged > 0 {
		j.damaged.Add(int64(got.damaged))
		j.log.Error("journal segment is damaged, it is kept aside", "file", path+".damaged", "records", got.damaged)
		err = os.Rename(path, path+".damaged")
	} else {
		err = os.Remove(path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("journal: %w", err)
	}
	j.size.Add(-size)
	return syncDir(j.dir)
}

// reading is what a segment holds.
type reading struct {
	hooks   []status.Webhook
	damaged int  // places where records were, and are no more
	torn    bool // ends in the middle of a record, which nobody acknowledged
}

// readSegment reads all records that are whole. Behind a damaged one it looks
// for the next that is whole.
func readSegment(data []byte) reading {
	var r reading
	if int64(len(data)) < segmentHeader {
		r.torn = len(data) > 0
		return r
	}
	if string(data[:len(segmentMagic)]) != segmentMagic {
		r.damaged = 1
		return r
	}
	salt := [8]byte(data[len(segmentMagic):segmentHeader])
	rest := data[segmentHeader:]
	for len(rest) > 0 {
		payload, whole, complete := readRecord(rest, salt)
		if whole {
			rest = rest[recordHeader+len(payload):]
			if w, err := decodeWebhook(payload); err == nil {
				r.hooks = append(r.hooks, w)
			} else {
				r.damaged++
			}
			continue
		}
		next := nextRecord(rest, salt)
		switch {
		case next > 0:
			r.damaged++
			rest = rest[next:]
		case complete:
			r.damaged++
			return r
		default:
			r.torn = true
			return r
		}
	}
	return r
}

// readRecord reads the record that data begins with. whole: its CRC is right.
// complete: all of its bytes seem to be there.
func readRecord(data []byte, salt [8]byte) (payload []byte, whole, complete bool) {
	if len(data) < recordHeader || !bytes.Equal(data[:4], salt[:4]) {
		return nil, false, len(data) >= recordHeader && !allZero(data)
	}
	size := binary.LittleEndian.Uint32(data[4:])
	if size > maxRecord || int(size) > len(data)-recordHeader {
		return nil, false, false
	}
	payload = data[recordHeader : recordHeader+int(size)]
	return payload, checksum(salt, data[4:8], payload) == binary.LittleEndian.Uint32(data[8:]), true
}

// allZero: a file may be longer than what was written when the power failed.
func allZero(data []byte) bool { return len(bytes.Trim(data, "\x00")) == 0 }

// nextRecord is where the next whole record begins behind a bad one, 0 if there
// is none.
func nextRecord(data []byte, salt [8]byte) int {
	for at := 1; at < len(data); at++ {
		i := bytes.Index(data[at:], salt[:4])
		if i < 0 {
			return 0
		}
		at += i
		if _, whole, _ := readRecord(data[at:], salt); whole {
			return at
		}
	}
	return 0
}

const payloadVersion = 1

func encodeWebhook(w status.Webhook) []byte {
	b := make([]byte, 0, len(w.Body)+len(w.ID)+len(w.Kind)+len(w.Source)+32)
	b = append(b, payloadVersion)
	for _, s := range []string{w.ID, w.Kind, w.Source} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.AppendVarint(b, w.ReceivedAt.UnixNano())
	return append(b, w.Body...)
}

var errPayload = errors.New("not a delivery")

func decodeWebhook(b []byte) (status.Webhook, error) {
	w := status.Webhook{State: status.WebhookPending}
	if len(b) == 0 || b[0] != payloadVersion {
		return w, errPayload
	}
	b = b[1:]
	for _, into := range []*string{&w.ID, &w.Kind, &w.Source} {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return w, errPayload
		}
		*into = string(b[n : n+int(size)])
		b = b[n+int(size):]
	}
	nanos, n := binary.Varint(b)
	if n <= 0 {
		return w, errPayload
	}
	w.ReceivedAt = time.Unix(0, nanos).UTC()
	w.Body = bytes.Clone(b[n:])
	return w, nil
}
