package scenario

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// readme is README.md, its comments removed.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?s)<!--.*?-->`).ReplaceAllString(string(text), "")
}

// block returns the fenced block of the README that contains the text.
func block(t *testing.T, text string) string {
	t.Helper()
	for _, m := range regexp.MustCompile("(?s)```[a-z]+\n(.*?)```").FindAllStringSubmatch(readme(t), -1) {
		if strings.Contains(m[1], text) {
			return m[1]
		}
	}
	t.Fatalf("README.md has no block with %q", text)
	return ""
}

func TestTheCommandsOfTheReadmeExist(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	d.write(filepath.Join(d.dir, "PAYLOAD.json"), string(message(true, labels{"alertname": "CheckoutDown"}, time.Now())))
	d.deliver("alertmanager", message(true, labels{"alertname": "CheckoutDown", "region": "eu"}, time.Now()))
	issue := (&world{daemon: d, admin: admin(d)}).draft("Checkout is unavailable in eu")
	words := strings.NewReplacer("[FILE]", d.rules, "[TESTS]", filepath.Join(repository, "rules_test.yaml"),
		"ISSUE", filepath.Base(issue), "EMAIL", "jo@example.com", "DIR", filepath.Join(d.dir, "site"), "SOURCE", d.url, "DATA", filepath.Join(d.dir, "data"), "COPY", filepath.Join(d.dir, "copy"), "sqlite:tried.db", "sqlite:"+filepath.Join(d.dir, "tried.db"), "statusbridge ", "")
	ran := 0
	for _, m := range regexp.MustCompile("(?m)^\\| (`statusbridge .*?) \\|").FindAllStringSubmatch(readme(t), -1) {
		for _, c := range regexp.MustCompile("`(statusbridge [^`]+)`").FindAllStringSubmatch(m[1], -1) {
			out, errs, code := d.command("", append([]string{"--config", d.config}, strings.Fields(words.Replace(c[1]))...)...)
			if code != 0 || out == "" {
				t.Errorf("%s: exit code %d, %s%s", c[1], code, out, errs)
			}
			ran++
		}
	}
	for _, also := range []string{"admin list", "admin reset-password jo@example.com", "admin reset-passkeys jo@example.com", "admin disable jo@example.com", "token list", "token revoke NAME"} {
		if out, errs, code := d.command("", append([]string{"--config", d.config}, strings.Fields(also)...)...); code != 0 {
			t.Errorf("%s: exit code %d, %s%s", also, code, out, errs)
		}
		ran++
	}
	if ran < 9 {
		t.Errorf("only %d commands were found in the README", ran)
	}
}

func TestTheReadmeNamesSettingsThatExistAndTheirDefaults(t *testing.T) {
	t.Parallel()
	d := &daemon{t: t, dir: t.TempDir()}
	out, errs, code := d.command("", "config", "print")
	if code != 0 {
		t.Fatalf("config print: %s", errs)
	}
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(out), &tree); err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	var flatten func(prefix string, tree map[string]any)
	flatten = func(prefix string, tree map[string]any) {
		for key, value := range tree {
			if section, nested := value.(map[string]any); nested {
				flatten(prefix+key+".", section)
				continue
			}
			settings[prefix+key] = fmt.Sprint(value)
		}
	}
	flatten("", tree)
	documented := 0
	_, table, _ := strings.Cut(readme(t), "| key | default |")
	table, _, _ = strings.Cut(table, "\n\n")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.Contains(cells[1], "`") {
			continue
		}
		fallbacks := strings.Split(cells[2], ",") // one for all, or one each
		for n, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			documented++
			value, known := settings[m[1]]
			if !known {
				t.Errorf("the README documents %s, which is no setting", m[1])
				continue
			}
			fallback := strings.Trim(strings.TrimSpace(fallbacks[min(n, len(fallbacks)-1)]), "`")
			plain := value != "" && value != "[]" && value != "<nil>"
			if plain && m[1] != "public_url" && fallback != value {
				t.Errorf("%s defaults to %q, the README says %q", m[1], value, fallback)
			}
		}
	}
	if documented < 10 { // docs/configuration.md has all, and is generated
		t.Errorf("only %d settings were found in the README", documented)
	}
}

func TestTheExamplesOfTheReadmeAreAccepted(t *testing.T) {
	t.Parallel()
	d := &daemon{t: t, dir: t.TempDir()}
	rules := filepath.Join(d.dir, "example.yaml")
	d.write(rules, block(t, "matchers:"))
	if out, errs, code := d.command("", "rules", "check", rules); code != 0 {
		t.Errorf("the rules: %s%s", out, errs)
	}
	config := filepath.Join(d.dir, "config.yaml")
	twitter := strings.ReplaceAll(block(t, "twitter:"), "file:/run/secrets/", "a-")
	d.write(config, block(t, "smtp:")+twitter)
	if out, errs, code := d.command("", "--config", config, "config", "print"); code != 0 || strings.Contains(out, "user:password@") || strings.Contains(out, "a-consumer") {
		t.Errorf("the settings: %s%s", out, errs)
	}
	receiver := filepath.Join(d.dir, "alertmanager.yml")
	d.write(receiver, strings.Replace(block(t, "webhook_configs"), "route:\n", "route:\n  receiver: statusbridge\n", 1))
	if out, err := exec.Command(tool(t, "amtool"), "check-config", receiver).CombinedOutput(); err != nil {
		t.Errorf("Alertmanager refuses the receiver: %v\n%s", err, out)
	}
	if bannerLine := block(t, "banner.js"); !strings.Contains(bannerLine, "async") {
		t.Errorf("the banner would block the page: %s", bannerLine)
	}
}

func TestTheSettingsOfThePublicPageWorkAsItsDocumentShowsThem(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(repository, "docs", "public-page.md"))
	if err != nil {
		t.Fatal(err)
	}
	settings := regexp.MustCompile("(?s)```yaml\n(page:.*?)```").FindStringSubmatch(string(text))
	d := install(t, setup{})
	config, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(d.config, strings.Replace(string(config), "page:\n  name: Example Cloud\n", settings[1], 1))
	d.write(filepath.Join(d.dir, "logo.svg"), `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>`)
	d.write(filepath.Join(d.dir, "own.css"), "h1 { font-style: italic }")
	d.start()
	front := visitor(d).get("/")
	for _, element := range [][3]string{{"img", "alt", "Example Cloud"}, {"a", "href", "https://help.example.com"}, {"a", "href", "/de/"}, {"a", "href", "/ja/"}} {
		if !front.has(element[0], element[1], element[2]) {
			t.Errorf("the page has no %s with %s=%q", element[0], element[1], element[2])
		}
	}
	if page := visitor(d).get("/fr/"); page.status != http.StatusNotFound {
		t.Errorf("a language that is not on offer answers %d", page.status)
	}
	for n := range front.doc.Descendants() {
		if n.Data == "link" && attr(n, "rel") == "stylesheet" {
			style := string(visitor(d).get(attr(n, "href")).body)
			if !strings.HasSuffix(style, "h1 { font-style: italic }") || !strings.Contains(style, "--accent:#0b5fff") {
				t.Error("neither accent nor styles are in the stylesheet")
			}
		}
	}
}
