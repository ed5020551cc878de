package broadcast

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/status"
)

func TestTheServersAnswerDecidesWhetherToTryAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answer    smtpsink.Answer
		permanent bool
	}{
		"no relaying":             {smtpsink.Answer{Stage: smtpsink.AtRcpt, Code: 550, Text: "relaying denied"}, true},
		"mailbox full":            {smtpsink.Answer{Stage: smtpsink.AtRcpt, Code: 452, Text: "mailbox full"}, false},
		"greylisted":              {smtpsink.Answer{Stage: smtpsink.AtRcpt, Code: 450, Text: "come back later"}, false},
		"refused after the text":  {smtpsink.Answer{Stage: smtpsink.AtData, Code: 554, Text: "looks like spam"}, true},
		"deferred after the text": {smtpsink.Answer{Stage: smtpsink.AtData, Code: 451, Text: "try again"}, false},
		"our sender is refused":   {smtpsink.Answer{Stage: smtpsink.AtMail, Code: 550, Text: "who are you"}, false},
		"too busy":                {smtpsink.Answer{Stage: smtpsink.AtMail, Code: 421, Text: "too busy"}, false},
		"sign in first":           {smtpsink.Answer{Stage: smtpsink.AtRcpt, Code: 530, Text: "sign in"}, false},
		"dropped before the text": {smtpsink.Answer{Stage: smtpsink.AtRcpt, Drop: true}, false},
		"dropped after the text":  {smtpsink.Answer{Stage: smtpsink.AtData, Drop: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := sink(t, smtpsink.Options{})
			s.Next(c.answer)
			_, err := mailer(t, s).Send(t.Context(), firstMessage(t))
			if err == nil {
				t.Fatal("it was sent")
			}
			if _, permanent := errors.AsType[Permanent](err); permanent != c.permanent {
				t.Errorf("permanent is %v, want %v: %v", permanent, c.permanent, err)
			}
			if c.answer.Text != "" && !strings.Contains(err.Error(), c.answer.Text) {
				t.Errorf("the server's words are lost: %v", err)
			}
		})
	}
}

func TestOnlyAnAddressThatDoesNotExistBounces(t *testing.T) {
	for text, bounces := range map[string]bool{
		"550 5.1.1 <ann@example.com>: Recipient address rejected: User unknown": true,
		"550 5.1.10 recipient address has null MX":                              true,
		"550 5.2.1 the account is disabled":                                     true,
		"553 5.1.2 no such domain":                                              true,
		"550 no such user":                                                      true,
		"550 Unknown recipient":                                                 true,
		"556 no mail here":                                                      true,
		"550 5.7.1 user unknown to our policy":                                  false, // the code decides
		"550 5.7.26 unauthenticated mail is not accepted":                       false,
		"552 5.2.2 mailbox full":                                                false,
		"550 mailbox unavailable":                                               false, // may be anything
		"554 5.7.1 blocked, see https://list.example/":                          false,
		"550 blocked: user unknown to sender reputation":                        false,
		"550 relaying denied":                                                   false,
		"450 4.1.1 user unknown yet":                                            false,
	} {
		s := sink(t, smtpsink.Options{})
		code, words, _ := strings.Cut(text, " ")
		s.Next(smtpsink.Answer{Stage: smtpsink.AtRcpt, Code: map[string]int{"550": 550, "553": 553, "556": 556, "552": 552, "554": 554, "450": 450}[code], Text: words})
		_, err := mailer(t, s).Send(t.Context(), firstMessage(t))
		if _, bounced := errors.AsType[Bounced](err); bounced != bounces {
			t.Errorf("%q: bounced is %v, want %v: %v", text, bounced, bounces, err)
		}
	}
}

func TestARefusedMailDoesNotCostTheConnection(t *testing.T) {
	s := sink(t, smtpsink.Options{})
	e := mailer(t, s)
	s.Refuse("gone@example.com", smtpsink.Answer{Stage: smtpsink.AtRcpt, Code: 550, Text: "no such user"})
	m := firstMessage(t)
	for n := range 20 {
		m.Recipient = fmt.Sprintf("person%d@example.com", n)
		if n%2 == 1 {
			m.Recipient = "gone@example.com"
		}
		if _, err := e.Send(t.Context(), m); (err != nil) != (n%2 == 1) {
			t.Errorf("%s: %v", m.Recipient, err)
		}
	}
	if len(s.Messages()) != 10 || s.Connections() != 1 {
		t.Errorf("%d mails over %d connections, want 10 over one", len(s.Messages()), s.Connections())
	}
}

func TestNoMoreConnectionsThanConfiguredAreUsedAndReused(t *testing.T) {
	s := sink(t, smtpsink.Options{})
	e := mailer(t, s)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			m := firstMessage(t)
			m.Recipient = fmt.Sprintf("person%d@example.com", i)
			if _, err := e.Send(t.Context(), m); err != nil {
				t.Errorf("Send: %v", err)
			}
		})
	}
	all.Wait()
	if len(s.Messages()) != 200 || s.Connections() > defaultConnections {
		t.Errorf("%d mails over %d connections", len(s.Messages()), s.Connections())
	}
}

func TestAConnectionThatTheServerClosedMeanwhileIsReplaced(t *testing.T) {
	s := sink(t, smtpsink.Options{})
	e := mailer(t, s)
	if _, err := e.Send(t.Context(), firstMessage(t)); err != nil {
		t.Fatal(err)
	}
	s.Down()
	if err := s.Up(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Send(t.Context(), firstMessage(t)); err != nil {
		t.Errorf("the second mail failed on the dead connection: %v", err)
	}
	s.Next(smtpsink.Answer{Stage: smtpsink.AtMail, Code: 421, Text: "enough for one connection"})
	if _, err := e.Send(t.Context(), firstMessage(t)); err != nil {
		t.Errorf("the server's goodbye failed a mail: %v", err)
	}
	if len(s.Messages()) != 3 {
		t.Errorf("%d mails came, want 3", len(s.Messages()))
	}
}

func TestAMailThatWasPerhapsTakenIsNotSentTwiceAtOnce(t *testing.T) {
	s := sink(t, smtpsink.Options{})
	e := mailer(t, s)
	if _, err := e.Send(t.Context(), firstMessage(t)); err != nil {
		t.Fatal(err)
	}
	s.Next(smtpsink.Answer{Stage: smtpsink.AtData, Drop: true})
	if _, err := e.Send(t.Context(), firstMessage(t)); err == nil {
		t.Error("a mail without an answer counts as sent")
	}
	if got := s.Messages(); len(got) != 2 || !got[1].Dropped {
		t.Errorf("%d mails came, want 2, the second dropped", len(got))
	}
}

func TestStartTLSImplicitTLSAndSignIn(t *testing.T) {
	server, roots := certificate(t)
	for name, opts := range map[string]smtpsink.Options{
		"starttls": {TLS: server}, "implicit": {TLS: server, Implicit: true},
		"starttls and password": {TLS: server, User: "status@acme.example", Password: "p@ss:/?#"},
		"implicit and password": {TLS: server, Implicit: true, User: "u", Password: "p"},
		"password in clear":     {User: "u", Password: "p"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sink(t, opts)
			escaped := strings.NewReplacer("status@acme.example:p@ss:/?#@", "status%40acme.example:p%40ss%3A%2F%3F%23@").Replace(s.URL())
			e := mailer(t, s, func(c *EmailConfig) { c.URL, c.TLS = escaped, &tls.Config{RootCAs: roots} })
			if _, err := e.Send(t.Context(), firstMessage(t)); err != nil {
				t.Fatalf("Send: %v", err)
			}
			got := s.Messages()[0]
			if got.Encrypted != (opts.TLS != nil) || got.User != opts.User {
				t.Errorf("encrypted %v as %q", got.Encrypted, got.User)
			}
		})
	}
}

func TestAServerThatCannotProveItselfGetsNothing(t *testing.T) {
	server, _ := certificate(t)
	for name, opts := range map[string]smtpsink.Options{
		"unknown certificate":          {TLS: server, User: "u", Password: "p"},
		"unknown certificate, smtps":   {TLS: server, Implicit: true, User: "u", Password: "p"},
		"no STARTTLS though it is due": {},
	} {
		s := sink(t, opts)
		e := mailer(t, s, func(c *EmailConfig) { c.URL = strings.Replace(c.URL, "tls=none", "tls=starttls", 1) })
		_, err := e.Send(t.Context(), firstMessage(t))
		if err == nil || len(s.Messages()) != 0 {
			t.Errorf("%s: sent anyway (%v)", name, err)
		}
		if _, permanent := errors.AsType[Permanent](err); permanent {
			t.Errorf("%s: %v is permanent, but a person can mend it", name, err)
		}
	}
}

func TestAWrongPasswordPassesWhenItIsMended(t *testing.T) {
	s := sink(t, smtpsink.Options{User: "u", Password: "right"})
	e := mailer(t, s, func(c *EmailConfig) { c.URL = strings.Replace(c.URL, "right", "wrong", 1) })
	_, err := e.Send(t.Context(), firstMessage(t))
	if _, permanent := errors.AsType[Permanent](err); err == nil || permanent || !strings.Contains(err.Error(), "535") {
		t.Errorf("error is %v, want a passing one with the server's 535", err)
	}
	if strings.Contains(err.Error(), "wrong") {
		t.Errorf("the password is in the error: %v", err)
	}
}

func TestAMailStopsWithItsContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	e := mailer(t, sink(t, smtpsink.Options{}), func(c *EmailConfig) { c.URL = "smtp://" + silent.Addr().String() + "?tls=none" })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := e.Send(ctx, firstMessage(t)); err == nil {
		t.Error("sent to nobody")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v to stop", took)
	}
}

func TestTheMailURLIsCheckedAndNeverRepeated(t *testing.T) {
	good := map[string]relay{
		"smtp://mail.example.com":                            {host: "mail.example.com", port: 587},
		"smtp://u:p%40ss@mail.example.com:2525?tls=starttls": {host: "mail.example.com", port: 2525, user: "u", password: "p@ss"},
		"smtps://mail.example.com":                           {host: "mail.example.com", port: 465, implicit: true},
		"smtps://u@mail.example.com:4650":                    {host: "mail.example.com", port: 4650, implicit: true, user: "u"},
		"smtp://[::1]:25?tls=opportunistic":                  {host: "::1", port: 25},
		"smtp://localhost:1025?tls=none":                     {host: "localhost", port: 1025},
	}
	for raw, want := range good {
		got, err := parseRelay(raw)
		want.policy = got.policy
		if err != nil || got != want {
			t.Errorf("%s is %+v (%v), want %+v", raw, got, err, want)
		}
	}
	for _, raw := range []string{
		"", "mail.example.com:25", "http://u:secret@mail.example.com", "smtp://u:secret@", "smtp://u:secret@host:99999", "smtp://u:secret@host:x",
		"smtp://u:sec%zzret@host", "smtp://u:secret@host?tls=maybe", "smtp://u:secret@host?starttls=1", "smtps://u:secret@host?tls=none", "smtp://u:secret@ho st",
	} {
		_, err := parseRelay(raw)
		if err == nil || !strings.Contains(err.Error(), "smtp.url") {
			t.Errorf("%q: error is %v", raw, err)
		}
		if err != nil && strings.Contains(err.Error(), "sec") && strings.Contains(err.Error(), "ret") {
			t.Errorf("%q: the password is in the error: %v", raw, err)
		}
	}
}

func TestAWrongMailConfigurationSaysWhatToMend(t *testing.T) {
	good := EmailConfig{URL: "smtp://mail.example.com", From: "status@acme.example", PublicURL: pageURL}
	if _, err := NewEmail(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*EmailConfig){
		"smtp.url": func(c *EmailConfig) { c.URL = "imap://x" }, "smtp.from": func(c *EmailConfig) { c.From = "nobody" },
		"smtp.reply_to": func(c *EmailConfig) { c.ReplyTo = "a@b, c@d" }, "public_url": func(c *EmailConfig) { c.PublicURL = "status.example.com" },
	} {
		cfg := good
		change(&cfg)
		if _, err := NewEmail(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v", want, err)
		}
	}
}

// The whole way: a broadcaster, real mails over a real connection, and a
// server that goes away and comes back.
func TestMailsWaitOutAServerThatIsDown(t *testing.T) {
	s := sink(t, smtpsink.Options{})
	e := mailer(t, s)
	outbox := &memoryOutbox{subscribers: people(25)}
	clock := &handClock{now: noon}
	b := New(Config{PublicURL: pageURL}, outbox, newShelf(), []Sender{e}, clock, quiet(t))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx, nil) }()

	s.Down()
	outbox.announce(status.Announcement{Event: status.EventOpen, SubjectID: "i1", UpdateID: "u1", DueAt: noon})
	clock.until(t, time.Second, func() bool { // every one was refused once
		tried := 0
		for _, d := range outbox.all() {
			if d.LastError != "" {
				tried++
			}
		}
		return tried == 25
	})
	if err := s.Up(); err != nil {
		t.Fatal(err)
	}
	s.Refuse("person7@example.com", smtpsink.Answer{Stage: smtpsink.AtRcpt, Code: 550, Text: "no such user"})
	clock.until(t, time.Second, func() bool { return outbox.states()[status.Queued] == 0 })
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	// The hand's clock does not wait for a mail on its way: a lease may run out
	// under it, and the mail comes twice with the same Message-ID. Nobody is left
	// out, and nobody is told who refused.
	reached := map[string]bool{}
	for _, m := range s.Messages() {
		reached[m.To[0]] = true
	}
	if got := outbox.states(); got[status.Sent] != 24 || got[status.Bounced] != 1 || len(reached) != 24 || reached["person7@example.com"] {
		t.Errorf("deliveries are %v, mails came to %d", got, len(reached))
	}
}

// handClock moves only when the test moves it.
type handClock struct {
	mu      sync.Mutex
	now     time.Time
	waiting map[chan struct{}]time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	c.mu.Lock()
	over := make(chan struct{})
	if c.waiting == nil {
		c.waiting = map[chan struct{}]time.Time{}
	}
	c.waiting[over] = c.now.Add(d)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, over)
		c.mu.Unlock()
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-over:
	case <-wake:
	}
	return nil
}

// until moves the clock on step by step until it is so.
func (c *handClock) until(t *testing.T, step time.Duration, so func() bool) {
	t.Helper()
	deadline := within(t, 20*time.Second)
	for !so() {
		c.mu.Lock()
		c.now = c.now.Add(step)
		for over, due := range c.waiting {
			if !due.After(c.now) {
				close(over)
				delete(c.waiting, over)
			}
		}
		c.mu.Unlock()
		select {
		case <-deadline.Done():
			t.Fatal("it never came to pass")
		case <-time.After(time.Millisecond): // lets the others run
		}
	}
}

// certificate is a server's for 127.0.0.1, and the roots that trust it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}
