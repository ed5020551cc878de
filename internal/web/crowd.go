package web

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// crowdListener lets no address hold more than most connections, so that one
// client cannot take the descriptors and the memory that all need. It counts
// connections, not requests: behind a trusted proxy they are the proxy's own,
// which are not counted (let the proxy limit its clients), nor are those of
// this machine.
type crowdListener struct {
	net.Listener
	most    int // 0: any number
	trusted []netip.Prefix
	clock   Clock
	log     *slog.Logger
	refused *atomic.Int64
	told    *limiter // how often the log says so

	mu   sync.Mutex
	held map[string]int // by address, or /64 of IPv6
}

func newCrowdListener(ln net.Listener, s *Server) *crowdListener {
	return &crowdListener{
		Listener: ln, most: s.cfg.ConnectionsPerAddress, trusted: s.cfg.TrustedProxies, clock: s.clock, log: s.log,
		refused: &s.refused, told: newLimiter(1, time.Minute), held: map[string]int{},
	}
}

// tooMany is all that is said to a connection beyond the limit; nothing it sends
// is read.
const tooMany = "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 20\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 39\r\n\r\nToo many connections from your address\n"

func (l *crowdListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.most == 0 {
			return conn, err
		}
		from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
		addr := from.Addr().Unmap()
		if err != nil || addr.IsLoopback() || isTrusted(addr, l.trusted) {
			return conn, nil
		}
		key := addrKey(addr)
		if l.enter(key) {
			return &heldConn{Conn: conn, leave: sync.OnceFunc(func() { l.leave(key) })}, nil
		}
		l.refused.Add(1)
		if l.told.allow("", l.clock.Now()) {
			l.log.Warn("connections refused: the address holds as many as it may", "address", key, "limit", l.most,
				"advice", "if it is your proxy, name it in proxy.trusted; else see limits.connections_per_address")
		}
		_, _ = conn.Write([]byte(tooMany)) // who does not read it learns it from the close
		_ = conn.Close()
	}
}

func (l *crowdListener) enter(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[key] >= l.most {
		return false
	}
	l.held[key]++
	return true
}

func (l *crowdListener) leave(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[key]--; l.held[key] <= 0 {
		delete(l.held, key)
	}
}

// heldConn is a connection that says when it is gone.
type heldConn struct {
	net.Conn
	leave func()
}

func (c *heldConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
