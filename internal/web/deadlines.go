package web

import (
	"net"
	"sync/atomic"
	"time"
)

// deadlineSlack is how much earlier than it was set a deadline may strike.
const deadlineSlack = time.Second

// unhurriedListener gives connections that set a deadline only when it matters.
// fasthttp moves them three times for each request, each time a timer of the
// runtime; the one for reading a request that has come whole is never needed.
type unhurriedListener struct{ net.Listener }

func (l unhurriedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &unhurriedConn{Conn: conn}, nil
}

type unhurriedConn struct {
	net.Conn
	read, write deadline
}

// deadline is one that is wanted, and the one that is set.
type deadline struct{ wanted, set atomic.Int64 } // Unix nanoseconds, 0: none

// due reports the deadline to set before waiting, if that of before is no longer
// good enough: it is later than wanted, or more than the slack earlier.
func (d *deadline) due() (at time.Time, must bool) {
	wanted, set := d.wanted.Load(), d.set.Load()
	if wanted == set || wanted != 0 && set != 0 && set < wanted && wanted-set <= int64(deadlineSlack) {
		return time.Time{}, false
	}
	d.set.Store(wanted)
	if wanted == 0 {
		return time.Time{}, true
	}
	return time.Unix(0, wanted), true
}

func (d *deadline) want(at time.Time) {
	if at.IsZero() {
		d.wanted.Store(0)
		return
	}
	d.wanted.Store(at.UnixNano())
}

func (c *unhurriedConn) Read(b []byte) (int, error) {
	if at, must := c.read.due(); must {
		if err := c.Conn.SetReadDeadline(at); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(b)
}

func (c *unhurriedConn) Write(b []byte) (int, error) {
	if at, must := c.write.due(); must {
		if err := c.Conn.SetWriteDeadline(at); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(b)
}

// SetReadDeadline says until when the next Read may take. One that is under way
// keeps the deadline it has.
func (c *unhurriedConn) SetReadDeadline(t time.Time) error { c.read.want(t); return nil }

// SetWriteDeadline says until when the next Write may take.
func (c *unhurriedConn) SetWriteDeadline(t time.Time) error { c.write.want(t); return nil }

// SetDeadline is both.
func (c *unhurriedConn) SetDeadline(t time.Time) error {
	c.read.want(t)
	c.write.want(t)
	return nil
}
