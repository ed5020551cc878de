package broadcast

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"html"
	htmltemplate "html/template"
	"net/url"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
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

// mostNamed is how many components a mail names, mostEarlier how many updates
// that came before.
const (
	mostNamed   = 20
	mostEarlier = 5
)

// mailView is what the templates show.
type mailView struct {
	L         *language
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
	Earlier  []passageView
	Link     string
	Button   string // what a mail to operators calls the link

	Preferences string
	Unsubscribe string
	Confirm     string
}

// passageView is what was said before.
type passageView struct {
	State, At, Text string
	HTML            htmltemplate.HTML
}

// looks are shape and colours of each tone; the word stands beside them.
var looks = map[Tone]struct{ glyph, ink, tint string }{
	ToneTrouble: {"▲", "#912018", "#fee4e2"},
	ToneKnown:   {"◆", "#93370d", "#fef0c7"},
	ToneWatched: {"●", "#1849a9", "#d1e9ff"},
	ToneGood:    {"✓", "#085d3a", "#d1fadf"},
	TonePlanned: {"■", "#4a1fb8", "#ebe9fe"},
}

// draft is a mail before it has a recipient: in their places stand marks.
type draft struct{ subject, text, html string }

// The marks cannot be guessed, or a text could have a recipient's secret link
// put into a link of its own.
var markRecipient, markToken = rand.Text(), rand.Text()

// to puts the recipient in.
func (d draft) to(m Message) draft {
	recipient, token := oneLine(m.Recipient), url.PathEscape(m.Token)
	d.text = fillIn(d.text, recipient, token)
	d.html = fillIn(d.html, html.EscapeString(recipient), html.EscapeString(token))
	return d
}

func fillIn(text, recipient, token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, markRecipient, recipient), markToken, token)
}

// write words the message for all who read the same language in the same time
// zone.
func (e *Email) write(m Message) (draft, error) {
	name := e.pageName
	if name == "" {
		name = e.host
	}
	v := mailView{L: speak(m.Language, e.language), PageName: name, PageURL: e.base + "/", Recipient: markRecipient}
	v.Preferences, v.Unsubscribe = e.link("subscriptions", markToken), e.link("unsubscribe", markToken)
	switch m.Event {
	case status.EventConfirm:
		v.Subject = unencoded(v.L.Say("confirm_subject", name))
		v.Preview = v.L.Say("confirm_preview")
		v.Confirm = e.link("subscriptions/confirm", markToken)
		return execute("confirm", v)
	case status.EventSubscribed:
		v.Subject = unencoded(v.L.Say("subscribed_subject", name))
		return execute("subscribed", v)
	case status.EventStopped:
		v.Subject = unencoded(v.L.Say("stopped_subject", name))
		v.Title, v.Link = oneLine(m.Title), m.Link
		return execute("stopped", v)
	case status.EventTest:
		v.Subject = unencoded(v.L.Say("test_subject", name))
		v.Title = v.L.Say("test_title")
		return execute("test", v)
	}
	if m.Event.Readers() == status.Operators {
		v.L = languages["en"] // as the admin is
		e.tell(&v, m)
		v.Subject, v.Facts, v.Button = unencoded("["+name+"] "+m.State+": "+cutTo(oneLine(m.Title), 150)), m.Facts, m.LinkWords
		v.Preview = cutTo(strings.Join(m.Facts, " "), 140)
		return execute("draft", v)
	}
	e.tell(&v, m)
	return execute("update", v)
}

// tell fills in what a message about an update says.
func (e *Email) tell(v *mailView, m Message) {
	look, zone := looks[m.Tone], e.zoneOf(m.TimeZone)
	v.Subject, v.State, v.Tone = e.subject(m), v.L.state(m.Code, m.State), m.Tone
	v.Glyph, v.Ink, v.Tint = look.glyph, look.ink, look.tint
	v.Title = oneLine(m.Title)
	if !m.At.IsZero() {
		v.At = v.L.moment(m.At, zone)
	}
	if m.Late && m.Since != "" {
		v.Since = v.L.state(m.SinceCode, m.Since)
	}
	body := shorten(v.L.body(m.Body), longestBody)
	v.Text, v.HTML = readable(body), htmltemplate.HTML(render(body))
	v.Preview = cutTo(v.State+". "+plain(body), 140)
	v.Facts, v.Link = v.L.span(m, zone), m.Link
	for n, p := range m.Earlier {
		if n == mostEarlier {
			break // the page has them all
		}
		text := shorten(v.L.body(p.Body), longestBody/mostEarlier)
		v.Earlier = append(v.Earlier, passageView{
			v.L.state(p.Code, p.State), v.L.moment(p.At, zone), readable(text), htmltemplate.HTML(render(text)),
		})
	}
	for n, a := range m.Affected {
		if n == mostNamed {
			v.More = len(m.Affected) - mostNamed
			break
		}
		if word, known := v.L.Components[a.Status]; known && a.State != "" {
			a.State = word
		}
		v.Affected = append(v.Affected, a)
	}
}

// shorten cleans a text and cuts what is too long for a mail.
func shorten(text string, most int) string {
	text = clean(text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// zoneOf is the time zone by that name, or that of the page.
func (e *Email) zoneOf(name string) *time.Location {
	if name != "" {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone
		}
	}
	return e.zone
}

func execute(name string, v mailView) (draft, error) {
	var text, page bytes.Buffer
	if err := textMails.ExecuteTemplate(&text, name+".txt", v); err != nil {
		return draft{}, fmt.Errorf("write the text of mail %s: %w", name, err)
	}
	if err := htmlMails.ExecuteTemplate(&page, name+".html", v); err != nil {
		return draft{}, fmt.Errorf("write the HTML of mail %s: %w", name, err)
	}
	return draft{v.Subject, text.String(), page.String()}, nil
}
