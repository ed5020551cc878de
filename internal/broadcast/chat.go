package broadcast

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// chatText is what chats say below the title: the words, what is affected, the
// facts and what came since.
func chatText(m Message, most int) string {
	parts := []string{plain(m.Body)}
	var names []string
	for _, a := range m.Affected {
		names = append(names, strings.TrimSuffix(a.Name+": "+a.State, ": "))
	}
	if len(names) > 0 {
		parts = append(parts, "Affects "+strings.Join(names, ", "))
	}
	parts = append(parts, m.Facts...)
	if m.Late && m.Since != "" {
		parts = append(parts, "Since then: "+m.Since)
	}
	return chatRuler.fit(strings.TrimSpace(strings.Join(parts, "\n")), most)
}

func chatTitle(m Message, most int) string {
	return chatRuler.fit(glyphs[m.Tone]+" "+m.State+": "+oneLine(m.Title), most)
}

// linkWords are what a link is called.
func linkWords(m Message) string { return cmp.Or(m.LinkWords, "Status page") }

// chatRuler counts the way of whoever counts most: in units of UTF-16, of which
// what people see as one character may have dozens.
var chatRuler = ruler{weigh: func(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}}

// mrkdwn escapes what Slack gives a meaning in angle brackets: links, and
// mentions of everybody.
var mrkdwn = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackPost is for incoming webhooks, which know no threads:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
func slackPost(cfg ChannelConfig, m Message) (post, error) {
	title := chatTitle(m, 140)
	text := mrkdwn.Replace(chatText(m, 2000))
	if utf8.RuneCountInString(text) > 2700 { // Slack takes 3000, escapes and link included
		text = mrkdwn.Replace(chatText(m, 500))
	}
	if m.Link != "" {
		text = strings.TrimSpace(text + "\n<" + mrkdwn.Replace(m.Link) + "|" + linkWords(m) + ">")
	}
	blocks := []any{map[string]any{"type": "header", "text": map[string]any{"type": "plain_text", "text": title, "emoji": true}}}
	if text != "" {
		blocks = append(blocks, map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": text, "verbatim": true}})
	}
	return post{url: cfg.URL, body: map[string]any{
		"text": mrkdwn.Replace(title), "unfurl_links": false, "unfurl_media": false, "blocks": blocks,
	}}, nil
}

// teamsPost is for the webhooks of Workflows. RichTextBlock is the one element
// that reads no Markdown, so nothing in an alert becomes a link.
func teamsPost(cfg ChannelConfig, m Message) (post, error) {
	block := func(text string, bold bool) map[string]any {
		run := map[string]any{"type": "TextRun", "text": text}
		if bold {
			run["weight"], run["size"] = "Bolder", "Medium"
		}
		return map[string]any{"type": "RichTextBlock", "inlines": []any{run}}
	}
	blocks := []any{block(chatTitle(m, 300), true)}
	if text := chatText(m, 4000); text != "" {
		blocks = append(blocks, block(text, false))
	}
	card := map[string]any{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"body": blocks, "msteams": map[string]any{"width": "Full"},
	}
	if m.Link != "" {
		card["actions"] = []any{map[string]any{"type": "Action.OpenUrl", "title": linkWords(m), "url": m.Link}}
	}
	return post{url: cfg.URL, body: map[string]any{"type": "message", "attachments": []any{map[string]any{
		"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card,
	}}}}, nil
}

var discordColours = map[Tone]int{
	ToneTrouble: 0xd92d20, ToneKnown: 0xe8830c, ToneWatched: 0x2e6fd8, ToneGood: 0x1a7f4b, TonePlanned: 0x5b6b7f,
}

// discordMark escapes Markdown.
var discordMark = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "#", `\#`)

// discordPost is for webhooks of a channel; wait=true makes Discord answer
// with the id of the message.
func discordPost(cfg ChannelConfig, m Message) (post, error) {
	embed := map[string]any{
		"title": discordMark.Replace(chatTitle(m, 120)), "description": discordMark.Replace(chatText(m, 1900)), "color": discordColours[m.Tone],
	}
	if m.Link != "" {
		embed["url"] = m.Link
	}
	if !m.At.IsZero() {
		embed["timestamp"] = m.At.UTC().Format(time.RFC3339)
	}
	address := cfg.URL + "?wait=true"
	if strings.Contains(cfg.URL, "?") {
		address = cfg.URL + "&wait=true"
	}
	return post{url: address, body: map[string]any{"embeds": []any{embed}, "allowed_mentions": map[string]any{"parse": []string{}}}}, nil
}

// mastodonRuler counts as Mastodon does by default: characters as people see
// them, a link 23.
var mastodonRuler = ruler{500, func(text string) int {
	rest := webURL.ReplaceAllString(text, "")
	return uniseg.GraphemeClusterCount(rest) + urlWeight*len(webURL.FindAllString(text, -1))
}}

// mastodonPost posts a status; the Idempotency-Key makes a second attempt the
// same status: https://docs.joinmastodon.org/methods/statuses/
func mastodonPost(cfg ChannelConfig, m Message) (post, error) {
	tail := ""
	if m.Link != "" && m.Root == "" {
		tail = " " + m.Link
	}
	body := map[string]any{"status": write(m, plain(m.Body), tail, mastodonRuler), "language": "en", "visibility": "public"}
	if cfg.Visibility != "" {
		body["visibility"] = cfg.Visibility
	}
	if m.Root != "" {
		body["in_reply_to_id"] = m.Root
	}
	return post{
		url: strings.TrimRight(cfg.URL, "/") + "/api/v1/statuses", body: body,
		header: map[string]string{"Authorization": "Bearer " + cfg.Token, "Idempotency-Key": m.DeliveryID},
	}, nil
}
