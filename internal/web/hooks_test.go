package web_test

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/alerts"
)

func basic(user, word string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+word))
}

func TestAWebhookNeedsTheSecret(t *testing.T) {
	for _, tt := range []struct {
		name, header, value string
		want                int
	}{
		{"bearer", "Authorization", "Bearer " + secret, 202},
		{"bearer in lower case", "Authorization", "bearer " + secret, 202},
		{"the previous secret during rotation", "Authorization", "Bearer " + previous, 202},
		{"basic with any user", "Authorization", basic("anybody", secret), 202},
		{"basic without a user", "Authorization", basic("", secret), 202},
		{"own header", "X-Statusbridge-Secret", secret, 202},
		{"none", "", "", 401},
		{"wrong", "Authorization", "Bearer nonsense", 401},
		{"a part of it", "Authorization", "Bearer " + secret[:5], 401},
		{"empty, though the list holds an empty one", "Authorization", "Bearer ", 401},
		{"empty own header", "X-Statusbridge-Secret", "", 401},
		{"as the user of basic", "Authorization", basic(secret, "x"), 401},
		{"basic that is no base64", "Authorization", "Basic !!", 401},
	} {
		s := newSite(t)
		req := request("POST", host, "/hooks/alertmanager", strings.NewReader(`{"version":"4"}`))
		if tt.header != "" {
			req.Header.Set(tt.header, tt.value)
		}
		got := s.send(req)
		if got.StatusCode != tt.want || (len(s.intake.got) == 1) != (tt.want == 202) {
			t.Errorf("%s: %d with %d taken in, want %d", tt.name, got.StatusCode, len(s.intake.got), tt.want)
		}
		if tt.want == 202 && got.body != `{"id":"w1","events":2}` {
			t.Errorf("%s: %s", tt.name, got.body)
		}
		if tt.want == 401 && (got.Header.Get("WWW-Authenticate") == "" || !strings.Contains(got.Header.Get("Content-Type"), "problem+json")) {
			t.Errorf("%s: %v", tt.name, got.Header)
		}
	}
}

func TestAWebhookNamesItsSource(t *testing.T) {
	for path, want := range map[string]string{
		"/hooks/alertmanager":                            "alertmanager alertmanager",
		"/hooks/newrelic":                                "newrelic newrelic",
		"/hooks/alertmanager/prod.eu-1_a":                "alertmanager prod.eu-1_a",
		"/hooks/newrelic/n":                              "newrelic n",
		"/hooks/alertmanager/" + strings.Repeat("a", 64): "alertmanager " + strings.Repeat("a", 64),
		"/hooks/alertmanager/" + strings.Repeat("a", 65): "",
		"/hooks/alertmanager/Prod":                       "",
		"/hooks/alertmanager/a%20b":                      "",
		"/hooks/alertmanager/a/b":                        "",
		"/hooks/grafana":                                 "",
	} {
		s := newSite(t)
		req := request("POST", host, path, strings.NewReader("{}"))
		req.Header.Set("Authorization", "Bearer "+secret)
		got := s.send(req)
		source := ""
		if len(s.intake.got) == 1 {
			source = s.intake.got[0].Kind + " " + s.intake.got[0].Source
		}
		if source != want || (want == "") != (got.StatusCode == 404) {
			t.Errorf("%s: %d from %q, want %q", path, got.StatusCode, source, want)
		}
	}
}

func TestAWebhookThatCannotBeStoredIsAskedForAgain(t *testing.T) {
	for _, err := range []error{alerts.ErrUnavailable, errors.New("disk full at /var/lib")} {
		s := newSite(t)
		s.intake.err = err
		req := request("POST", host, "/hooks/alertmanager", strings.NewReader("{}"))
		req.Header.Set("Authorization", "Bearer "+secret)
		got := s.send(req)
		if got.StatusCode != 503 || got.Header.Get("Retry-After") != "5" || strings.Contains(got.body, "disk") {
			t.Errorf("%v: %d %v %s", err, got.StatusCode, got.Header, got.body)
		}
	}
}

func TestOnlyAuthenticatedWebhooksMayBeLarge(t *testing.T) {
	large := strings.Repeat("a", 3<<20)
	for _, tt := range []struct {
		path, key, body string // who is refused is not even read
		want            int
	}{
		{"/hooks/alertmanager", secret, large, 202},
		{"/hooks/alertmanager", "nonsense", "", 401},
		{"/hooks/newrelic/x", "", "", 401},
		{"/subscriptions", secret, "", 413},
		{"/admin/login", secret, "", 413},
	} {
		s := newSite(t)
		got, _ := say(t, s.listen(), "POST "+tt.path+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\nAuthorization: Bearer "+tt.key+
			"\r\nContent-Length: "+strconv.Itoa(len(large))+"\r\n\r\n"+tt.body)
		if !strings.HasPrefix(got, "HTTP/1.1 "+strconv.Itoa(tt.want)+" ") {
			t.Errorf("3 MiB to %s with %q: want %d, got %s", tt.path, tt.key, tt.want, firstLines(got))
		}
		if tt.want == 202 && len(s.intake.got[0].Body) != len(large) {
			t.Errorf("the body arrived as %d bytes", len(s.intake.got[0].Body))
		}
	}
}

func TestNoBodyIsEverInflated(t *testing.T) {
	s := newSite(t)
	for _, encoding := range []string{"gzip", "br", "deflate", "identity", "gzip, gzip"} {
		for _, path := range []string{"/hooks/alertmanager", "/subscriptions", "/admin/login", "/unsubscribe/x"} {
			req := request("POST", host, path, strings.NewReader("\x1f\x8b"))
			req.Header.Set("Authorization", "Bearer "+secret)
			req.Header.Set("Content-Encoding", encoding)
			if got := s.send(req); got.StatusCode != 415 {
				t.Errorf("%s in %s: %d, want 415", path, encoding, got.StatusCode)
			}
		}
	}
	if len(s.intake.got) != 0 {
		t.Error("an encoded body reached the intake")
	}
}
