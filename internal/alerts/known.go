package alerts

import (
	"bytes"
	"crypto/sha256"
	"sync"
)

// knownAlerts remembers what alerts of Alertmanager say by the bytes that said
// it: a message repeats its whole group, and all but a few of its alerts are
// what they were in the message before. It is a help, not a promise. Nil knows
// nothing.
//
// What it gives is shared: facts made of it, and the signals made of those,
// have the same maps, which nobody writes to.
type knownAlerts struct {
	mu         sync.Mutex
	young, old map[alertBytes]*alertmanagerSaid
	weight     int // bytes of the young
}

// alertBytes stand for an alert's JSON text.
type alertBytes [sha256.Size]byte

// knownLimit bounds the JSON text of the alerts of one generation, in bytes:
// some 16,000 alerts.
const knownLimit = 8 << 20

// look returns what is known of the alerts in a body, in their order; nil
// stands for what is not.
func (k *knownAlerts) look(body []byte, spans []span) []*alertmanagerSaid {
	keys := make([]alertBytes, len(spans))
	for i, s := range spans {
		keys[i] = sha256.Sum256(body[s.from:s.to])
	}
	all := make([]*alertmanagerSaid, len(spans))
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, key := range keys {
		said, ok := k.young[key]
		if !ok {
			if said, ok = k.old[key]; ok {
				k.keep(key, said)
			}
		}
		all[i] = said
	}
	return all
}

// learn keeps what an alert says.
func (k *knownAlerts) learn(text []byte, said *alertmanagerSaid) {
	if k == nil {
		return
	}
	key := alertBytes(sha256.Sum256(text))
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keep(key, said)
}

// keep adds to the young; when they are too many they grow old, and those that
// nobody asked for since the last time are forgotten.
func (k *knownAlerts) keep(key alertBytes, said *alertmanagerSaid) {
	if k.weight += said.size; k.weight > knownLimit || k.young == nil {
		k.old, k.young, k.weight = k.young, map[alertBytes]*alertmanagerSaid{}, said.size
	}
	k.young[key] = said
}

// span is a part of a body.
type span struct{ from, to int }

// alertSpans finds the objects in the list "alerts" of a message, without
// judging the rest: what it says of a body that is no valid JSON means nothing.
func alertSpans(body []byte) []span {
	const key = `"alerts"`
	var spans []span
	depth, from, inside := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			end := stringEnd(body, i)
			if depth == 1 && string(body[i:end]) == key {
				if list := listAfter(body, end); list > 0 {
					end, depth, inside = list, 2, true
				}
			}
			i = end - 1
		case '{', '[':
			if inside && depth == 2 {
				from = i
			}
			depth++
		case '}', ']':
			depth--
			switch {
			case inside && depth == 2:
				spans = append(spans, span{from, i + 1})
			case inside && depth == 1:
				return spans
			}
		}
	}
	return nil
}

// stringEnd is where the string that begins at from is over.
func stringEnd(body []byte, from int) int {
	for i := from + 1; ; {
		n := bytes.IndexByte(body[i:], '"')
		if n < 0 {
			return len(body)
		}
		i += n + 1
		escapes := 0
		for body[i-2-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i
		}
	}
}

// listAfter is where the list begins that is the value of a key which ends at i,
// 0 if the value is no list.
func listAfter(body []byte, i int) int {
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(body[i:], " \t\r\n"), []byte(":"))
	if rest = bytes.TrimLeft(rest, " \t\r\n"); !ok || !bytes.HasPrefix(rest, []byte("[")) {
		return 0
	}
	return len(body) - len(rest) + 1
}

// cut is the body with null in place of each alert that is known. Each of those
// was read before, byte for byte, so the body is a valid message when what
// remains of it is one.
func cut(body []byte, spans []span, said []*alertmanagerSaid) []byte {
	var rest []byte
	done := 0
	for n, s := range spans {
		if said[n] != nil {
			rest = append(append(rest, body[done:s.from]...), "null"...)
			done = s.to
		}
	}
	if done == 0 {
		return body
	}
	return append(rest, body[done:]...)
}
