// Package smtpsink is a mail server that keeps what it is given and behaves as
// badly as it is told to: for tests, and for trying statusbridge out without
// sending anything.
package smtpsink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options say what kind of server it is. The zero value takes mail from anyone
// without encryption.
type Options struct {
	Address  string // to listen on; "" is any free port of this machine
	TLS      *tls.Config
	Implicit bool   // TLS from the first byte; otherwise STARTTLS, when TLS is set
	User     string // when set, mail is only taken after signing in
	Password string
	// Count keeps no mail, only how many came to each recipient: for very many.
	Count bool
}

// Message is a mail that was taken.
type Message struct {
	From      string // of the envelope
	To        []string
	Data      []byte // as it came over the wire
	Conn      int    // which connection carried it, counted from 1
	Encrypted bool
	User      string // who had signed in
	Dropped   bool   // taken, but the connection closed before the answer
}

// Stage is a step of a mail's way in.
type Stage string

// The stages.
const (
	AtMail Stage = "MAIL"
	AtRcpt Stage = "RCPT"
	AtData Stage = "DATA" // after the text
)

// Answer is one bad answer.
type Answer struct {
	Stage Stage
	Code  int // 4xx or 5xx
	Text  string
	Drop  bool // closes the connection instead of answering; at AtData the mail is taken
}

// Sink is a running server.
type Sink struct {
	opts    Options
	address string

	mu       sync.Mutex
	server   *smtp.Server
	listener net.Listener
	done     chan struct{} // closed when the present server has stopped
	messages []Message
	script   []Answer
	refused  map[string]Answer
	waiting  []waiter
	conns    int
	tries    int
	came     int
	counts   map[string]int
}

// Start starts a server. Close it.
func Start(opts Options) (*Sink, error) {
	if opts.Address == "" {
		opts.Address = "127.0.0.1:0"
	}
	s := &Sink{opts: opts, address: opts.Address, refused: map[string]Answer{}, counts: map[string]int{}}
	return s, s.Up()
}

// Up listens again after Down, on the same port.
func (s *Sink) Up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return nil
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("start the mail sink: %w", err)
	}
	s.address = listener.Addr().String()
	if s.opts.Implicit {
		listener = tls.NewListener(listener, s.opts.TLS)
	}
	server := smtp.NewServer(smtp.BackendFunc(s.open))
	server.Domain, server.AllowInsecureAuth, server.EnableSMTPUTF8 = "sink.invalid", true, true
	server.ErrorLog = log.New(io.Discard, "", 0)
	if !s.opts.Implicit {
		server.TLSConfig = s.opts.TLS
	}
	done := make(chan struct{})
	s.server, s.listener, s.done = server, listener, done
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	return nil
}

// Down refuses connections and cuts those that are open.
func (s *Sink) Down() {
	s.mu.Lock()
	server, listener, done := s.server, s.listener, s.done
	s.server = nil
	s.mu.Unlock()
	if server == nil {
		return
	}
	_ = server.Close()
	_ = listener.Close() // the server may not know it yet
	<-done
}

// Close ends the server.
func (s *Sink) Close() { s.Down() }

// Address is where it listens, HOST:PORT.
func (s *Sink) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// URL is the address as smtp.url wants it.
func (s *Sink) URL() string {
	who := ""
	if s.opts.User != "" {
		who = s.opts.User + ":" + s.opts.Password + "@"
	}
	switch {
	case s.opts.Implicit:
		return "smtps://" + who + s.Address()
	case s.opts.TLS != nil:
		return "smtp://" + who + s.Address() + "?tls=starttls"
	}
	return "smtp://" + who + s.Address() + "?tls=none"
}

// Next gives the coming mails, one each, a bad answer.
func (s *Sink) Next(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, answers...)
}

// Refuse gives every mail to the address a bad answer.
func (s *Sink) Refuse(address string, a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[address] = a
}

// Messages are all mails so far, oldest first.
func (s *Sink) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Counts tells how many mails came to each recipient, with Options.Count.
func (s *Sink) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// waiter waits for so many mails.
type waiter struct {
	mails int
	came  chan struct{}
}

// Until waits until n mails came.
func (s *Sink) Until(ctx context.Context, n int) error {
	s.mu.Lock()
	w := waiter{n, make(chan struct{})}
	s.waiting = append(s.waiting, w)
	s.tell()
	s.mu.Unlock()
	select {
	case <-w.came:
		return nil
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Errorf("%d of %d mails came: %w", s.came, n, ctx.Err())
	}
}

// tell wakes those who waited for no more mails than came.
func (s *Sink) tell() {
	s.waiting = slices.DeleteFunc(s.waiting, func(w waiter) bool {
		if s.came >= w.mails {
			close(w.came)
		}
		return s.came >= w.mails
	})
}

// Came counts the mails that were taken.
func (s *Sink) Came() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.came
}

// Tries counts the mails that were begun, the refused ones too.
func (s *Sink) Tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

// Connections counts the connections so far.
func (s *Sink) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Wait returns the mails as soon as there are n.
func (s *Sink) Wait(ctx context.Context, n int) ([]Message, error) {
	err := s.Until(ctx, n)
	return s.Messages(), err
}

func (s *Sink) open(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns++
	return &session{sink: s, conn: c, number: s.conns}, nil
}

// session is one connection.
type session struct {
	sink   *Sink
	conn   *smtp.Conn
	number int
	user   string
	from   string
	to     []string
	bad    *Answer // what this mail is to meet
}

func (x *session) Reset()        { x.from, x.to, x.bad = "", nil, nil }
func (x *session) Logout() error { return nil }

func (x *session) AuthMechanisms() []string {
	if x.sink.opts.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (x *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != x.sink.opts.User || password != x.sink.opts.Password {
			return smtp.ErrAuthFailed
		}
		x.user = user
		return nil
	}), nil
}

func (x *session) Mail(from string, _ *smtp.MailOptions) error {
	if x.sink.opts.User != "" && x.user == "" {
		return smtp.ErrAuthRequired
	}
	x.from, x.bad = from, x.sink.next()
	return x.meet(AtMail)
}

func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.to = append(x.to, to)
	x.sink.mu.Lock()
	if a, found := x.sink.refused[to]; found {
		x.bad = &a
	}
	x.sink.mu.Unlock()
	return x.meet(AtRcpt)
}

func (x *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if x.bad != nil && x.bad.Stage == AtData && !x.bad.Drop {
		return x.meet(AtData)
	}
	_, encrypted := x.conn.TLSConnectionState()
	x.sink.keep(Message{
		From: x.from, To: slices.Clone(x.to), Data: data, Conn: x.number, Encrypted: encrypted, User: x.user,
		Dropped: x.bad != nil && x.bad.Stage == AtData,
	})
	return x.meet(AtData)
}

// meet gives the bad answer if this is its stage.
func (x *session) meet(stage Stage) error {
	if x.bad == nil || x.bad.Stage != stage {
		return nil
	}
	if x.bad.Drop {
		x.conn.Conn().Close()
		return errors.New("dropped")
	}
	return &smtp.SMTPError{Code: x.bad.Code, EnhancedCode: smtp.NoEnhancedCode, Message: x.bad.Text}
}

// next takes the next answer from the script, nil if there is none.
func (s *Sink) next() *Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if len(s.script) == 0 {
		return nil
	}
	a := s.script[0]
	s.script = s.script[1:]
	return &a
}

func (s *Sink) keep(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.came++
	if s.opts.Count {
		for _, to := range m.To {
			s.counts[to]++
		}
	} else {
		s.messages = append(s.messages, m)
	}
	s.tell()
}
