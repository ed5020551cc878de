package broadcast

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestATweetSaysStateTitleSentenceComponentsAndLink(t *testing.T) {
	m := mustCompose(t, issueStory(status.EventOpen, openCheckout(), "u1"))
	want := "🔴 Investigating: Checkout is unavailable in eu-west. We are seeing failing checkouts since 12:00 UTC. " +
		"Affects Checkout, Payments. https://status.example.com/issues/i1#update-u1"
	if got := Tweet(m, true); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := Tweet(m, false); strings.Contains(got, "http") || !strings.HasSuffix(got, "Affects Checkout, Payments.") {
		t.Errorf("without a link it is %q", got)
	}
}

// The weights are those of twitter-text, configuration 3.
func TestTextWeighsWhatXCounts(t *testing.T) {
	for text, want := range map[string]int{
		"":                   0,
		"hello":              5,
		"héllo":              5,
		"he\u0301llo":        5, // the same, in two characters
		"Привет":             6,
		"日本":                 4,
		"…":                  2,
		"—":                  1,
		"“quoted”":           8,
		"✅":                  2,
		"👍🏽":                 2, // with a skin tone
		"👨‍👩‍👧‍👦":            2, // a family of seven characters
		"🏳️‍🌈":               2,
		"🇩🇪":                 2,
		"1️⃣":                2,
		"हिन्दी":             6,
		"क्\u200dष":          4, // a joiner in Hindi is no emoji
		"a\u200bb":           3,
		"https://github.com": 23,
		"see https://github.com/a/very/long/path/that/is/shortened?x=1#y now": 4 + 23 + 4,
		"http://127.0.0.1:8080/issues/1":                                      30, // not shortened
		"https://status.acme.example/x":                                       29,
		"http://localhost/x":                                                  18,
	} {
		if got := TweetWeight(text); got != want {
			t.Errorf("%q weighs %d, want %d", text, got, want)
		}
	}
}

func TestTheLongestPartsAreCutAndTheLinkIsKept(t *testing.T) {
	long := strings.Repeat("lorem ipsum ", 60)
	for name, m := range map[string]Message{
		"sentence":   {State: "Identified", Tone: ToneKnown, Title: "Checkout is down", Body: long, Affected: []Affected{{Name: "Checkout"}}, Link: "https://status.example.com/issues/i1"},
		"title":      {State: "Identified", Tone: ToneKnown, Title: long, Body: "Hello.", Affected: []Affected{{Name: "Checkout"}}, Link: "https://status.example.com/issues/i1"},
		"japanese":   {State: "Identified", Tone: ToneKnown, Title: strings.Repeat("障害", 100), Body: long, Link: "https://status.example.com/issues/i1"},
		"components": {State: "Identified", Tone: ToneKnown, Title: "Down", Body: "Hello.", Affected: slicesOf("Component number one", 40), Link: "https://status.example.com/issues/i1"},
	} {
		got := Tweet(m, true)
		if w := TweetWeight(got); w > 280 || w < 200 {
			t.Errorf("%s: weighs %d, want close to 280: %q", name, w, got)
		}
		if !strings.HasSuffix(got, " https://status.example.com/issues/i1") || !strings.HasPrefix(got, "🟠 Identified: ") {
			t.Errorf("%s: lost its head or its link: %q", name, got)
		}
		if name == "components" && (!strings.Contains(got, " and more.") || !strings.Contains(got, "Down. ")) {
			t.Errorf("%s: %q", name, got)
		}
		if name == "sentence" && !strings.Contains(got, "Checkout is down. lorem ipsum") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func slicesOf(name string, n int) []Affected {
	out := make([]Affected, n)
	for i := range out {
		out[i].Name = name
	}
	return out
}

func TestTextFromAlertsCannotMentionTagOrLink(t *testing.T) {
	m := Message{
		State: "Investigating", Tone: ToneTrouble, Title: "@everyone $AAPL #fail evil.com at ops@example.org costs $5.00, v1.2.3",
		Body: "See https://phish.example.net/login or ＠you ＃tag. ", Affected: []Affected{{Name: "api.example.com\u202e"}},
	}
	got := Tweet(m, true)
	for _, live := range []*regexp.Regexp{
		regexp.MustCompile(`[@＠]\w`), regexp.MustCompile(`[#＃]\w`), regexp.MustCompile(`\$[A-Za-z]`),
		regexp.MustCompile(`[A-Za-z0-9]\.[A-Za-z]`), regexp.MustCompile(`[\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200e}\x{200f}\x{061c}]`),
	} {
		if found := live.FindString(got); found != "" {
			t.Errorf("%q is live in %q", found, got)
		}
	}
	for _, kept := range []string{"$5.00", "v1.2.3", "everyone", "AAPL"} {
		if !strings.Contains(got, kept) {
			t.Errorf("%q is lost from %q", kept, got)
		}
	}
}

func TestNoTweetIsEverTooLongOrLive(t *testing.T) {
	live := regexp.MustCompile(`[@＠#＃]\w|[A-Za-z0-9]\.[A-Za-z]|[\x{202a}-\x{202e}\x{2066}-\x{2069}]`)
	pieces := rapid.SampledFrom([]string{"word", " ", "@me", "#tag", "evil.com", "https://x.com/y", "日本語", "👨‍👩‍👧‍👦", "e\u0301", "\u202e", "\n", ".", "…", "**b**", "<b>", "&amp;", "[a](https://b.com)", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(pieces, 0, 80).Draw(t, "text"), "") })
	const link = "https://status.example.com/issues/abcdefghijkl#update-abcdefghijkl"
	rapid.Check(t, func(t *rapid.T) {
		m := Message{State: "Investigating", Tone: ToneTrouble, Title: text.Draw(t, "title"), Body: text.Draw(t, "body"), Link: link}
		for range rapid.IntRange(0, 5).Draw(t, "components") {
			m.Affected = append(m.Affected, Affected{Name: text.Draw(t, "name")})
		}
		got := Tweet(m, true)
		if w := TweetWeight(got); w > 280 {
			t.Fatalf("weighs %d: %q", w, got)
		}
		words, found := strings.CutSuffix(got, " "+link)
		if !found {
			t.Fatalf("the link is lost: %q", got)
		}
		if bad := live.FindString(words); bad != "" {
			t.Fatalf("%q is live in %q", bad, got)
		}
		if !utf8.ValidString(got) || !norm.NFC.IsNormalString(got) || strings.ContainsAny(got, "\n\r") {
			t.Fatalf("badly formed: %q", got)
		}
	})
}
