package pages

import "sync"

// A memo remembers what was made for one edition and for the one before it, so
// that an edition makes only what differs, and nothing is remembered for ever.
type memo[K comparable, V any] struct {
	mu          sync.Mutex
	now, before map[K]V
}

func newMemo[K comparable, V any]() *memo[K, V] { return &memo[K, V]{now: map[K]V{}} }

// next is the memo of the edition that follows.
func (m *memo[K, V]) next() *memo[K, V] {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.now
	if len(before) == 0 {
		before = m.before // nothing was rendered from it
	}
	m.now, m.before = map[K]V{}, before // whoever still uses it starts anew
	return &memo[K, V]{now: map[K]V{}, before: before}
}

// keep returns what is remembered, if anything is, and has the edition that follows
// remember it, too.
func (m *memo[K, V]) keep(key K) (v V, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, known = m.now[key]; known {
		return v, true
	}
	if v, known = m.before[key]; known {
		m.now[key] = v
	}
	return v, known
}

// get returns what is remembered, or makes it. Two callers may both make it.
func (m *memo[K, V]) get(key K, produce func() V) V {
	if v, known := m.keep(key); known {
		return v
	}
	v := produce()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now[key] = v
	return v
}
