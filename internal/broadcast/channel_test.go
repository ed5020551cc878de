package broadcast

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"github.com/statusbridge/statusbridge/internal/status"
)

const hookSecret = "a secret of 16 letters"

// took is a request that a stand-in got.
type took struct {
	header http.Header
	path   string
	raw    []byte
	body   map[string]any
}

// standIn answers like a chat that is content, or as told.
func standIn(t *testing.T, answer func(w http.ResponseWriter)) (string, *[]took) {
	t.Helper()
	var got []took
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		one := took{header: r.Header, path: r.URL.String(), raw: raw}
		if err := json.Unmarshal(raw, &one.body); err != nil {
			t.Errorf("the body is no JSON: %v", err)
		}
		got = append(got, one)
		answer(w)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, &got
}

func content(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"id":"77"}`) }

func channel(t *testing.T, kind, url string, change ...func(*ChannelConfig)) *Channel {
	t.Helper()
	cfg := ChannelConfig{
		Name: "ops", Type: kind, URL: url + "/hook", Token: "token", Secret: []string{hookSecret}, AllowPrivate: true,
		PageName: "Acme", PublicURL: pageURL,
	}
	for _, c := range change {
		c(&cfg)
	}
	ch, err := NewChannel(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ch.Rest)
	return ch
}

// hostile is a message from alerts that mean harm.
func hostile(t *testing.T) Message {
	m := tweetOf(t, status.EventOpen, "u1", "")
	m.Title, m.Body = "<!channel> @everyone [win](https://evil.example) "+strings.Repeat("long & ", 400), strings.Repeat("<@U1> & *b* ", 900)
	m.DeliveryID, m.Now = "u1.ops", noon
	return m
}

func TestEachChatGetsWhatItsAPITakes(t *testing.T) {
	check := map[string]func(t *testing.T, g took){
		Slack: func(t *testing.T, g took) {
			blocks := g.body["blocks"].([]any)
			title := blocks[0].(map[string]any)["text"].(map[string]any)
			text := blocks[1].(map[string]any)["text"].(map[string]any)["text"].(string)
			if title["type"] != "plain_text" || len([]rune(title["text"].(string))) > 150 || len([]rune(text)) > 3000 {
				t.Errorf("title %v, %d characters of text", title, len([]rune(text)))
			}
			if strings.Contains(text, "<@") || strings.Contains(g.body["text"].(string), "<!") || !strings.Contains(text, "<https://status.example.com/issues/i1#update-u1|") {
				t.Errorf("text %q", text)
			}
		},
		Teams: func(t *testing.T, g took) {
			card := g.body["attachments"].([]any)[0].(map[string]any)
			inner := card["content"].(map[string]any)
			if g.body["type"] != "message" || card["contentType"] != "application/vnd.microsoft.card.adaptive" || inner["type"] != "AdaptiveCard" || len(g.raw) > 28<<10 {
				t.Errorf("card %v", card)
			}
			if bytes.Contains(g.raw, []byte("TextBlock\"")) && !bytes.Contains(g.raw, []byte("RichTextBlock")) {
				t.Error("a block reads Markdown")
			}
		},
		Discord: func(t *testing.T, g took) {
			embed := g.body["embeds"].([]any)[0].(map[string]any)
			if parse, ok := g.body["allowed_mentions"].(map[string]any)["parse"].([]any); !ok || len(parse) != 0 {
				t.Error("it may mention people")
			}
			if len([]rune(embed["title"].(string))) > 256 || len([]rune(embed["description"].(string))) > 4096 || strings.Contains(embed["title"].(string), " [win](") {
				t.Errorf("embed %v", embed)
			}
			if g.path != "/hook?wait=true" {
				t.Errorf("posted to %s", g.path)
			}
		},
		Mastodon: func(t *testing.T, g took) {
			text := g.body["status"].(string)
			if n := uniseg.GraphemeClusterCount(text); n > 500+40 || strings.Contains(text, "@everyone") || !strings.HasSuffix(text, "#update-u1") {
				t.Errorf("%d characters: %q", n, text)
			}
			if g.path != "/hook/api/v1/statuses" || g.header.Get("Authorization") != "Bearer token" || g.header.Get("Idempotency-Key") != "u1.ops" || g.body["visibility"] != "public" {
				t.Errorf("%s %v", g.path, g.header)
			}
		},
		Webhook: func(t *testing.T, g took) {
			if g.body["event"] != "open" || g.body["id"] != "u1.ops" || g.body["incident"].(map[string]any)["id"] != "i1" || g.header.Get("Idempotency-Key") != "u1.ops" {
				t.Errorf("body %s", g.raw)
			}
		},
	}
	for _, kind := range ChannelTypes {
		if kind == Bluesky {
			continue // its stand-in verifies it, see bluesky_test.go
		}
		t.Run(kind, func(t *testing.T) {
			url, got := standIn(t, content)
			id, err := channel(t, kind, url).Send(t.Context(), hostile(t))
			if err != nil || id != "77" || len(*got) != 1 {
				t.Fatalf("id %q, %v, %d requests", id, err, len(*got))
			}
			if (*got)[0].header.Get("Content-Type") != "application/json" {
				t.Errorf("headers %v", (*got)[0].header)
			}
			check[kind](t, (*got)[0])
		})
	}
}

func TestAReplyOnMastodonAnswersTheFirstStatusWithoutALink(t *testing.T) {
	url, got := standIn(t, content)
	m := hostile(t)
	m.Root = "12"
	if _, err := channel(t, Mastodon, url).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if g := (*got)[0]; g.body["in_reply_to_id"] != "12" || strings.Contains(g.body["status"].(string), pageURL) {
		t.Errorf("body %v", g.body)
	}
}

// The expected value was made with: printf '%s' '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
func TestTheSignatureCoversTimeAndBody(t *testing.T) {
	at := time.Unix(1700000000, 0)
	want := "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
	if got := Sign([]byte(`{"a":1}`), at, "secret"); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	if got := Sign([]byte(`{"a":1}`), at, "new", "secret"); !strings.HasSuffix(got, strings.TrimPrefix(want, "t=1700000000")) || strings.Count(got, "v1=") != 2 {
		t.Errorf("with two secrets: %s", got)
	}
	url, got := standIn(t, content)
	if _, err := channel(t, Webhook, url).Send(t.Context(), hostile(t)); err != nil {
		t.Fatal(err)
	}
	if g := (*got)[0]; g.header.Get(SignatureHeader) != Sign(g.raw, noon, hookSecret) {
		t.Errorf("signed %s", g.header.Get(SignatureHeader))
	}
}

func TestAnswersOfChatsAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		code      int
		after     string
		permanent bool
		wait      time.Duration
	}{
		"429": {429, "2.5", false, 2500 * time.Millisecond}, "503": {503, "", false, 0}, "500": {500, "", false, 0}, "408": {408, "", false, 0},
		"404": {404, "", true, 0}, "410": {410, "", true, 0}, "400": {400, "", true, 0}, "a redirect": {307, "", true, 0},
	} {
		url, got := standIn(t, func(w http.ResponseWriter) {
			w.Header().Set("Location", "/elsewhere")
			if c.after != "" {
				w.Header().Set("Retry-After", c.after)
			}
			w.WriteHeader(c.code)
		})
		_, err := channel(t, Slack, url).Send(t.Context(), hostile(t))
		_, permanent := errors.AsType[Permanent](err)
		asked, _ := errors.AsType[RetryAfter](err)
		if err == nil || permanent != c.permanent || asked.After != c.wait || len(*got) != 1 {
			t.Errorf("%s: %v after %d requests", name, err, len(*got))
		}
	}
}

func TestOnlyPublicAddressesAreReachedAndNoErrorTellsTheSecret(t *testing.T) {
	for _, a := range []string{
		"127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::",
		"fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "fe80::1%eth0",
		"::ffff:0:7f00:1", "2001:20::1", "3fff::1", "5f00::1", "192.88.99.1",
	} {
		if public(netip.MustParseAddr(a)) {
			t.Errorf("%s counts as public", a)
		}
	}
	for _, a := range []string{"1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"} {
		if !public(netip.MustParseAddr(a)) {
			t.Errorf("%s does not count as public", a)
		}
	}
	url, got := standIn(t, content)
	// The name passes every check of texts; it is the address that is refused.
	_, port, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
	ch := channel(t, Webhook, "https://localhost:"+port+"/SECRETPATH", func(c *ChannelConfig) { c.AllowPrivate = false })
	_, err := ch.Send(t.Context(), hostile(t))
	if err == nil || !strings.Contains(err.Error(), "allow_private") || strings.Contains(err.Error(), "SECRETPATH") || len(*got) != 0 {
		t.Errorf("%v after %d requests", err, len(*got))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := channel(t, Slack, url+"/SECRETPATH").Send(ctx, hostile(t)); err == nil || strings.Contains(err.Error(), "SECRETPATH") {
		t.Errorf("cancelled: %v", err)
	}
}

func TestAWrongChannelSaysWhatToMend(t *testing.T) {
	for want, change := range map[string]func(*ChannelConfig){
		"name": func(c *ChannelConfig) { c.Name = "email" }, "type": func(c *ChannelConfig) { c.Type = "fax" },
		"url": func(c *ChannelConfig) { c.URL = "http://example.com" }, "mode": func(c *ChannelConfig) { c.Mode = "some" },
		"token": func(c *ChannelConfig) { c.Type, c.Token = Mastodon, "" }, "visibility": func(c *ChannelConfig) { c.Visibility = "direct" },
		"secret": func(c *ChannelConfig) { c.Secret = []string{"short"} },
		"user":   func(c *ChannelConfig) { c.Type, c.Password = Bluesky, "x" }, "password": func(c *ChannelConfig) { c.Type, c.User = Bluesky, "x" },
	} {
		cfg := ChannelConfig{Name: "ops", Type: Webhook, URL: "https://example.com/x", Secret: []string{hookSecret}}
		change(&cfg)
		if _, err := NewChannel(cfg); err == nil || !strings.Contains(err.Error(), want+": ") {
			t.Errorf("%s: %v", want, err)
		}
	}
}
