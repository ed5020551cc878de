package broadcast

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// defaultConnections is how many connections to the mail server are used at
// once. With a round trip of 20 ms, one carries at most 50 messages a second.
const defaultConnections = 16

// lines keeps connections while there is something to send. Each has a
// goroutine that takes parcels as they come.
type lines struct {
	relay relay
	most  int // lines open at once

	mu      sync.Mutex
	queue   []*parcel // on no line yet
	came    sync.Cond // there is one, or it is time to hang up
	running int       // lines, open or not
	free    int       // those of them that will take the next parcel
	alive   int       // those that are open
	opening int       // those that may soon be
	settled sync.Cond // a line is open, is not going to be, or has ended
	fewer   int       // lines that the server does not let us have
	closing bool
}

func newLines(r relay, connections int) *lines {
	p := &lines{relay: r, most: connections}
	p.came.L, p.settled.L = &p.mu, &p.mu
	return p
}

// send gives a parcel to the relay over one of the lines, and waits until it is
// settled.
func (p *lines) send(j *parcel) {
	j.done = make(chan struct{})
	p.post(j)
	select {
	case <-j.done:
	case <-j.ctx.Done():
		if p.withdraw(j) {
			j.settle("", j.ctx.Err())
			return
		}
		<-j.done
	}
}

// post queues a parcel for a line that is free, or a new one.
func (p *lines) post(j *parcel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, j)
	p.enlist()
	p.came.Signal()
}

// enlist starts lines for parcels that no other line will take soon.
func (p *lines) enlist() {
	for len(p.queue) > p.free && p.running < p.most-p.fewer {
		p.running++
		p.free++
		go p.serve()
	}
}

// withdraw takes a parcel back that is on no line yet.
func (p *lines) withdraw(j *parcel) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.Index(p.queue, j)
	if at < 0 {
		return false
	}
	p.queue = slices.Delete(p.queue, at, at+1)
	return true
}

// take waits for a parcel, nil when it is time to hang up.
func (p *lines) take() *parcel {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.closing {
		p.came.Wait()
	}
	p.free--
	return p.shift()
}

// waiting is the next parcel, nil if there is none right now.
func (p *lines) waiting() *parcel {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shift()
}

func (p *lines) shift() *parcel {
	if len(p.queue) == 0 {
		return nil
	}
	j := p.queue[0]
	p.queue = slices.Delete(p.queue, 0, 1)
	return j
}

// serve opens a line and carries parcels over it until nothing is left to do.
func (p *lines) serve() {
	var l *line
	defer func() { p.end(l) }()
	for j := p.take(); j != nil; {
		if l == nil {
			var err error
			if l, err = p.open(j.ctx); err != nil {
				p.doWithout(j, err)
				return
			}
		}
		reused := l.used
		answer, next, err := l.carry(j, p.waiting)
		if err != nil && l.broken && reused && !j.again && j.ctx.Err() == nil && untouched(err) {
			// A server may close a line that was idle or carried enough. As long as
			// the text was not on its way, a fresh one does no harm.
			j.again = true
			next = j
		} else {
			// The next text waits until this one is settled: when we die, at most
			// one on each line was taken by the server and is not marked.
			j.settle(answer, err)
			p.finish(j, next == nil)
		}
		if l.broken {
			p.lost(l)
			l = nil
		}
		if j = next; j == nil {
			j = p.take()
		}
	}
}

// finish lets the sender of a parcel go on. The line is free first, or what the
// sender brings next would open another one.
func (p *lines) finish(j *parcel, free bool) {
	if free {
		p.mu.Lock()
		p.free++
		p.mu.Unlock()
	}
	close(j.done)
}

// open dials a line and counts it.
func (p *lines) open(ctx context.Context) (*line, error) {
	p.mu.Lock()
	p.opening++
	p.mu.Unlock()
	l, err := p.relay.dial(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opening--
	if err == nil {
		p.alive++
	}
	p.settled.Broadcast()
	return l, err
}

// doWithout ends a line that could not be opened. While there are others the
// server has its limit: they carry the parcel, and no more are opened until
// there is a rest. Those that are about to open are waited for; dialling has a
// time-out of its own.
func (p *lines) doWithout(j *parcel, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.alive == 0 && p.opening > 0 {
		p.settled.Wait()
	}
	if p.alive > 0 && j.ctx.Err() == nil {
		p.fewer++
		p.queue = slices.Insert(p.queue, 0, j)
		p.came.Signal()
		return
	}
	p.mu.Unlock()
	j.settle("", err)
	close(j.done)
	p.mu.Lock()
}

// lost hangs up and counts a line that is no longer open.
func (p *lines) lost(l *line) {
	p.mu.Lock()
	p.alive--
	p.mu.Unlock()
	l.hangUp()
}

// end counts a line that has nothing more to do.
func (p *lines) end(l *line) {
	if l != nil {
		p.lost(l)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	p.enlist() // what came meanwhile
	p.settled.Broadcast()
}

// hangUp closes all lines, which must be idle.
func (p *lines) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closing = true
	p.came.Broadcast()
	for p.running > 0 {
		p.settled.Wait()
	}
	p.closing, p.fewer = false, 0
}

// untouched reports whether the failure came before the text was sent.
func untouched(err error) bool {
	var failed *smtpError
	return errors.As(err, &failed) && failed.stage != stageText
}
