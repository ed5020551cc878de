package chatfake

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// slack is an incoming webhook:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
// https://docs.slack.dev/reference/block-kit/blocks
func (f *Fake) slack(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, body, ok := f.begin(w, r)
	if !ok {
		return
	}
	if r.URL.Path != SlackPath {
		http.Error(w, "no_service", http.StatusNotFound)
		return
	}
	text, _ := body["text"].(string)
	blocks, _ := body["blocks"].([]any)
	if text == "" && len(blocks) == 0 {
		http.Error(w, "no_text", http.StatusBadRequest)
		return
	}
	read, err := slackBlocks(blocks)
	if utf8.RuneCountInString(text) > 40000 {
		err = errors.New("msg_too_long")
	}
	if err != nil {
		f.refuse(err)
		http.Error(w, "invalid_blocks", http.StatusBadRequest)
		return
	}
	f.take(Said{Chat: "slack", Text: strings.Join(append([]string{text}, read...), "\n")})
	_, _ = w.Write([]byte("ok"))
}

func slackBlocks(blocks []any) (read []string, err error) {
	if len(blocks) > 50 {
		return nil, errors.New("more than 50 blocks")
	}
	for _, b := range blocks {
		block, _ := b.(map[string]any)
		inner, _ := block["text"].(map[string]any)
		words, _ := inner["text"].(string)
		most := map[any]int{"header": 150, "section": 3000}[block["type"]]
		n := utf8.RuneCountInString(words)
		switch {
		case most == 0:
			return nil, fmt.Errorf("no block is called %v", block["type"])
		case n == 0 || n > most:
			return nil, fmt.Errorf("%v of %d characters", block["type"], n)
		case block["type"] == "header" && inner["type"] != "plain_text", inner["type"] != "plain_text" && inner["type"] != "mrkdwn":
			return nil, fmt.Errorf("%v with a text of type %v", block["type"], inner["type"])
		case inner["type"] == "mrkdwn" && inner["emoji"] != nil, inner["type"] == "plain_text" && inner["verbatim"] != nil:
			return nil, fmt.Errorf("a text of type %v with what belongs to the other", inner["type"])
		}
		read = append(read, words)
	}
	return read, nil
}

// teams is the trigger of a workflow. It answers before the workflow runs, so
// the card is verified here as Teams does when it comes to show it:
// https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
func (f *Fake) teams(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	raw, body, ok := f.begin(w, r)
	if !ok {
		return
	}
	if r.URL.RequestURI() != TeamsPath {
		answer(w, http.StatusUnauthorized, map[string]any{"error": map[string]string{"code": "DirectApiAuthorizationRequired", "message": "The signature is not valid."}})
		return
	}
	text, err := adaptiveCard(body)
	if len(raw) > 28<<10 {
		err = fmt.Errorf("the card has %d bytes", len(raw))
	}
	if err != nil {
		f.refuse(err)
		answer(w, http.StatusBadRequest, map[string]any{"error": map[string]string{"code": "TriggerInputSchemaMismatch", "message": err.Error()}})
		return
	}
	f.take(Said{Chat: "teams", Text: text})
	w.WriteHeader(http.StatusAccepted)
}

func adaptiveCard(body map[string]any) (string, error) {
	attachments, _ := body["attachments"].([]any)
	if body["type"] != "message" || len(attachments) != 1 {
		return "", errors.New("no message with one attachment")
	}
	attachment, _ := attachments[0].(map[string]any)
	card, _ := attachment["content"].(map[string]any)
	version, _ := card["version"].(string)
	if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" || card["type"] != "AdaptiveCard" || version == "" || version > "1.5" {
		return "", fmt.Errorf("no adaptive card of at most version 1.5: %v %v", card["type"], card["version"])
	}
	var read []string
	elements, _ := card["body"].([]any)
	for _, e := range elements {
		element, _ := e.(map[string]any)
		inlines, _ := element["inlines"].([]any)
		if element["type"] != "RichTextBlock" || len(inlines) == 0 {
			return "", fmt.Errorf("element %v reads Markdown, or nothing", element["type"])
		}
		for _, i := range inlines {
			run, _ := i.(map[string]any)
			text, _ := run["text"].(string)
			if run["type"] != "TextRun" || text == "" {
				return "", fmt.Errorf("inline %v", run)
			}
			read = append(read, text)
		}
	}
	actions, _ := card["actions"].([]any)
	for _, a := range actions {
		action, _ := a.(map[string]any)
		if u, err := url.Parse(fmt.Sprint(action["url"])); action["type"] != "Action.OpenUrl" || err != nil || u.Host == "" {
			return "", fmt.Errorf("action %v", action)
		}
	}
	if len(read) == 0 {
		return "", errors.New("the card is empty")
	}
	return strings.Join(read, "\n"), nil
}

// discord is a webhook of a channel: https://discord.com/developers/docs/resources/webhook
// and, for the limits of embeds, https://discord.com/developers/docs/resources/message
func (f *Fake) discord(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case r.PathValue("id") != "1234567890":
		answer(w, http.StatusNotFound, map[string]any{"message": "Unknown Webhook", "code": 10015})
		return
	case r.URL.Path != DiscordPath:
		answer(w, http.StatusUnauthorized, map[string]any{"message": "Invalid Webhook Token", "code": 50027})
		return
	case r.Method == http.MethodGet:
		answer(w, http.StatusOK, map[string]any{"id": "1234567890", "name": "Status", "channel_id": "42", "type": 1})
		return
	}
	_, body, ok := f.begin(w, r)
	if !ok {
		return
	}
	text, err := discordMessage(body)
	if err != nil {
		f.refuse(err)
		answer(w, http.StatusBadRequest, map[string]any{"code": 50035, "message": "Invalid Form Body", "errors": err.Error()})
		return
	}
	id := f.take(Said{Chat: "discord", Text: text})
	if r.URL.Query().Get("wait") != "true" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(w, http.StatusOK, map[string]any{"id": id, "channel_id": "42"})
}

// units are characters as Discord's forms count them.
func units(s string) int { return len(utf16.Encode([]rune(s))) }

func discordMessage(body map[string]any) (string, error) {
	embeds, _ := body["embeds"].([]any)
	content, _ := body["content"].(string)
	if content == "" && len(embeds) == 0 || len(embeds) > 10 || units(content) > 2000 {
		return "", errors.New("empty, or too much")
	}
	if allowed, given := body["allowed_mentions"].(map[string]any); given {
		parse, isList := allowed["parse"].([]any)
		for _, p := range parse {
			isList = isList && slices.Contains([]any{"roles", "users", "everyone"}, p)
		}
		if !isList {
			return "", fmt.Errorf("allowed_mentions %v", allowed)
		}
	}
	total, read := 0, []string{content}
	for _, e := range embeds {
		embed, _ := e.(map[string]any)
		title, _ := embed["title"].(string)
		description, _ := embed["description"].(string)
		colour, _ := embed["color"].(float64)
		total += units(title) + units(description)
		if at, given := embed["timestamp"]; given {
			if _, err := time.Parse(time.RFC3339, fmt.Sprint(at)); err != nil {
				return "", err
			}
		}
		if link, given := embed["url"]; given {
			if u, err := url.Parse(fmt.Sprint(link)); err != nil || u.Scheme != "https" && u.Scheme != "http" {
				return "", fmt.Errorf("url %v", link)
			}
		}
		if title+description == "" || units(title) > 256 || units(description) > 4096 || colour < 0 || colour > 0xffffff || colour != float64(int(colour)) {
			return "", fmt.Errorf("title of %d, description of %d, colour %v", units(title), units(description), colour)
		}
		read = append(read, title, description)
	}
	if total > 6000 {
		return "", fmt.Errorf("%d characters in all embeds", total)
	}
	return strings.Join(read, "\n"), nil
}

var (
	link    = regexp.MustCompile(`https?://\S+`)
	mention = regexp.MustCompile(`(^|\s)@(\w+)@[\w.-]+`)
)

// mastodon takes a status: https://docs.joinmastodon.org/methods/statuses/
// A link counts 23, a mention without its host.
func (f *Fake) mastodon(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, body, ok := f.begin(w, r)
	if !ok {
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+Token {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "The access token is invalid"})
		return
	}
	text, _ := body["status"].(string)
	counted := mention.ReplaceAllString(link.ReplaceAllString(text, strings.Repeat("x", 23)), "$1@$2")
	replyTo, _ := body["in_reply_to_id"].(string)
	var wrong error
	switch {
	case text == "":
		wrong = errors.New("validation failed: Text cannot be blank")
	case uniseg.GraphemeClusterCount(counted) > 500:
		wrong = fmt.Errorf("validation failed: Text character limit of 500 exceeded")
	case !slices.Contains([]any{nil, "public", "unlisted", "private", "direct"}, body["visibility"]):
		wrong = fmt.Errorf("validation failed: Visibility is not included in the list")
	case replyTo != "" && !slices.ContainsFunc(f.said, func(s Said) bool { return s.Chat == "mastodon" && s.ID == replyTo }):
		f.refuse(errors.New("it answers a status that is not there"))
		answer(w, http.StatusNotFound, map[string]string{"error": "Record not found"})
		return
	}
	if wrong != nil {
		f.refuse(wrong)
		answer(w, http.StatusUnprocessableEntity, map[string]string{"error": wrong.Error()})
		return
	}
	key := r.Header.Get("Idempotency-Key")
	id, again := f.keys[key]
	if !again || key == "" {
		id = f.take(Said{Chat: "mastodon", Text: text, ReplyTo: replyTo})
		f.keys[key] = id
	}
	answer(w, http.StatusOK, map[string]any{"id": id, "content": text, "visibility": body["visibility"]})
}

// mastodonAccount is asked with a token that may write only.
func (f *Fake) mastodonAccount(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+Token {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "The access token is invalid"})
		return
	}
	answer(w, http.StatusForbidden, map[string]string{"error": "This action is outside the authorized scopes"})
}
