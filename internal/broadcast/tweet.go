package broadcast

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
	"golang.org/x/text/unicode/norm"
	"mvdan.cc/xurls/v2"
)

// The limits of a tweet, as X counts: most Latin, Cyrillic, Greek and Arabic
// characters weigh one, all others two, an emoji two however it is built, and
// any URL 23.
const (
	tweetLimit = 280
	urlWeight  = 23
)

var glyphs = map[Tone]string{
	ToneTrouble: "🔴", ToneKnown: "🟠", ToneWatched: "🔵", ToneGood: "✅", TonePlanned: "🔧",
}

var webURL = regexp.MustCompile(`https?://[^\s]+`)

// Tweet writes the message as a tweet: GLYPH State: Title. Sentence. Affects
// A, B. URL. What does not fit is cut, first the sentence, then the components,
// then the title; never the URL.
func Tweet(m Message, withURL bool) string {
	tail := ""
	if withURL && m.Link != "" {
		tail = " " + m.Link
	}
	return write(m, firstSentence(plain(m.Body)), tail, ruler{tweetLimit, weigh})
}

// ruler is how a network counts the length of a post, and how much it takes.
type ruler struct {
	limit int
	weigh func(string) int
}

// write puts a post together; what does not fit the ruler is cut.
func write(m Message, words, tail string, r ruler) string {
	head := glyphs[m.Tone] + " " + m.State + ": "
	room := r.limit - r.weigh(head) - r.weigh(tail)

	text := r.fit(ended(defuse(m.Title)), room)
	room -= r.weigh(text)
	affects := r.affects(m.Affected, room-1)
	if affects != "" {
		affects = " " + affects
		room -= r.weigh(affects)
	}
	if words := r.fit(ended(defuse(words)), room-1); r.weigh(words) > 1 {
		text += " " + words
	}
	return norm.NFC.String(head + text + affects + tail)
}

// affects names as many components as there is room for.
func (r ruler) affects(components []Affected, room int) string {
	for n := len(components); n > 0; n-- {
		var names []string
		for _, c := range components[:n] {
			names = append(names, defuse(c.Name))
		}
		text := "Affects " + strings.Join(names, ", ")
		if n < len(components) {
			text += " and more"
		}
		if text = ended(text); r.weigh(text) <= room {
			return text
		}
	}
	return ""
}

// ended makes sure that a sentence has an end.
func ended(s string) string {
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?:") || strings.HasSuffix(s, "…") || strings.HasSuffix(s, "。") {
		return s
	}
	return s + "."
}

// defuse makes text from alerts harmless in a tweet. An invisible space breaks
// mentions, cashtags, hashtags and domains, which would notify strangers, and
// links, which would lead anywhere and cost extra.
func defuse(text string) string {
	runes := []rune(norm.NFC.String(oneLine(text)))
	var b strings.Builder
	for i, r := range runes {
		b.WriteRune(r)
		if i+1 == len(runes) {
			break
		}
		next := runes[i+1]
		word := next == '_' || unicode.IsLetter(next) || unicode.IsDigit(next)
		switch r {
		case '@', '＠', '#', '＃', '$':
			if word && (r != '$' || unicode.IsLetter(next)) {
				b.WriteRune(invisibleSpace)
			}
		case '.', '。', '．', '｡':
			if i > 0 && unicode.IsLetter(next) {
				b.WriteRune(invisibleSpace)
			}
		}
	}
	return b.String()
}

const invisibleSpace = '\u200b'

// fit cuts the text to the weight, at a word if one ends near, and marks the
// cut. With no room for anything sensible it is empty.
func (r ruler) fit(text string, weight int) string {
	if r.weigh(text) <= weight {
		return text
	}
	const ellipsis = "…"
	room := weight - r.weigh(ellipsis)
	var kept strings.Builder
	state, rest := -1, text
	for rest != "" {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if room -= r.weigh(cluster); room < 0 {
			break
		}
		kept.WriteString(cluster)
	}
	cut := kept.String()
	if blank := strings.LastIndexByte(cut, ' '); blank > len(cut)*2/3 {
		cut = cut[:blank]
	}
	cut = strings.TrimRight(cut, " .,;:")
	if r.weigh(cut) < 10 {
		return ""
	}
	return cut + ellipsis
}

// TweetWeight is the length of a text as X counts it.
func TweetWeight(text string) int { return weigh(text) }

func weigh(text string) int {
	text = norm.NFC.String(text)
	sum, from := 0, 0
	for _, at := range webURL.FindAllStringIndex(text, -1) {
		sum += weighWords(text[from:at[0]]) + weighURL(text[at[0]:at[1]])
		from = at[1]
	}
	return sum + weighWords(text[from:])
}

// weighURL is 23 for what X shortens. A host that X does not know for one, such
// as an address or a made-up domain, stays as it is and counts in full.
func weighURL(text string) int {
	u, err := url.Parse(text)
	if err != nil {
		return weighWords(text)
	}
	host := strings.ToLower(u.Hostname())
	if dot := strings.LastIndexByte(host, '.'); dot > 0 && slices.Contains(xurls.TLDs, host[dot+1:]) {
		return urlWeight
	}
	return weighWords(text)
}

func weighWords(text string) int {
	sum, state := 0, -1
	for text != "" {
		var cluster string
		cluster, text, _, state = uniseg.FirstGraphemeClusterInString(text, state)
		sum += weighCluster(cluster)
	}
	return sum
}

func weighCluster(cluster string) int {
	if emoji(cluster) {
		return 2
	}
	sum := 0
	for _, r := range cluster {
		if r <= 4351 || r >= 8192 && r <= 8205 || r >= 8208 && r <= 8223 || r >= 8242 && r <= 8247 {
			sum++
		} else {
			sum += 2
		}
	}
	return sum
}

// emoji reports whether the characters make one picture together: by a
// variation selector, keycap, skin tone, flag or tag, or by joiners between
// pictures. A single picture needs no word here, it weighs two anyway.
func emoji(cluster string) bool {
	joined, picture := false, false
	for _, r := range cluster {
		switch {
		case r == 0xfe0f, r == 0x20e3, r >= 0x1f1e6 && r <= 0x1f1ff, r >= 0x1f3fb && r <= 0x1f3ff, r >= 0xe0020 && r <= 0xe007f:
			return true
		case r == 0x200d:
			joined = true
		case r >= 0x1f000, r >= 0x2600 && r <= 0x27bf:
			picture = true
		}
	}
	return joined && picture
}
