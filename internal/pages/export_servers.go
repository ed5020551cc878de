package pages

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Web servers know neither the types of feeds nor that everybody may read them.
// What they have to be told lies beside the files, in the words of three of them.

// dataTypes are the media types of files that are for programs, by a pattern of
// their names as nginx reads it.
var dataTypes = []struct{ pattern, contentType string }{
	{`\.rss$`, rssKind.contentType},
	{`\.atom$`, atomKind.contentType},
	{`\.ics$`, calendarKind.contentType},
	{`/(history|updates)\.json$`, jsonFeedKind.contentType},
	{`\.json$`, jsonKind.contentType},
	{`/banner.*\.js$`, bannerKind.contentType},
	{`/badge\.svg$`, badgeKind.contentType},
}

// hostHeaders is the _headers file that several hosts of static sites read.
func hostHeaders(s *site) string {
	var b strings.Builder
	fmt.Fprintf(&b, "/*\n  X-Content-Type-Options: nosniff\n  Content-Security-Policy: %s\n  Cache-Control: %s\n", pagePolicy, soon)
	fmt.Fprintf(&b, "/assets/*\n  ! Cache-Control\n  Cache-Control: %s\n", forever)
	open := func(at, contentType string) {
		fmt.Fprintf(&b, "%s\n  Content-Type: %s\n  Access-Control-Allow-Origin: *\n", at, contentType)
	}
	for _, at := range slices.Sorted(maps.Keys(s.docs)) {
		doc := s.docs[at]
		if slices.ContainsFunc(doc.Header, func(h [2]string) bool { return h[0] == "Access-Control-Allow-Origin" }) && !doc.isPage() {
			open(at, doc.ContentType)
		}
	}
	for _, form := range slices.Sorted(maps.Keys(feedForms)) {
		open("/components/*/history"+form, feedForms[form].kind.contentType)
	}
	open("/components/*/history.ics", calendarKind.contentType)
	open("/maintenance/*.ics", calendarKind.contentType)
	open("/components/*/badge.svg", badgeKind.contentType)
	return b.String()
}

// nginxHeaders goes into a server block of nginx.
func nginxHeaders() string {
	var b strings.Builder
	b.WriteString("# Include this in the server block whose root is this folder.\n")
	fmt.Fprintf(&b, "add_header X-Content-Type-Options nosniff;\nadd_header Content-Security-Policy \"%s\";\nadd_header Cache-Control \"%s\";\n", pagePolicy, soon)
	b.WriteString("charset utf-8;\nerror_page 404 /404.html;\nlocation = /404.html { internal; }\n")
	b.WriteString("location ~ ^/(nginx\\.conf|Caddyfile|_headers)$ { return 404; }\n")
	b.WriteString("location / { try_files $uri $uri/index.html =404; }\n")
	fmt.Fprintf(&b, "location /assets/ { add_header Cache-Control \"%s\"; }\n", forever)
	for _, d := range dataTypes { // an add_header in a location hides those above
		fmt.Fprintf(&b, "location ~ %s { types {} default_type \"%s\"; add_header Access-Control-Allow-Origin *; add_header X-Content-Type-Options nosniff; add_header Cache-Control \"%s\"; }\n",
			d.pattern, d.contentType, soon)
	}
	return b.String()
}

// caddyHeaders is a whole Caddyfile.
func caddyHeaders() string {
	var b strings.Builder
	b.WriteString("# Run Caddy in this folder, with your own host name in place of :8080.\n:8080 {\n\troot * .\n")
	fmt.Fprintf(&b, "\theader X-Content-Type-Options nosniff\n\theader Content-Security-Policy \"%s\"\n", pagePolicy)
	for _, d := range slices.Backward(dataTypes) { // the later wins
		name := strings.Trim(strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r
			}
			return '-'
		}, path.Base(d.pattern)), "-")
		fmt.Fprintf(&b, "\t@%[1]s path_regexp %[2]s\n\theader @%[1]s Content-Type \"%[3]s\"\n\theader @%[1]s Access-Control-Allow-Origin *\n", name, d.pattern, d.contentType)
	}
	b.WriteString("\ttry_files {path} {path}/index.html =404\n\tfile_server\n\thandle_errors {\n\t\trewrite * /404.html\n\t\tfile_server\n\t}\n}\n")
	return b.String()
}
