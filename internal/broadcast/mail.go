package broadcast

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"

	gomail "github.com/wneessen/go-mail"
)

//go:embed templates
var templateFiles embed.FS

var (
	htmlMails = htmltemplate.Must(htmltemplate.ParseFS(templateFiles, "templates/*.html"))
	textMails = texttemplate.Must(texttemplate.ParseFS(templateFiles, "templates/*.txt"))
)

// longestBody bounds the text of an update in a mail: beyond 102 KB of HTML
// some mail programs hide the rest, with the unsubscribe link in it.
const longestBody = 12000

// mostNamed is how many components a mail names.
const mostNamed = 20

// mailView is what the templates show.
type mailView struct {
	PageName  string
	PageURL   string
	Subject   string
	Preview   string // the line that mail programs show beside the subject
	Recipient string

	State    string
	Glyph    string
	Tone     Tone
	Ink      string // inline colours, for programs that drop style sheets
	Tint     string
	Title    string
	At       string
	Since    string
	Text     string
	HTML     htmltemplate.HTML
	Facts    []string
	Affected []Affected
	More     int
	Link     string

	Preferences string
	Unsubscribe string
	Confirm     string
}

// looks are shape and colours of each tone; the word stands beside them.
var looks = map[Tone]struct{ glyph, ink, tint string }{
	ToneTrouble: {"▲", "#912018", "#fee4e2"},
	ToneKnown:   {"◆", "#93370d", "#fef0c7"},
	ToneWatched: {"●", "#1849a9", "#d1e9ff"},
	ToneGood:    {"✓", "#085d3a", "#d1fadf"},
	TonePlanned: {"■", "#4a1fb8", "#ebe9fe"},
}

func (e *Email) view(m Message) mailView {
	name := e.pageName
	if name == "" {
		name = e.host
	}
	return mailView{PageName: name, PageURL: e.base + "/", Recipient: oneLine(m.Recipient)}
}

// writeUpdate puts subject and both parts of a message about an update.
func (e *Email) writeUpdate(msg *gomail.Msg, m Message) error {
	if m.Token == "" {
		return Permanent{Reason: "nobody can unsubscribe from this mail", Err: errNoToken}
	}
	v := e.view(m)
	look := looks[m.Tone]
	v.Subject, v.State, v.Tone = e.subject(m), m.State, m.Tone
	v.Glyph, v.Ink, v.Tint = look.glyph, look.ink, look.tint
	v.Title, v.At = oneLine(m.Title), stamp(m.At)
	if m.Late {
		v.Since = m.Since
	}
	body := clean(m.Body)
	if len(body) > longestBody {
		body = strings.ToValidUTF8(body[:longestBody], "") + "…"
	}
	v.Text, v.HTML = strings.TrimSpace(body), htmltemplate.HTML(render(body))
	v.Preview = cutTo(m.State+". "+plain(body), 140)
	v.Facts, v.Affected, v.Link = m.Facts, m.Affected, m.Link
	if len(v.Affected) > mostNamed {
		v.Affected, v.More = v.Affected[:mostNamed], len(v.Affected)-mostNamed
	}
	v.Preferences, v.Unsubscribe = e.link("subscriptions", m.Token), e.link("unsubscribe", m.Token)
	return write(msg, "update", v)
}

// writeConfirm asks whether the owner of the address subscribed.
func (e *Email) writeConfirm(msg *gomail.Msg, m Message) error {
	if m.Token == "" {
		return Permanent{Reason: "nobody can confirm with this mail", Err: errNoToken}
	}
	v := e.view(m)
	v.Subject = unencoded("Confirm your subscription to " + v.PageName)
	v.Preview = "Nothing is sent to you until you confirm. The link works for 24 hours."
	v.Confirm = e.link("subscriptions/confirm", m.Token)
	return write(msg, "confirm", v)
}

func write(msg *gomail.Msg, name string, v mailView) error {
	var text, html bytes.Buffer
	if err := textMails.ExecuteTemplate(&text, name+".txt", v); err != nil {
		return fmt.Errorf("write the text of mail %s: %w", name, err)
	}
	if err := htmlMails.ExecuteTemplate(&html, name+".html", v); err != nil {
		return fmt.Errorf("write the HTML of mail %s: %w", name, err)
	}
	msg.Subject(v.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, text.String())
	msg.AddAlternativeString(gomail.TypeTextHTML, html.String())
	return nil
}
