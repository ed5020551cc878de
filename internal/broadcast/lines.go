package broadcast

import (
	"context"
	"errors"
	"sync"
)

// defaultConnections is how many connections to the mail server are used at
// once. With a round trip of 20 ms, one carries at most 50 messages a second.
const defaultConnections = 16

// lines keeps connections while there is something to send. Each has a
// goroutine that takes parcels as they come.
type lines struct {
	relay   relay
	parcels chan *parcel  // unbuffered: a line takes one when it is free
	slots   chan struct{} // the right to open a line
	running sync.WaitGroup

	mu      sync.Mutex
	alive   int           // lines that are open
	opening int           // lines that may soon be
	settled sync.Cond     // one of them is open, or is not going to be
	fewer   int           // slots that the server does not let us have
	quit    chan struct{} // closed to hang up
}

func newLines(r relay, connections int) *lines {
	p := &lines{relay: r, parcels: make(chan *parcel), slots: make(chan struct{}, connections), quit: make(chan struct{})}
	p.settled.L = &p.mu
	for range connections {
		p.slots <- struct{}{}
	}
	return p
}

// send gives the text to the relay over one of the lines, and answers with the
// server's words.
func (p *lines) send(ctx context.Context, from, to string, text []byte) (string, error) {
	j := &parcel{ctx: ctx, from: from, to: to, text: text, outcome: make(chan outcome, 1)}
	if err := p.post(j); err != nil {
		return "", err
	}
	o := <-j.outcome
	return o.answer, o.err
}

// post hands a parcel to a line that is free, or to a new one.
func (p *lines) post(j *parcel) error {
	select {
	case p.parcels <- j:
		return nil
	default:
	}
	select {
	case p.parcels <- j:
	case <-p.slots:
		p.mu.Lock()
		quit := p.quit
		p.mu.Unlock()
		p.running.Go(func() { p.serve(j, quit) })
	case <-j.ctx.Done():
		return j.ctx.Err()
	}
	return nil
}

// serve opens a line and carries parcels over it until nothing is left to do.
func (p *lines) serve(j *parcel, quit <-chan struct{}) {
	var l *line
	defer func() {
		if l != nil {
			p.lost()
			l.hangUp()
		}
	}()
	for j != nil {
		if l == nil {
			var err error
			if l, err = p.open(j.ctx); err != nil {
				p.doWithout(j, err)
				return
			}
		}
		reused := l.used
		answer, next, err := l.carry(j, p.waiting)
		switch {
		case err != nil && l.broken && reused && !j.again && j.ctx.Err() == nil && untouched(err):
			// A server may close a line that was idle or carried enough. As long as
			// the text was not on its way, a fresh one does no harm.
			j.again = true
			next = j
		default:
			j.end(answer, err)
		}
		if l.broken {
			p.lost()
			l.hangUp()
			l = nil
		}
		if j = next; j == nil && l != nil {
			select {
			case j = <-p.parcels:
			case <-quit:
			}
		}
	}
	p.slots <- struct{}{}
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
	for p.alive == 0 && p.opening > 0 {
		p.settled.Wait()
	}
	others := p.alive > 0 && j.ctx.Err() == nil
	if others {
		p.fewer++
	}
	p.mu.Unlock()
	if !others {
		p.slots <- struct{}{}
		j.end("", err)
		return
	}
	select {
	case p.parcels <- j:
	case <-j.ctx.Done():
		j.end("", err)
	}
}

// waiting is a parcel that somebody wants to post right now, nil if there is none.
func (p *lines) waiting() *parcel {
	select {
	case j := <-p.parcels:
		return j
	default:
		return nil
	}
}

// lost counts a line that is no longer open.
func (p *lines) lost() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive--
}

// hangUp closes all lines, which must be idle.
func (p *lines) hangUp() {
	p.mu.Lock()
	close(p.quit)
	p.quit = make(chan struct{})
	p.mu.Unlock()
	p.running.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for ; p.fewer > 0; p.fewer-- {
		p.slots <- struct{}{}
	}
}

// untouched reports whether the failure came before the text was sent.
func untouched(err error) bool {
	var failed *smtpError
	return errors.As(err, &failed) && failed.stage != stageText
}
