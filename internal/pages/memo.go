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

// keep has the edition that follows remember what is remembered of a key.
func (m *memo[K, V]) keep(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.before[key]; ok {
		m.now[key] = v
	}
}

// get returns what is remembered, or makes it. Two callers may both make it.
func (m *memo[K, V]) get(key K, produce func() V) V {
	m.mu.Lock()
	v, ok := m.now[key]
	if !ok {
		if v, ok = m.before[key]; ok {
			m.now[key] = v
		}
	}
	m.mu.Unlock()
	if ok {
		return v
	}
	v = produce()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now[key] = v
	return v
}
