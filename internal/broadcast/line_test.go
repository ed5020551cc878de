package broadcast

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// oldServer speaks SMTP as a person would write it down, and notes what it was
// told. It reads one line at a time and has little patience with clients that
// do not wait, unless it offers PIPELINING.
type oldServer struct {
	pipelining bool
	most       int             // connections at once, 0 for any number
	refuse     map[string]bool // recipients

	mu       sync.Mutex
	open     int
	refused  int // connections
	rushed   int // commands that came before the answer to the one before
	got      []string
	commands []string
}

func (o *oldServer) start(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { o.serve(conn) })
		}
	})
	return "smtp://" + listener.Addr().String() + "?tls=none"
}

func (o *oldServer) serve(conn net.Conn) {
	defer conn.Close()
	o.mu.Lock()
	full := o.most > 0 && o.open >= o.most
	if full {
		o.refused++
	} else {
		o.open++
	}
	o.mu.Unlock()
	if full {
		fmt.Fprint(conn, "421 too many connections\r\n")
		return
	}
	defer func() { o.mu.Lock(); o.open--; o.mu.Unlock() }()
	in, to := bufio.NewReader(conn), ""
	say := func(answer string) { fmt.Fprint(conn, answer+"\r\n") }
	say("220 old.example")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		o.mu.Lock()
		o.commands = append(o.commands, verb)
		if in.Buffered() > 0 {
			o.rushed++
		}
		o.mu.Unlock()
		switch verb {
		case "EHLO":
			if o.pipelining {
				say("250-old.example\r\n250 PIPELINING")
			} else {
				say("250 old.example")
			}
		case "RCPT":
			to = strings.TrimSuffix(strings.TrimPrefix(rest, "TO:<"), ">")
			if o.refuse[to] {
				say("550 5.1.1 user unknown")
			} else {
				say("250 ok")
			}
		case "DATA": // asks for the text whoever the recipient is
			say("354 go on")
			text := ""
			for !strings.HasSuffix(text, "\r\n.\r\n") && text != ".\r\n" {
				part, err := in.ReadString('\n')
				if err != nil {
					return
				}
				text += part
			}
			o.mu.Lock()
			if text != ".\r\n" {
				o.got = append(o.got, to)
			}
			o.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (o *oldServer) sendAll(t *testing.T, n int) {
	t.Helper()
	e, err := NewEmail(EmailConfig{URL: o.start(t), From: "status@acme.example", PublicURL: pageURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Rest)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			m := firstMessage(t)
			m.Recipient = fmt.Sprintf("p%d@example.com", i)
			if _, err := e.Send(t.Context(), m); (err != nil) != o.refuse[m.Recipient] {
				t.Errorf("%s: %v", m.Recipient, err)
			}
		})
	}
	all.Wait()
	if want := n - len(o.refuse); len(o.got) != want {
		t.Errorf("%d mails came, want %d: %v", len(o.got), want, o.got)
	}
}

func TestAServerWithoutPipeliningIsGivenOneCommandAtATime(t *testing.T) {
	o := &oldServer{refuse: map[string]bool{"p3@example.com": true}}
	o.sendAll(t, 40)
	if o.rushed > 0 {
		t.Errorf("%d commands did not wait for the answer before", o.rushed)
	}
}

func TestAServerWithPipeliningNeverGetsATextItDidNotAskFor(t *testing.T) {
	o := &oldServer{pipelining: true, refuse: map[string]bool{"p3@example.com": true, "p7@example.com": true, "p8@example.com": true}}
	o.sendAll(t, 60)
	if o.rushed == 0 {
		t.Error("it was not made use of")
	}
	if slices.Contains(o.commands, "We") || slices.Contains(o.commands, ".") {
		t.Errorf("text was read as commands: %v", o.commands)
	}
	for _, refused := range []string{"p3@example.com", "p7@example.com", "p8@example.com"} {
		if slices.Contains(o.got, refused) {
			t.Errorf("a text came for %s", refused)
		}
	}
}

func TestAServerThatAllowsFewConnectionsGetsAllMailsOverThose(t *testing.T) {
	o := &oldServer{pipelining: true, most: 3}
	o.sendAll(t, 200)
	if o.refused == 0 || o.refused > defaultConnections {
		t.Errorf("%d connections were refused, want at least one and no storm", o.refused)
	}
}
