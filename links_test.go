package statusbridge_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestNoLinkOfTheDocsIsDead: every page, picture and heading that a page links
// to is there. Addresses outside the repository are not asked.
func TestNoLinkOfTheDocsIsDead(t *testing.T) {
	files := os.DirFS(".")
	pages, links := 0, 0
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && name != ".github" && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() && d.Name() == "testdata", d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case path.Ext(name) != ".md":
			return nil
		}
		pages++
		for _, target := range linksOf(t, files, name) {
			links++
			if why := dead(t, files, name, target); why != "" {
				t.Errorf("%s links to %s: %s", name, target, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pages < 15 || links < 60 {
		t.Errorf("only %d links on %d pages were found", links, pages)
	}
	for target, isDead := range map[string]bool{
		"docs/rules.md": false, "docs/rules.md#test-them": false, "#rules": false,
		"docs/no.md": true, "docs/rules.md#no": true, "#no": true,
	} {
		if why := dead(t, files, "README.md", target); (why != "") != isDead {
			t.Errorf("the check says of %s: %q", target, why)
		}
	}
}

var (
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	inline  = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
)

// prose is a page without its code.
func prose(t *testing.T, files fs.FS, name string) string {
	t.Helper()
	text, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	return fenced.ReplaceAllString(string(text), "")
}

// linksOf lists what a page links to inside the repository.
func linksOf(t *testing.T, files fs.FS, name string) []string {
	t.Helper()
	var out []string
	for _, m := range inline.FindAllStringSubmatch(prose(t, files, name), -1) {
		target := m[1] + m[2]
		if !strings.Contains(target, ":") && !strings.HasPrefix(target, "/") {
			out = append(out, target)
		}
	}
	return out
}

// dead says why a link leads nowhere, "" if it leads somewhere.
func dead(t *testing.T, files fs.FS, from, target string) string {
	t.Helper()
	file, anchor, _ := strings.Cut(target, "#")
	to := from
	if file != "" {
		to = path.Join(path.Dir(from), file)
	}
	if _, err := fs.Stat(files, to); err != nil {
		return "there is no such file"
	}
	if anchor == "" {
		return ""
	}
	for _, h := range heading.FindAllStringSubmatch(prose(t, files, to), -1) {
		if anchorOf(h[1]) == anchor {
			return ""
		}
	}
	return "there is no such heading"
}

// anchorOf is how GitHub names a heading.
func anchorOf(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-', r == '_', r >= '0' && r <= '9', r >= 'a' && r <= 'z', r > 127:
			b.WriteRune(r)
		}
	}
	return b.String()
}
