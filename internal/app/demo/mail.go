package demo

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/broadcast/twitterfake"
)

// letter is a mail as a person reads it.
type letter struct {
	Number  int
	To      string
	Subject string
	Text    string
	html    []byte
}

// mails are those that were sent, the newest first.
func (t *tour) mails() []letter {
	var out []letter
	for n, m := range t.mailbox.Messages() {
		out = append(out, read(n+1, m))
	}
	slices.Reverse(out)
	return out
}

// read takes a mail apart. One that cannot be is shown as it came.
func read(n int, m smtpsink.Message) letter {
	l := letter{Number: n, To: strings.Join(m.To, ", "), Text: string(m.Data)}
	msg, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		return l
	}
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		l.Subject = msg.Header.Get("Subject")
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return l
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return l
		}
		body := io.Reader(part)
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			body = quotedprintable.NewReader(part)
		}
		text, _ := io.ReadAll(body)
		if kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind == "text/html" {
			l.html = text
		} else {
			l.Text = string(text)
		}
	}
}

// letter shows a mail as a mail program does.
func (t *tour) letter(c *fiber.Ctx, number string) error {
	n, err := strconv.Atoi(number)
	all := t.mailbox.Messages()
	if err != nil || n < 1 || n > len(all) {
		return c.Status(http.StatusNotFound).SendString("There is no such mail.")
	}
	c.Set(fiber.HeaderContentSecurityPolicy, letters)
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	return c.Send(read(n, all[n-1]).html)
}

// tweets are those that were posted, the newest first.
func (t *tour) tweets() []twitterfake.Tweet {
	all := t.x.Tweets()
	slices.Reverse(all)
	return all
}
