package pages

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/statusbridge/statusbridge/internal/status"
)

// Config is what an operator can choose about the public pages. The zero value
// of every field but PublicURL is usable.
type Config struct {
	Name       string // of the page; "Status" when empty
	PublicURL  string // absolute, without a path
	TimeZone   *time.Location
	Language   string   // of the interface, such as pt-BR; "en" when empty
	Languages  []string // others that the page can be read in; none is all there are
	SupportURL string   // http, https or mailto; "" shows none
	Logo       string   // path of an SVG, PNG, JPEG or WebP file; "" shows the name
	Accent     string   // a hex colour such as #0b5fff
	CSS        string   // path of a file that is added to the stylesheet; "" adds none
	DataDir    string   // where the last good view is kept; "" keeps none
	// Uncompressed: documents are to be written to files, and nobody takes them
	// compressed.
	Uncompressed bool
	Weights      status.Weights
	Mail         bool // offer subscriptions by email
	Charts       []status.Chart
	TwitterURL   string // of the account that posts updates; "" shows none
	// SecurityContacts are what security.txt names, https or mailto URLs; none:
	// there is no security.txt.
	SecurityContacts []string
}

var accentForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// complete checks the configuration and fills in what was left out.
func (c Config) complete() (Config, error) {
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return c, fmt.Errorf("public_url %q: want an absolute URL such as https://status.example.com", c.PublicURL)
	}
	if c.Name = oneLine(c.Name); c.Name == "" {
		c.Name = "Status"
	}
	if c.TimeZone == nil {
		c.TimeZone = time.UTC
	}
	if c.Language == "" {
		c.Language = "en"
	}
	if len(c.Languages) == 0 {
		c.Languages = languageCodes()
	}
	if c.Weights == nil {
		c.Weights = status.DefaultWeights
	}
	for s, w := range c.Weights {
		if !(w >= 0 && w <= 1) {
			return c, fmt.Errorf("page.weights: %v for %s: want a number from 0 (does not count) to 1 (counts in full)", w, strings.ReplaceAll(string(s), "_", " "))
		}
	}
	if c.Accent != "" && !accentForm.MatchString(c.Accent) {
		return c, fmt.Errorf("page.accent %q: want a hex colour such as #0b5fff", c.Accent)
	}
	if !webAddress(c.SupportURL, "http", "https", "mailto") {
		return c, fmt.Errorf("page.support_url %q: want a http, https or mailto URL", c.SupportURL)
	}
	if !webAddress(c.TwitterURL, "http", "https") {
		return c, fmt.Errorf("twitter URL %q: want a http or https URL", c.TwitterURL)
	}
	for _, contact := range c.SecurityContacts {
		if contact == "" || !webAddress(contact, "https", "mailto") {
			return c, fmt.Errorf("page.security_contact %q: want a https or mailto URL, such as mailto:security@example.com", contact)
		}
	}
	return c, nil
}

// webAddress reports whether s is empty or a URL of one of the schemes.
func webAddress(s string, schemes ...string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme && (u.Host != "" || u.Opaque != "") {
			return true
		}
	}
	return false
}

var logoTypes = map[string]string{
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
}

// maxCSS bounds the operator's stylesheet: every visitor loads it.
const maxCSS = 64 << 10

// readCSS loads the operator's additions to the stylesheet. They stand behind
// ours, where an @import would silently do nothing.
func readCSS(path string) (string, error) {
	data, err := os.ReadFile(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("page.css: %w", err)
	case len(data) > maxCSS:
		return "", fmt.Errorf("page.css %s: is larger than %d KiB", path, maxCSS>>10)
	case !utf8.Valid(data):
		return "", fmt.Errorf("page.css %s: is not UTF-8", path)
	case strings.Contains(string(data), "@import"):
		return "", fmt.Errorf("page.css %s: @import does not work here; put the rules into the file", path)
	}
	return string(data), nil
}

// readLogo loads the logo, which is served from here: no page may make its
// visitors ask a third party.
func readLogo(path string) (ext, contentType string, data []byte, err error) {
	ext = strings.ToLower(filepath.Ext(path))
	contentType, ok := logoTypes[ext]
	if !ok {
		return "", "", nil, fmt.Errorf("page.logo %s: want an .svg, .png, .jpg or .webp file", path)
	}
	data, err = os.ReadFile(path)
	if err != nil {
		return "", "", nil, fmt.Errorf("page.logo: %w", err)
	}
	return ext, contentType, data, nil
}
