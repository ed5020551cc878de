package web

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// countingConn counts how often a deadline is set.
type countingConn struct {
	net.Conn
	set int
}

func (c *countingConn) SetReadDeadline(t time.Time) error { c.set++; return c.Conn.SetReadDeadline(t) }

func TestADeadlineIsMovedOnlyWhenTheOldOneIsNoLongerGoodEnough(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	under := &countingConn{Conn: near}
	conn := &unhurriedConn{Conn: under}
	go func() {
		for {
			if _, err := far.Write([]byte("x")); err != nil {
				return
			}
		}
	}()
	read := func(deadline time.Time) error {
		_ = conn.SetReadDeadline(deadline)
		_, err := conn.Read(make([]byte, 1))
		return err
	}
	start := time.Now().Add(time.Hour)
	for n := range 1000 { // requests within a second
		if err := read(start.Add(time.Duration(n) * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	if under.set != 1 {
		t.Errorf("set %d times within the slack, want once", under.set)
	}
	if err := read(start.Add(2 * time.Second)); err != nil || under.set != 2 {
		t.Errorf("set %d times (%v), want anew when it would strike too early", under.set, err)
	}
	if err := read(start.Add(time.Second)); err != nil || under.set != 3 {
		t.Errorf("set %d times (%v), want anew when it would strike too late", under.set, err)
	}
	if err := read(time.Time{}); err != nil || under.set != 4 {
		t.Errorf("set %d times (%v), want none any more", under.set, err)
	}
	if err := read(time.Now().Add(-time.Second)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading beyond the deadline: %v", err)
	}
}
