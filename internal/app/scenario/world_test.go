package scenario

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/broadcast/twitterfake"
)

// world is a daemon with all it talks to: a mailbox, an account on X, an admin
// who is signed in, and the component "checkout".
type world struct {
	*daemon
	mailbox *smtpsink.Sink
	x       *twitterfake.Fake
	admin   *person
}

func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	mailbox, err := smtpsink.Start(smtpsink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mailbox.Close)
	x, err := twitterfake.Start(twitterfake.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	keys := twitterfake.TestKeys
	s.extra += fmt.Sprintf(`
smtp:
  url: %s
  from: Example Cloud <status@example.com>
  coalesce: 1s
twitter:
  base_url: %s
  consumer_key: %q
  consumer_secret: %q
  access_token: %q
  access_secret: %q
`, mailbox.URL(), x.URL(), keys.ConsumerKey, keys.ConsumerSecret, keys.AccessToken, keys.AccessSecret)
	d := launch(t, s)
	w := &world{daemon: d, mailbox: mailbox, x: x, admin: admin(d)}
	addComponent(w.admin, "Checkout", "checkout")
	return w
}

// addComponent does what the first step of a fresh installation asks for.
func addComponent(on *person, name, slug string) {
	on.t.Helper()
	f := on.get("/admin/components/new").form("name")
	f.set("name", name)
	f.set("slug", slug)
	if after := f.press(""); after.says(name) != nil || after.status != 200 {
		on.t.Fatalf("the component is not there: %d %s", after.status, after.text())
	}
}

// subscribe goes the whole way of a reader: form, mail, link, button.
func (w *world) subscribe(address string) {
	w.t.Helper()
	reader := visitor(w.daemon)
	f := reader.get("/subscriptions").form("email")
	f.set("email", address)
	f.press("")
	link := ""
	eventually(w.t, "the confirmation mail comes", func() error {
		for _, m := range w.letters(address) {
			if link = regexp.MustCompile(`http://\S+/subscriptions/confirm/\S+`).FindString(m.text); link != "" {
				return nil
			}
		}
		return fmt.Errorf("%d mails", len(w.letters(address)))
	})
	after := reader.get(link).form("/subscriptions/confirm/" + link[strings.LastIndex(link, "/")+1:]).press("")
	if err := after.says("subscribed"); err != nil {
		w.t.Fatal(err)
	}
}

// letter is a mail, decoded.
type letter struct {
	subject string
	text    string
	html    string
	header  mail.Header
}

// letters are the mails to an address so far.
func (w *world) letters(address string) []letter {
	w.t.Helper()
	var list []letter
	for _, m := range w.mailbox.Messages() {
		if len(m.To) == 1 && m.To[0] == address {
			list = append(list, read(w.t, m.Data))
		}
	}
	return list
}

func read(t testing.TB, raw []byte) letter {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	l := letter{subject: subject, header: m.Header}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("the mail %q is %s, want multipart/alternative: %v", subject, kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return l
		}
		if err != nil {
			t.Fatal(err)
		}
		body := io.Reader(part)
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			body = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.html = string(text)
		} else {
			l.text = string(text)
		}
	}
}

// wrote is nil when the address got n mails about issues, the last one with
// each of the texts.
func (w *world) wrote(address string, n int, texts ...string) error {
	var about []letter
	for _, l := range w.letters(address) {
		if !strings.Contains(l.text, "/subscriptions/confirm/") {
			about = append(about, l)
		}
	}
	if len(about) != n {
		return fmt.Errorf("%d mails, want %d", len(about), n)
	}
	for _, text := range texts {
		last := about[n-1]
		if !strings.Contains(last.subject+"\n"+last.text, text) {
			return fmt.Errorf("the mail does not say %q but %q: %s", text, last.subject, last.text)
		}
	}
	return nil
}

// tweeted is nil when there are n tweets, the last one with each of the texts.
func (w *world) tweeted(n int, texts ...string) error {
	tweets := w.x.Tweets()
	if len(tweets) != n {
		return fmt.Errorf("%d tweets, want %d; refused: %q", len(tweets), n, w.x.Refused())
	}
	for _, text := range texts {
		if !strings.Contains(tweets[n-1].Text, text) {
			return fmt.Errorf("the tweet does not say %q but %q", text, tweets[n-1].Text)
		}
	}
	return nil
}

// feedHas is nil when the feed has exactly n entries, one of them with the
// title and, in it, the text.
func (d *daemon) feedHas(path string, n int, title, text string) error {
	feed, err := gofeed.NewParser().ParseURLWithContext(d.url+path, context.Background())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(feed.Items) != n {
		return fmt.Errorf("%s has %d entries, want %d", path, len(feed.Items), n)
	}
	for _, item := range feed.Items {
		if strings.Contains(item.Title, title) && strings.Contains(item.Description+item.Content, text) {
			return nil
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%s has no entry %q with %q but %q: %s%s", path, title, text, feed.Items[0].Title, feed.Items[0].Description, feed.Items[0].Content)
}
