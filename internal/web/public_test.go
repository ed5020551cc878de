package web_test

import (
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/web"
)

func TestAPublicPageIsServedInTheEncodingTheVisitorLikesMost(t *testing.T) {
	s := newSite(t)
	for accept, want := range map[string]string{
		"":                              "",
		"gzip, deflate, br, zstd":       "br",
		"gzip":                          "gzip",
		"br;q=0.5, gzip;q=0.8":          "gzip",
		"br;q=0, gzip;q=0":              "",
		"identity;q=1, br;q=0.5":        "",
		"*":                             "br",
		"*;q=0":                         "",
		"*;q=0, gzip":                   "gzip",
		"GZIP;Q=1.0":                    "gzip",
		"br;q=nonsense, gzip;q=0.001":   "gzip",
		"br;q=1.0001, gzip;q=0.9":       "gzip",
		"compress, identity;q=0.5":      "",
		" , ,gzip ; q=0.7 , br ;q=0.70": "br",
	} {
		req := request("GET", host, "/", nil)
		if accept != "" {
			req.Header.Set("Accept-Encoding", accept)
		}
		got := s.send(req)
		if enc := got.Header.Get("Content-Encoding"); got.StatusCode != 200 || enc != want {
			t.Errorf("Accept-Encoding %q: %d in %q, want %q", accept, got.StatusCode, enc, want)
		}
		if got.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Vary is %q", accept, got.Header.Get("Vary"))
		}
	}
}

func TestAPublicPageIsNotSentTwice(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct {
		name, header, value string
		want                int
	}{
		{"the same tag", "If-None-Match", `"v1"`, 304},
		{"a weak tag", "If-None-Match", `W/"v1"`, 304},
		{"a list", "If-None-Match", `"a", W/"b" ,"v1"`, 304},
		{"any", "If-None-Match", `*`, 304},
		{"another tag", "If-None-Match", `"v2"`, 200},
		{"no tag at all", "If-None-Match", `v1`, 200},
		{"a tag cut off", "If-None-Match", `"v1`, 200},
		{"the same date", "If-Modified-Since", "Mon, 05 Jan 2026 08:00:00 GMT", 304},
		{"an earlier date", "If-Modified-Since", "Mon, 05 Jan 2026 07:59:59 GMT", 200},
		{"no date", "If-Modified-Since", "yesterday", 200},
	} {
		req := request("GET", host, "/", nil)
		req.Header.Set(tt.header, tt.value)
		got := s.send(req)
		if got.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got.StatusCode, tt.want)
		}
		if tt.want == 304 && (got.body != "" || got.Header.Get("ETag") != `"v1"` || got.Header.Get("Cache-Control") == "") {
			t.Errorf("%s: a 304 has no body but its tag and age: %v %q", tt.name, got.Header, got.body)
		}
	}
	req := request("GET", host, "/", nil)
	req.Header.Set("If-None-Match", `"v2"`)
	req.Header.Set("If-Modified-Since", "Mon, 05 Jan 2026 08:00:00 GMT")
	if got := s.send(req); got.StatusCode != 200 {
		t.Errorf("If-None-Match decides alone, got %d", got.StatusCode)
	}
	req.Header.Add("If-None-Match", `"v1"`)
	if got := s.send(req); got.StatusCode != 304 {
		t.Errorf("a list may come in two lines (RFC 9110, 5.3), got %d", got.StatusCode)
	}
}

func TestPublicPaths(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct {
		method, path, location string
		want                   int
	}{
		{"GET", "/", "", 200},
		{"HEAD", "/", "", 200},
		{"GET", "/history", "", 200},
		{"GET", "/history/", "/history", 301},
		{"GET", "/issues/old", "", 200},
		{"GET", "/issues/unknown", "", 404},
		{"GET", "/issues/old/", "/issues/old", 301},
		{"GET", "/incidents/old", "/issues/old", 301},
		{"GET", "/incidents/old/", "/issues/old", 301},
		{"GET", "/incidents/unknown", "", 404},
		{"GET", "/incidents/..%2fadmin", "", 404},
		{"GET", "/maintenance/unknown", "", 404},
		{"GET", "/history/2026-11", "", 404},
		{"GET", "/nothing", "", 404},
		{"GET", "//evil.example/", "", 404},
		{"POST", "/", "", 405},
		{"POST", "/nothing", "", 404},
		{"DELETE", "/issues/old", "", 404},
	} {
		got := s.send(request(tt.method, host, tt.path, nil))
		if got.StatusCode != tt.want || got.Header.Get("Location") != tt.location {
			t.Errorf("%s %s: %d to %q, want %d to %q", tt.method, tt.path, got.StatusCode, got.Header.Get("Location"), tt.want, tt.location)
		}
		if tt.method == "HEAD" && (got.body != "" || got.Header.Get("Content-Length") != "32") {
			t.Errorf("HEAD has the length and no body: %v %q", got.Header, got.body)
		}
	}
}

func TestAWallBoardMayAskToBeRefreshed(t *testing.T) {
	s := newSite(t)
	for query, want := range map[string]string{"?refresh=60": "60", "?refresh=1": "", "?refresh=60;url=//evil": "", "": ""} {
		if got := s.browser().get("/" + query).Header.Get("Refresh"); got != want {
			t.Errorf("%q: Refresh is %q, want %q", query, got, want)
		}
	}
}

func TestOnlyOurOwnHostIsServed(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct {
		host, method, path string
		want               int
	}{
		{"status.example.com", "GET", "/", 200},
		{"STATUS.example.com", "GET", "/", 200},
		{"status.example.com:443", "GET", "/", 200},
		{"localhost:8080", "GET", "/", 200},
		{"127.0.0.1", "GET", "/", 200},
		{"[::1]:8080", "GET", "/", 200},
		{"evil.example", "GET", "/", 421},
		{"status.example.com.evil.example", "GET", "/", 421},
		{"status.example.com:8080", "GET", "/", 421},
		{"evil.example", "GET", "/admin/login", 421},
		{"evil.example", "GET", "/nothing", 421},
		{"10.0.0.7:8080", "GET", "/healthz", 200},
		{"statusbridge.monitoring.svc", "POST", "/hooks/alertmanager", 401},
	} {
		req := request(tt.method, tt.host, tt.path, nil)
		if got := s.send(req); got.StatusCode != tt.want {
			t.Errorf("%s %s at %s: %d, want %d", tt.method, tt.path, tt.host, got.StatusCode, tt.want)
		}
	}
	anywhere := newSite(t, func(c *web.Config) { c.PublicURL = "http://127.0.0.1:8080" })
	if got := anywhere.send(request("GET", "box.lan:8080", "/", nil)); got.StatusCode != 200 {
		t.Errorf("with a local public_url any host is fine, got %d", got.StatusCode)
	}
}

func TestErrorsTellNothingOfTheInside(t *testing.T) {
	s := newSite(t)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/subscriptions", "/admin", "/admin/login"} {
		got := s.do("GET", path)
		if path != "/admin/login" && got.StatusCode != 500 && got.StatusCode != 303 {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
		if strings.Contains(got.body, "sql") || strings.Contains(got.body, "closed") || strings.Contains(got.body, ".go") {
			t.Errorf("%s tells of the inside: %s", path, got.body)
		}
	}
}

func (s *site) do(method, path string) answer {
	return s.send(request(method, host, path, nil))
}
