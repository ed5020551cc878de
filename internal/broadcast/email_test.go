package broadcast

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/status"
)

func sink(t *testing.T, opts smtpsink.Options) *smtpsink.Sink {
	t.Helper()
	s, err := smtpsink.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func mailer(t *testing.T, s *smtpsink.Sink, change ...func(*EmailConfig)) *Email {
	t.Helper()
	cfg := EmailConfig{
		URL: s.URL(), From: "Acme Status <status@acme.example>", ReplyTo: "support@acme.example", PublicURL: pageURL, PageName: "Acme Status",
	}
	for _, c := range change {
		c(&cfg)
	}
	e, err := NewEmail(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Rest)
	return e
}

// addressed is a message on its way to one subscriber.
func addressed(m Message, recipient string) Message {
	return m.to(status.Delivery{Recipient: recipient, SubscriberID: "s1", Token: "tok-en_1", CreatedAt: noon, Attempt: 1}, "", noon)
}

func firstMessage(t *testing.T) Message {
	return addressed(mustCompose(t, issueStory(status.EventOpen, openCheckout(), "u1")), "ann@example.com")
}

// letter is a mail as a mail program reads it.
type letter struct {
	header mail.Header
	text   string
	html   string
}

// Header is a decoded header value.
func (l letter) Header(name string) string {
	value, err := new(mime.WordDecoder).DecodeHeader(l.header.Get(name))
	if err != nil {
		return err.Error()
	}
	return value
}

func read(t *testing.T, data []byte) letter {
	t.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("read the mail: %v\n%s", err, data)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("it is %q (%v), want multipart/alternative", kind, err)
	}
	l := letter{header: msg.Header}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for _, want := range []struct {
		kind string
		into *string
	}{{"text/plain", &l.text}, {"text/html", &l.html}} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("part %s: %v", want.kind, err)
		}
		kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || kind != want.kind || !strings.EqualFold(params["charset"], "utf-8") {
			t.Errorf("part is %s %v (%v), want %s in UTF-8", kind, params, err, want.kind)
		}
		if part.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Errorf("part is sent as %q", part.Header.Get("Content-Transfer-Encoding"))
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		*want.into = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		t.Errorf("there is a third part: %v", err)
	}
	return l
}

// deliver sends the message to a sink and reads what came.
func deliver(t *testing.T, m Message, change ...func(*EmailConfig)) (letter, smtpsink.Message) {
	t.Helper()
	s := sink(t, smtpsink.Options{})
	if _, err := mailer(t, s, change...).Send(t.Context(), m); err != nil {
		t.Fatalf("Send: %v", err)
	}
	got := s.Messages()
	if len(got) != 1 {
		t.Fatalf("%d mails came, want one", len(got))
	}
	return read(t, got[0].Data), got[0]
}

func TestAMailCarriesEveryHeaderThatMailProgramsActOn(t *testing.T) {
	l, envelope := deliver(t, firstMessage(t))
	if envelope.From != "status@acme.example" || len(envelope.To) != 1 || envelope.To[0] != "ann@example.com" {
		t.Errorf("envelope from %s to %v", envelope.From, envelope.To)
	}
	root := l.header.Get("References")
	for name, want := range map[string]string{
		"From":                     `"Acme Status" <status@acme.example>`,
		"To":                       "<ann@example.com>",
		"Reply-To":                 "<support@acme.example>",
		"Subject":                  "[Acme Status] Checkout is unavailable in eu-west",
		"Date":                     "Sun, 22 Nov 2026 12:00:00 +0000",
		"In-Reply-To":              root,
		"List-Id":                  `"Acme Status" <updates.status.example.com>`,
		"List-Unsubscribe":         "<https://status.example.com/unsubscribe/tok-en_1>, <mailto:support@acme.example?subject=unsubscribe%20tok-en_1>",
		"List-Unsubscribe-Post":    "List-Unsubscribe=One-Click",
		"Auto-Submitted":           "auto-generated",
		"X-Auto-Response-Suppress": "All",
		"Mime-Version":             "1.0",
	} {
		if got := l.Header(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
		if n := len(l.header[name]); n != 1 {
			t.Errorf("%s is there %d times", name, n)
		}
	}
	for _, id := range []string{root, l.header.Get("Message-Id")} {
		if !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, "@status.example.com>") {
			t.Errorf("%q is not an id of ours", id)
		}
	}
	for name := range l.header {
		if name == "User-Agent" || name == "X-Mailer" || name == "Bcc" || name == "Cc" {
			t.Errorf("there is a header %s", name)
		}
	}
}

func TestMailsAboutOneIssueAreAThread(t *testing.T) {
	first, _ := deliver(t, firstMessage(t))
	again, _ := deliver(t, firstMessage(t))
	other, _ := deliver(t, addressed(mustCompose(t, issueStory(status.EventOpen, openCheckout(), "u1")), "bob@example.com"))
	last, _ := deliver(t, addressed(mustCompose(t, issueStory(status.EventResolve, checkoutDown(), "u3")), "ann@example.com"))
	id := func(l letter) string { return l.header.Get("Message-Id") }
	if id(first) != id(again) {
		t.Errorf("the same mail sent twice is %s and %s", id(first), id(again))
	}
	if id(first) == id(other) || id(first) == id(last) {
		t.Errorf("different mails share the id %s", id(first))
	}
	if first.Header("Subject") != last.Header("Subject") || first.header.Get("References") != last.header.Get("References") {
		t.Errorf("%q (%s) and %q (%s) are no thread", first.Header("Subject"), first.header.Get("References"), last.Header("Subject"), last.header.Get("References"))
	}
	elsewhere, _ := deliver(t, firstMessage(t), func(c *EmailConfig) { c.PublicURL = "https://status.other.example" })
	if id(elsewhere) == id(first) || elsewhere.header.Get("References") == first.header.Get("References") {
		t.Error("two installations give the same ids")
	}
}

func TestTheTextPartSaysItAll(t *testing.T) {
	l, _ := deliver(t, firstMessage(t))
	want := `Investigating: Checkout is unavailable in eu-west
22 November 2026, 12:00 UTC

We are seeing failing checkouts since 12:00 UTC. More soon.

Affected:
- Checkout: partial outage
- Payments: degraded performance

Follow it here: https://status.example.com/issues/i1#update-u1

--
You get this mail because ann@example.com is subscribed to Acme Status.
Choose what you get: https://status.example.com/subscriptions/tok-en_1
Unsubscribe: https://status.example.com/unsubscribe/tok-en_1
`
	if l.text != want {
		t.Errorf("got\n%s\nwant\n%s", l.text, want)
	}
}

func TestTheHTMLPartSaysTheSameAndLoadsNothing(t *testing.T) {
	l, _ := deliver(t, firstMessage(t))
	for _, want := range []string{
		"Investigating", "Checkout is unavailable in eu-west", "<strong>failing checkouts</strong>", "partial outage",
		`href="https://status.example.com/issues/i1#update-u1"`, `href="https://status.example.com/subscriptions/tok-en_1"`,
		`href="https://status.example.com/unsubscribe/tok-en_1"`, "prefers-color-scheme: dark", `<html lang="en"`,
	} {
		if !strings.Contains(l.html, want) {
			t.Errorf("%q is not in the HTML", want)
		}
	}
	for _, bad := range []string{"<img", "src=", "url(", "<script", "<link", "@import", "ZgotmplZ"} {
		if strings.Contains(l.html, bad) {
			t.Errorf("%q is in the HTML", bad)
		}
	}
}

func TestTheLongestMailIsNotClipped(t *testing.T) {
	m := firstMessage(t)
	m.Body, m.Affected = strings.Repeat("& <b> ö **x** ", 20000), slicesOf(strings.Repeat("component ", 5), 500)
	l, envelope := deliver(t, m)
	if len(l.html) > 102<<10 || len(envelope.Data) > 200<<10 {
		t.Errorf("the HTML has %d bytes, the mail %d", len(l.html), len(envelope.Data))
	}
	if !strings.Contains(l.html, "and 480 more") || !strings.Contains(l.html, "/unsubscribe/") {
		t.Error("the end of the mail is lost")
	}
}

func TestAlertTextCannotAddHeadersOrMarkup(t *testing.T) {
	i := openCheckout()
	i.Title = "Down\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script> =?utf-8?q?x=0D=0A?= ünïcödé \u202eevil"
	i.Updates[0].Body = "text\r\n.\r\nMAIL FROM:<x@y>\r\n<img src=https://evil.example/p.gif>"
	m := addressed(mustCompose(t, issueStory(status.EventOpen, i, "u1")), "ann@example.com")
	l, envelope := deliver(t, m, func(c *EmailConfig) { c.PageName = "Acme\r\nX-Evil: 1 \"quoted\" ☃" })
	if l.header.Get("Bcc") != "" || l.header.Get("X-Evil") != "" || len(envelope.To) != 1 {
		t.Errorf("a header was smuggled in: %v", l.header)
	}
	subject := l.Header("Subject")
	if !strings.Contains(subject, "Down Bcc: victim@example.com") || strings.ContainsAny(subject, "\r\n\u202e") || !strings.Contains(subject, "ünïcödé") {
		t.Errorf("the subject reads %q", subject)
	}
	if list := l.Header("List-Id"); !strings.HasSuffix(list, " <updates.status.example.com>") || !strings.Contains(list, "☃") {
		t.Errorf("the list id reads %q", list)
	}
	if strings.Contains(l.html, "<script") || strings.Contains(l.html, "<img") {
		t.Error("markup of an alert is in the HTML")
	}
	if !strings.Contains(l.text, "MAIL FROM:x@y") {
		t.Errorf("the text was cut at the dot: %q", l.text)
	}
}

func TestAPlainTitleCannotPoseAsAnEncodedOne(t *testing.T) {
	i := openCheckout()
	i.Title = "=?utf-8?q?Your_password?= is down"
	l, _ := deliver(t, addressed(mustCompose(t, issueStory(status.EventOpen, i, "u1")), "Ann <ann@example.com>"))
	if got := l.Header("Subject"); got != "[Acme Status] = ?utf-8?q?Your_password?= is down" {
		t.Errorf("the subject reads %q", got)
	}
	if got := l.Header("To"); got != "<ann@example.com>" {
		t.Errorf("it goes to %q", got)
	}
}

func TestAnAddressThatIsNoneIsNeverWrittenTo(t *testing.T) {
	s := sink(t, smtpsink.Options{})
	e := mailer(t, s)
	for _, bad := range []string{"", "ann", "a@b.example, c@d.example", "ann@example.com\r\nRCPT TO:<eve@example.com>", "ann@example.com>\r\nDATA"} {
		m := firstMessage(t)
		m.Recipient = bad
		_, err := e.Send(t.Context(), m)
		if _, permanent := errors.AsType[Permanent](err); !permanent {
			t.Errorf("%q: error is %v, want a permanent one", bad, err)
		}
	}
	if s.Tries() != 0 {
		t.Errorf("the server was bothered %d times", s.Tries())
	}
}

func TestAMailNobodyCouldUnsubscribeFromIsNotSent(t *testing.T) {
	m := firstMessage(t)
	m.Token = ""
	_, err := mailer(t, sink(t, smtpsink.Options{})).Send(t.Context(), m)
	if _, permanent := errors.AsType[Permanent](err); !permanent {
		t.Errorf("error is %v, want a permanent one", err)
	}
}

func TestALateMailSaysWhatCameSince(t *testing.T) {
	m := mustCompose(t, issueStory(status.EventOpen, checkoutDown(), "u1"))
	m = m.to(status.Delivery{Recipient: "ann@example.com", Token: "t", CreatedAt: noon, Attempt: 4}, "", noon)
	l, _ := deliver(t, m)
	const want = "This mail was delayed. Since then: Resolved."
	if !strings.Contains(l.text, want) || !strings.Contains(l.html, want) {
		t.Errorf("it does not say so:\n%s", l.text)
	}
}

func TestTheConfirmationMailExplainsItself(t *testing.T) {
	m := ComposeConfirm(status.EventConfirm, "confirm:abc").to(status.Delivery{Recipient: "ann@example.com", Token: "abc", CreatedAt: noon, Attempt: 1}, "", noon)
	l, _ := deliver(t, m)
	if got := l.Header("Subject"); got != "Confirm your subscription to Acme Status" {
		t.Errorf("the subject is %q", got)
	}
	for name, part := range map[string]string{"text": l.text, "HTML": l.html} {
		for _, want := range []string{"https://status.example.com/subscriptions/confirm/abc", "24 hours", "If it was not you, ignore this mail", "ann@example.com", "Acme Status"} {
			if !strings.Contains(part, want) {
				t.Errorf("%q is not in the %s:\n%s", want, name, part)
			}
		}
	}
	if l.header.Get("List-Unsubscribe") != "" || l.header.Get("List-Id") != "" || l.header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("headers are %v: there is no list before it is confirmed", l.header)
	}
}

func TestTheMailAboutAStoppedWebhookNamesItsHostAndHowToStartAgainInEachLanguage(t *testing.T) {
	program := status.Subscriber{ID: "p1", Email: "https://hooks.example.com/secret-words#p1", ConfirmToken: "again", Secret: "whsec_x"}
	for tag, title := range map[string]string{
		"en": "Your webhook was stopped", "de": "Ihr Webhook wurde angehalten", "fr": "Votre webhook a été arrêté",
		"es": "Su webhook se ha detenido", "pt-BR": "Seu webhook foi interrompido", "ja": "Webhook を停止しました",
	} {
		m := ComposeStopped(program, "stopped:p1.1", pageURL).to(status.Delivery{Recipient: "ann@example.com", Token: "abc", Language: tag, CreatedAt: noon, Attempt: 1}, "", noon)
		l, _ := deliver(t, m)
		for name, part := range map[string]string{"text": l.text, "HTML": l.html} {
			for _, want := range []string{title, "hooks.example.com", "Acme Status", "/subscriptions/confirm/again", "/unsubscribe/abc"} {
				if !strings.Contains(part, want) {
					t.Errorf("%s: %q is not in the %s:\n%s", tag, want, name, part)
				}
			}
			if strings.Contains(part, "secret-words") {
				t.Errorf("%s: the %s tells the path", tag, name)
			}
		}
	}
}

func TestPlainHTTPPagesAndAddressesHaveIdsToo(t *testing.T) {
	for url, host := range map[string]string{
		"http://127.0.0.1:8080": "@127.0.0.1>", "http://[::1]:8080": "@[IPv6:::1]>", "http://localhost:8080/": "@localhost>",
	} {
		l, _ := deliver(t, firstMessage(t), func(c *EmailConfig) { c.PublicURL = url })
		if id := l.header.Get("Message-Id"); !strings.HasSuffix(id, host) {
			t.Errorf("%s: the id is %s", url, id)
		}
		if got, want := l.header.Get("List-Unsubscribe"), "<"+strings.TrimSuffix(url, "/")+"/unsubscribe/tok-en_1>"; !strings.HasPrefix(got, want) {
			t.Errorf("%s: List-Unsubscribe is %s", url, got)
		}
	}
}

// within bounds a wait for what must come.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
