package alerts

import (
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
	young, old map[alertBytes]alertmanagerSaid
	weight     int // bytes of the young
}

// alertBytes stand for an alert's JSON text.
type alertBytes [sha256.Size]byte

// knownLimit bounds the JSON text of the alerts of one generation, in bytes:
// some 16,000 alerts.
const knownLimit = 8 << 20

// look returns what is known of the alerts, in their order; the zero value
// stands for what is not.
func (k *knownAlerts) look(keys []alertBytes) []alertmanagerSaid {
	all := make([]alertmanagerSaid, len(keys))
	if k == nil {
		return all
	}
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
func (k *knownAlerts) learn(key alertBytes, said alertmanagerSaid) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keep(key, said)
}

// keep adds to the young; when they are too many they grow old, and those that
// nobody asked for since the last time are forgotten.
func (k *knownAlerts) keep(key alertBytes, said alertmanagerSaid) {
	if k.weight += said.size; k.weight > knownLimit || k.young == nil {
		k.old, k.young, k.weight = k.young, map[alertBytes]alertmanagerSaid{}, said.size
	}
	k.young[key] = said
}
