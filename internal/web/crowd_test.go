package web_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/bubble"
	"github.com/statusbridge/statusbridge/internal/web"
)

// A town is a listener whose visitors come from any address.
type town struct {
	t     *testing.T
	doors chan net.Conn
}

func newTown(t *testing.T) *town { return &town{t, make(chan net.Conn)} }

func (l *town) Accept() (net.Conn, error) {
	conn, open := <-l.doors
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l *town) Close() error   { close(l.doors); return nil }
func (l *town) Addr() net.Addr { return &net.TCPAddr{} }

// a visitor is a connection that names its sender.
type visitor struct {
	net.Conn
	from net.Addr
}

func (v visitor) RemoteAddr() net.Addr { return v.from }

// visit connects from an address.
func (l *town) visit(from string) net.Conn {
	ours, theirs := net.Pipe()
	l.t.Cleanup(func() { _ = ours.Close() })
	l.doors <- visitor{theirs, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 4711))}
	return ours
}

// ask is the status of an answer on a connection that stays open, 0 for none.
func ask(t *testing.T, conn net.Conn) int {
	t.Helper()
	go func() { _, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n") }()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func TestAnAddressHoldsOnlySoManyConnections(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.ConnectionsPerAddress = 2 })
	l := newTown(t)
	s.serve(l)
	holds := func(from string, want ...int) (held []net.Conn) {
		t.Helper()
		for n, status := range want {
			conn := l.visit(from)
			held = append(held, conn)
			if got := ask(t, conn); got != status {
				t.Errorf("connection %d from %s is answered with %d, want %d", n+1, from, got, status)
			}
		}
		return held
	}
	held := holds("203.0.113.7", 200, 200, 429)
	holds("203.0.113.8", 200)
	holds("2001:db8::1", 200, 200)
	holds("2001:db8::ffff", 429) // the same /64
	holds("2001:db8:0:1::1", 200)
	holds("0.0.0.7", 200, 200, 200) // a trusted proxy
	holds("127.0.0.1", 200, 200, 200)
	if err := held[0].Close(); err != nil {
		t.Fatal(err)
	}
	for range 1000 { // the server notices when it reads
		conn := l.visit("203.0.113.7")
		if got := ask(t, conn); got == 200 {
			return
		}
	}
	t.Error("a connection that ended still counts")
}

// Slowloris: clients that send a byte now and then to hold a connection each.
// The clock of the bubble runs as soon as everybody waits.
func TestASlowClientIsHungUpOn(t *testing.T) {
	for name, c := range map[string]struct {
		begin, drip string
		within      time.Duration
		deaf        bool // reads nothing
	}{
		"never says a word":           {begin: "", drip: "", within: 6 * time.Second},
		"drips its header":            {begin: "GET / HTTP/1.1\r\nHost: " + host + "\r\n", drip: "X-A: b\r\n", within: 6 * time.Second},
		"drips its first line":        {begin: "", drip: "G", within: 6 * time.Second},
		"drips a form":                {begin: "POST /subscribe HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 1000\r\n\r\n", drip: "a", within: 6 * time.Second},
		"drips a webhook":             {begin: "POST /hooks/alertmanager HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer " + secret + "\r\nContent-Length: 1000\r\n\r\n", drip: "a", within: 31 * time.Second},
		"drips a webhook, a stranger": {begin: "POST /hooks/alertmanager HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 1000\r\n\r\n", drip: "a", within: 6 * time.Second},
		"idles after a page":          {begin: "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", drip: "", within: 21 * time.Second},
		"drips the second request":    {begin: "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", drip: "G", within: 26 * time.Second},
		"never reads the answer":      {begin: "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", drip: "G", within: 31 * time.Second, deaf: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			bubble.Test(t, func(t *testing.T) {
				l := newTown(t)
				served := make(chan error, 1)
				go func() { served <- s.server.Serve(l) }()
				conn, began := l.visit("203.0.113.7"), time.Now()
				if !c.deaf {
					go func() { _, _ = io.Copy(io.Discard, conn); _ = conn.Close() }()
				}
				_, err := io.WriteString(conn, c.begin)
				for err == nil && time.Since(began) < time.Minute {
					time.Sleep(500 * time.Millisecond)
					_, err = io.WriteString(conn, c.drip)
				}
				if took := time.Since(began); took > c.within {
					t.Errorf("the connection was held for %s", took)
				}
				if err := s.server.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				<-served
				time.Sleep(time.Minute) // its housekeeping sleeps on; nobody outside waits
			})
		})
	}
}
