package broadcast

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/wneessen/go-mail"
	smtpline "github.com/wneessen/go-mail/smtp"
)

// line is one connection to the relay, past EHLO, TLS and sign-in, which the
// library makes. The messages go over it in as few round trips as the server
// allows: four each, or two with PIPELINING (RFC 2920), or one when the next
// message is at hand, because its envelope may follow the text before it in the
// same breath (RFC 2920, 3.1).
//
// BDAT (RFC 3030) would save that one too. But there the text follows before
// the server has taken the recipient, and a server that then forgets to skip it
// would read our text as commands. Text goes out after a 354 only.
type line struct {
	client     *mail.Client
	smtp       *smtpline.Client
	conn       net.Conn
	pipelining bool
	utf8       bool
	used       bool    // tried for a message before
	dirty      bool    // a message was refused half-way: the next begins with RSET
	ahead      *parcel // its envelope is on the way already
	steps      []step  // of that envelope
	out        []byte  // what goes out in one piece
	broken     bool
}

// parcel is one message on its way over some line.
type parcel struct {
	ctx      context.Context
	from, to string
	text     []byte // headers and body, lines end with CRLF
	// settle is told the server's answer, or what went wrong, before the line
	// brings the next text.
	settle func(answer string, err error)
	done   chan struct{} // closed after that
	again  bool          // begun once on a line that turned out to be dead
}

// smtpError is what went wrong with a message, and where.
type smtpError struct {
	stage stage
	code  int    // the server's, 0 if it gave none
	text  string // the server's words
	err   error  // of the connection
}

// stage is a step of a message's way into the server.
type stage string

const (
	stageMail stage = "MAIL FROM"
	stageRcpt stage = "RCPT TO"
	stageData stage = "DATA"
	stageText stage = "the text"
)

func (e *smtpError) Error() string {
	if e.code == 0 {
		return fmt.Sprintf("at %s: %v", e.stage, e.err)
	}
	return fmt.Sprintf("at %s: %d %s", e.stage, e.code, e.text)
}

func (e *smtpError) Unwrap() error { return e.err }

// carry brings one parcel to the server, and fetches the envelope of another
// that waits, if more gives one. That one is returned; on a broken line it has
// not been begun. The error is the parcel's.
func (l *line) carry(j *parcel, more func() *parcel) (answer string, next *parcel, err error) {
	// Nobody takes a context while waiting for a server; a closed connection
	// everybody minds.
	stop := context.AfterFunc(j.ctx, func() { l.conn.Close() })
	defer stop()
	if err := l.smtp.UpdateDeadline(smtpTimeout); err != nil {
		return "", nil, l.fail(stageMail, err)
	}
	if err := l.envelope(j); err != nil {
		return "", nil, err
	}
	if err := j.ctx.Err(); err != nil {
		// It waited too long behind the one before: its lease may be over.
		return "", nil, l.fail(stageData, err)
	}
	l.out = appendText(l.out[:0], j.text)
	if l.pipelining {
		if next = more(); next != nil {
			l.ahead, l.steps = next, l.plan(next)
			l.out = l.appendAhead(l.out)
		}
	}
	if err := l.write(); err != nil {
		return "", next, l.fail(stageText, err)
	}
	answer, err = l.expect(stageText, 2)
	l.used = true
	return answer, next, err
}

// envelope gets the server to ask for the text.
func (l *line) envelope(j *parcel) error {
	if l.ahead != j {
		l.steps = l.plan(j)
		l.out = l.appendAhead(l.out[:0])
		if err := l.write(); err != nil {
			return l.fail(stageMail, err)
		}
	}
	l.ahead = nil
	var first error
	for _, s := range l.steps {
		if !l.pipelining {
			if err := l.say(s.command); err != nil {
				return l.fail(s.stage, err)
			}
		}
		_, err := l.expect(s.stage, s.class)
		if err != nil && first == nil {
			first, l.dirty = err, true
		}
		if l.broken || first != nil && !l.pipelining {
			return first
		}
		if s.stage == stageData && err == nil && first != nil {
			// The server asks for a text without anybody to bring it to (RFC 2920
			// 3.1 has it so): an empty one goes nowhere.
			if err := l.say("."); err != nil {
				return l.fail(stageText, err)
			}
			_, _ = l.expect(stageText, 2)
		}
	}
	l.used = true
	return first
}

type step struct {
	stage   stage
	command string
	class   int // the first digit of the answer wanted
}

// plan lists the commands of an envelope.
func (l *line) plan(j *parcel) []step {
	utf8 := ""
	if l.utf8 && !ascii(j.to) {
		utf8 = " SMTPUTF8"
	}
	steps := []step{{stageMail, "MAIL FROM:<" + j.from + ">" + utf8, 2}, {stageRcpt, "RCPT TO:<" + j.to + ">", 2}, {stageData, "DATA", 3}}
	if l.dirty {
		steps = append([]step{{stageMail, "RSET", 2}}, steps...)
	}
	l.dirty = false
	return steps
}

// appendAhead adds all commands of an envelope, if the server lets us.
func (l *line) appendAhead(out []byte) []byte {
	if l.pipelining {
		for _, s := range l.steps {
			out = append(append(out, s.command...), "\r\n"...)
		}
	}
	return out
}

// say sends one command at once.
func (l *line) say(command string) error {
	l.out = append(append(l.out[:0], command...), "\r\n"...)
	return l.write()
}

// write sends what is gathered.
func (l *line) write() error {
	if len(l.out) == 0 {
		return nil
	}
	if _, err := l.smtp.Text.W.Write(l.out); err != nil {
		return err
	}
	return l.smtp.Text.W.Flush()
}

// appendText adds the text with its dots doubled (RFC 5321, 4.5.2) and the end.
func appendText(out, text []byte) []byte {
	for line := text; len(line) > 0; {
		if line[0] == '.' {
			out = append(out, '.')
		}
		end := bytes.Index(line, []byte("\n.")) + 1
		if end == 0 {
			end = len(line)
		}
		out = append(out, line[:end]...)
		line = line[end:]
	}
	if !bytes.HasSuffix(text, []byte("\r\n")) {
		out = append(out, "\r\n"...)
	}
	return append(out, ".\r\n"...)
}

// expect reads one answer.
func (l *line) expect(at stage, class int) (string, error) {
	code, text, err := l.smtp.Text.ReadResponse(0)
	if err != nil {
		return "", l.fail(at, err)
	}
	if code/100 == class {
		return text, nil
	}
	if code == 421 { // the server's goodbye
		l.broken = true
	}
	return "", &smtpError{stage: at, code: code, text: oneLine(text)}
}

func (l *line) fail(at stage, err error) error {
	l.broken = true
	return &smtpError{stage: at, err: err}
}

// hangUp says goodbye, and closes in any case.
func (l *line) hangUp() {
	if !l.broken {
		_ = l.smtp.UpdateDeadline(time.Second)
		_ = l.client.CloseWithSMTPClient(l.smtp)
	}
	l.conn.Close()
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
