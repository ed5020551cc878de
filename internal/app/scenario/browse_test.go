package scenario

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// person is somebody with a browser that knows no JavaScript: they read pages,
// fill in the forms they find and press their buttons.
type person struct {
	t       testing.TB
	base    string
	origin  string // of the pages whose forms are sent: base, unless a test attacks
	cookies map[string]string
}

func visitor(d *daemon) *person {
	return &person{t: d.t, base: d.url, origin: d.url, cookies: map[string]string{}}
}

// admin is a person who signed in as the admin of the first start.
func admin(d *daemon) *person {
	d.t.Helper()
	return signIn(d, "admin@localhost", d.password)
}

func signIn(d *daemon, email, password string) *person {
	d.t.Helper()
	p := visitor(d)
	f := p.get("/admin/login").form("password")
	f.set("email", email)
	f.set("password", password)
	after := f.press("")
	if after.status != http.StatusOK || after.has("input", "type", "password") {
		d.t.Fatalf("signing in as %s: %d %s\n%s", email, after.status, after.path, after.text())
	}
	return p
}

// page is an answer, parsed.
type page struct {
	person *person
	status int
	path   string // where it was found, after redirects
	header http.Header
	body   []byte
	doc    *html.Node
}

func (p *person) get(path string) *page { return p.send(http.MethodGet, path, nil) }

// send follows redirects as a browser does.
func (p *person) send(method, path string, values url.Values) *page {
	p.t.Helper()
	for range 6 {
		got, to := p.once(method, path, values)
		if to == "" {
			return got
		}
		method, path, values = http.MethodGet, to, nil
	}
	p.t.Fatalf("%s: too many redirects", path)
	return nil
}

// once sends one request, and says where it is sent on to.
func (p *person) once(method, path string, values url.Values) (*page, string) {
	p.t.Helper()
	target, err := url.Parse(p.base)
	if err != nil {
		p.t.Fatal(err)
	}
	if target, err = target.Parse(path); err != nil {
		p.t.Fatal(err)
	}
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(values.Encode())
	} else if len(values) > 0 {
		target.RawQuery = values.Encode()
	}
	req, err := http.NewRequest(method, target.String(), body)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", p.origin)
		req.Header.Set("Sec-Fetch-Site", map[bool]string{true: "same-origin", false: "cross-site"}[p.origin == p.base])
	}
	for name, value := range p.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	for _, c := range resp.Cookies() {
		if c.MaxAge < 0 || c.Value == "" {
			delete(p.cookies, c.Name)
		} else {
			p.cookies[c.Name] = c.Value
		}
	}
	if to := resp.Header.Get("Location"); to != "" && resp.StatusCode/100 == 3 {
		next, err := target.Parse(to)
		if err != nil {
			p.t.Fatal(err)
		}
		return nil, next.String()
	}
	doc, err := html.Parse(bytes.NewReader(raw))
	if err != nil {
		p.t.Fatal(err)
	}
	return &page{p, resp.StatusCode, target.RequestURI(), resp.Header, raw, doc}, ""
}

// text is what a reader sees, in one line.
func (p *page) text() string { return textOf(p.doc) }

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		hidden := d.Parent != nil && slices.Contains([]string{"script", "style", "head"}, d.Parent.Data)
		if d.Type == html.TextNode && !hidden {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// says is nil when the page shows each of the texts.
func (p *page) says(texts ...string) error {
	shown := p.text()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			return fmt.Errorf("%s (%d) does not say %q but: %.1500s", p.path, p.status, text, shown)
		}
	}
	return nil
}

// has reports whether there is an element with that attribute.
func (p *page) has(element, attribute, value string) bool {
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == element && attr(n, attribute) == value {
			return true
		}
	}
	return false
}

// links lists the href of every link.
func (p *page) links() []string {
	var found []string
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" && attr(n, "href") != "" {
			found = append(found, attr(n, "href"))
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// form is a form as the page shows it, with what is typed into it.
type form struct {
	page   *page
	node   *html.Node
	fields url.Values
}

// form finds the form that has the field, a button of that label, or that
// target; the page must have it.
func (p *page) form(having string) *form {
	p.person.t.Helper()
	for n := range p.doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		f := &form{p, n, valuesOf(n)}
		_, field := f.fields[having]
		if field || strings.HasSuffix(attr(n, "action"), having) || f.button(having) != nil {
			return f
		}
	}
	p.person.t.Fatalf("%s (%d) has no form with %q:\n%s", p.path, p.status, having, p.forms())
	return nil
}

// forms describes the forms of the page, for failures.
func (p *page) forms() string {
	var b strings.Builder
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" {
			fmt.Fprintf(&b, "%s %s %q: %s\n", attr(n, "method"), attr(n, "action"), textOf(n), valuesOf(n).Encode())
		}
	}
	if b.Len() == 0 {
		return p.text()
	}
	return b.String()
}

// valuesOf is what a browser would send of an untouched form.
func valuesOf(f *html.Node) url.Values {
	values := url.Values{}
	for n := range f.Descendants() {
		name := attr(n, "name")
		if n.Type != html.ElementNode || name == "" {
			continue
		}
		switch n.Data {
		case "input":
			switch attr(n, "type") {
			case "submit", "button", "image", "reset", "file":
			case "checkbox", "radio":
				if set(n, "checked") {
					values.Add(name, orOn(attr(n, "value")))
				} else if _, known := values[name]; !known {
					values[name] = nil
				}
			default:
				values.Add(name, attr(n, "value"))
			}
		case "textarea":
			var b strings.Builder
			for c := range n.ChildNodes() {
				b.WriteString(c.Data)
			}
			values.Add(name, strings.TrimPrefix(b.String(), "\n"))
		case "select":
			values.Add(name, chosen(n))
		}
	}
	return values
}

func chosen(n *html.Node) string {
	first, found := "", false
	for o := range n.Descendants() {
		if o.Type != html.ElementNode || o.Data != "option" {
			continue
		}
		value := attr(o, "value")
		if !set(o, "value") {
			value = textOf(o)
		}
		if set(o, "selected") {
			return value
		}
		if !found {
			first, found = value, true
		}
	}
	return first
}

func set(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func orOn(v string) string {
	if v == "" {
		return "on"
	}
	return v
}

// value is what stands in the field.
func (f *form) value(field string) string { return f.fields.Get(field) }

// set types into a field that the form has.
func (f *form) set(field string, values ...string) {
	f.page.person.t.Helper()
	if _, ok := f.fields[field]; !ok {
		f.page.person.t.Fatalf("%s: the form %s has no field %q, only %s", f.page.path, attr(f.node, "action"), field, f.fields.Encode())
	}
	f.fields[field] = values
}

// tick ticks the box of that name whose label has the text.
func (f *form) tick(field, label string) {
	f.page.person.t.Helper()
	for n := range f.node.Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" && attr(n, "name") == field && strings.Contains(textOf(n.Parent), label) {
			f.fields.Add(field, orOn(attr(n, "value")))
			return
		}
	}
	f.page.person.t.Fatalf("%s: no box %q for %s", f.page.path, label, field)
}

// button finds a submit button whose label begins with the text.
func (f *form) button(label string) *html.Node {
	for n := range f.node.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		is := n.Data == "button" && attr(n, "type") != "button" || n.Data == "input" && attr(n, "type") == "submit"
		text := textOf(n) + attr(n, "aria-label")
		if n.Data == "input" {
			text = attr(n, "value")
		}
		if is && strings.HasPrefix(text, label) {
			return n
		}
	}
	return nil
}

// press submits the form with the button of that label; "" is the first one.
func (f *form) press(label string) *page {
	f.page.person.t.Helper()
	b := f.button(label)
	if b == nil {
		f.page.person.t.Fatalf("%s: the form %s has no button %q:\n%s", f.page.path, attr(f.node, "action"), label, textOf(f.node))
	}
	values := url.Values{}
	for name, v := range f.fields {
		values[name] = v
	}
	if name := attr(b, "name"); name != "" {
		values.Set(name, attr(b, "value"))
	}
	target := attr(b, "formaction")
	if target == "" {
		target = attr(f.node, "action")
	}
	if target == "" {
		target = f.page.path
	}
	method := http.MethodGet
	if strings.EqualFold(attr(f.node, "method"), "post") {
		method = http.MethodPost
	}
	return f.page.person.send(method, target, values)
}
