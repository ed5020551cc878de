package web

import (
	"net/netip"
	"testing"
)

func TestTheClientIsTheFirstAddressThatNoTrustedProxyHas(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name, peer string
		hops       []string
		want       string
	}{
		{"no proxy", "203.0.113.9", nil, "203.0.113.9"},
		{"a stranger's header means nothing", "203.0.113.9", []string{"198.51.100.1"}, "203.0.113.9"},
		{"one proxy", "10.0.0.1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.1", []string{"198.51.100.1", " 10.0.0.2"}, "198.51.100.1"},
		{"what the client wrote itself is not reached", "10.0.0.1", []string{"1.1.1.1", "198.51.100.1"}, "198.51.100.1"},
		{"garbage stops the walk", "10.0.0.1", []string{"198.51.100.1", "unknown", "10.0.0.2"}, "10.0.0.2"},
		{"with a port", "10.0.0.1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"IPv6 in brackets", "fd00::1", []string{"[2001:db8::7]:80"}, "2001:db8::7"},
		{"IPv4 written as IPv6", "10.0.0.1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"only proxies", "10.0.0.1", []string{"10.0.0.2"}, "10.0.0.2"},
	} {
		if got := walkForwarded(netip.MustParseAddr(tt.peer), tt.hops, trusted); got.String() != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestALoginGoesOnlyWhereTheAdminIs(t *testing.T) {
	for next, want := range map[string]string{
		"/admin":                         "/admin",
		"/admin/issues/abc?show=open":    "/admin/issues/abc?show=open",
		"/admin/issues/abc#edit":         "/admin/issues/abc",
		"":                               "",
		"/":                              "",
		"/administrator":                 "",
		"//evil.example/admin":           "",
		"https://evil.example/admin":     "",
		"/admin//evil.example":           "",
		"/admin/../evil":                 "",
		"/admin/%2e%2e/evil":             "",
		"/admin\\evil.example":           "",
		"\\\\evil.example":               "",
		"/admin/\r\nSet-Cookie: a=b":     "",
		"javascript:alert(1)":            "",
		"/admin/login?next=/admin/login": "",
		"/admin/logout":                  "",
		"http:/admin":                    "",
		"/\t/evil.example":               "",
	} {
		if got := safeNext(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}
