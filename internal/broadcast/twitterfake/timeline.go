package twitterfake

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Blind lets nobody read tweets, as plans that only post.
func (f *Fake) Blind() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blind = true
}

// ReadOnlyToken makes the token one that may not write.
func (f *Fake) ReadOnlyToken() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers = true
}

// Reads counts how often tweets were listed.
func (f *Fake) Reads() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}

func (f *Fake) level() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers {
		return "read"
	}
	return "read-write"
}

// newest are the last tweets, the newest first, or nil when nobody may look.
func (f *Fake) newest(most string) []Tweet {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if f.blind {
		return nil
	}
	out := slices.Clone(f.tweets)
	slices.Reverse(out)
	if n, err := strconv.Atoi(most); err == nil && n < len(out) {
		out = out[:n]
	}
	return append([]Tweet{}, out...)
}

// shortened is the text as X gives it back: links are replaced and what HTML
// would misread is escaped.
func shortened(t Tweet) (string, []map[string]string) {
	urls := []map[string]string{}
	text := links.ReplaceAllStringFunc(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(t.Text), func(long string) string {
		short := fmt.Sprintf("https://t.co/%s%d", t.ID[len(t.ID)-6:], len(urls))
		urls = append(urls, map[string]string{"url": short, "expanded_url": strings.ReplaceAll(long, "&amp;", "&")})
		return short
	})
	return text, urls
}

func (f *Fake) listV2(w http.ResponseWriter, r *http.Request, _ []byte) {
	if n, err := strconv.Atoi(r.URL.Query().Get("max_results")); r.PathValue("id") != "42" || err != nil || n < 5 || n > 100 {
		Answer{Status: http.StatusBadRequest, Body: `{"title":"Invalid Request","status":400,"detail":"max_results must be 5 to 100, and the id a user."}`}.write(w)
		return
	}
	tweets := f.newest(r.URL.Query().Get("max_results"))
	if tweets == nil {
		NoAccess().write(w)
		return
	}
	data := []map[string]any{}
	for _, t := range tweets {
		text, urls := shortened(t)
		d := map[string]any{"id": t.ID, "text": text, "entities": map[string]any{"urls": urls}}
		if t.ReplyTo != "" {
			d["referenced_tweets"] = []map[string]string{{"type": "replied_to", "id": t.ReplyTo}}
		}
		data = append(data, d)
	}
	write(w, http.StatusOK, map[string]any{"data": data, "meta": map[string]int{"result_count": len(data)}})
}

func (f *Fake) listV1(w http.ResponseWriter, r *http.Request, _ []byte) {
	tweets := f.newest(r.URL.Query().Get("count"))
	if tweets == nil {
		NoAccess().write(w)
		return
	}
	out := []map[string]any{}
	for _, t := range tweets {
		text, urls := shortened(t)
		out = append(out, map[string]any{
			"id_str": t.ID, "full_text": text, "in_reply_to_status_id_str": t.ReplyTo, "entities": map[string]any{"urls": urls},
		})
	}
	write(w, http.StatusOK, out)
}
