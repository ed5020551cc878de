package broadcast

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast/blueskyfake"
	"github.com/statusbridge/statusbridge/internal/broadcast/chatfake"
)

// chatting is a channel of each type to a stand-in that refuses what the real
// one would.
func chatting(t *testing.T, kind string, change ...func(*ChannelConfig)) (*Channel, *chatfake.Fake) {
	t.Helper()
	fake := chatfake.Start()
	t.Cleanup(fake.Close)
	at := map[string]string{Slack: chatfake.SlackPath, Teams: chatfake.TeamsPath, Discord: chatfake.DiscordPath}[kind]
	cfg := ChannelConfig{Name: "ops", Type: kind, URL: fake.URL() + at, Token: chatfake.Token, AllowPrivate: true, PageName: "Acme", PublicURL: pageURL}
	for _, c := range change {
		c(&cfg)
	}
	ch, err := NewChannel(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ch.Rest)
	return ch, fake
}

var chats = []string{Slack, Teams, Discord, Mastodon}

func TestNoChatRefusesWhatAlertsCanHold(t *testing.T) {
	for _, kind := range chats {
		ch, fake := chatting(t, kind)
		for name, change := range map[string]func(*Message){
			"hostile": func(*Message) {},
			"bare":    func(m *Message) { *m = Message{Event: m.Event, Tone: m.Tone, State: "Investigating", Title: "T"} },
			"wide": func(m *Message) {
				m.Title, m.Body = strings.Repeat("🇯🇵👩‍👩‍👧‍👦", 300), strings.Repeat("決済が失敗", 900)
			},
			"escapes": func(m *Message) {
				m.Title, m.Body = strings.Repeat(`\*_~|[]<>#`, 90), strings.Repeat(`a\*_~|[]<>#&`, 900)
			},
			"a mention": func(m *Message) { m.Body = "@somebody@social.example look" },
		} {
			m := hostile(t)
			m.DeliveryID = name
			change(&m)
			if _, err := ch.Send(t.Context(), m); err != nil {
				t.Errorf("%s, %s: %v; refused: %q", kind, name, err, fake.Refused())
			}
		}
		if said := fake.Said(); len(said) != 5 || said[0].Chat != kind {
			t.Errorf("%s took %d", kind, len(said))
		}
	}
}

func TestEachChatsWayToAskForPatienceIsUnderstood(t *testing.T) {
	for _, kind := range chats {
		ch, fake := chatting(t, kind)
		limit := map[string]func(){
			Slack: func() { fake.LimitSlack(30 * time.Second) }, Teams: func() { fake.LimitTeams(30 * time.Second) },
			Discord: func() { fake.LimitDiscord(30 * time.Second) }, Mastodon: func() { fake.LimitMastodon(noon.Add(30 * time.Second)) },
		}
		limit[kind]()
		_, err := ch.Send(t.Context(), hostile(t))
		due, again := NextAttempt(1, noon, err)
		if !again || !due.Equal(noon.Add(30*time.Second)) {
			t.Errorf("%s: %v, again at %s", kind, err, due)
		}
	}
}

func TestAReplyToADeletedStatusOnMastodonStandsAlone(t *testing.T) {
	ch, fake := chatting(t, Mastodon)
	m := hostile(t)
	m.Root = "77"
	if id, err := ch.Send(t.Context(), m); err != nil || id == "" || fake.Said()[0].ReplyTo != "" {
		t.Errorf("%q, %v, said %v", id, err, fake.Said())
	}
}

func TestASecondAttemptOnMastodonIsTheSameStatus(t *testing.T) {
	ch, fake := chatting(t, Mastodon)
	first, _ := ch.Send(t.Context(), hostile(t))
	second, err := ch.Send(t.Context(), hostile(t))
	if err != nil || first != second || len(fake.Said()) != 1 {
		t.Errorf("%q, then %q, %v: %d statuses", first, second, err, len(fake.Said()))
	}
}

func TestACheckPostsNothingAndKnowsADeadSecret(t *testing.T) {
	dead := map[string]func(*ChannelConfig){
		Slack: func(c *ChannelConfig) { c.URL += "x" }, Discord: func(c *ChannelConfig) { c.URL += "x" }, Mastodon: func(c *ChannelConfig) { c.Token = "old" },
	}
	for _, kind := range chats {
		ch, fake := chatting(t, kind)
		found, err := ch.Check(t.Context())
		if err != nil || found.Said == "" || found.Sure != (kind != Teams) {
			t.Errorf("%s: %+v, %v", kind, found, err)
		}
		if change := dead[kind]; change != nil {
			gone, _ := chatting(t, kind, change)
			_, err := gone.Check(t.Context())
			if _, permanent := errors.AsType[Permanent](err); !permanent {
				t.Errorf("%s with a dead secret: %v", kind, err)
			}
		}
		if len(fake.Said()) != 0 {
			t.Errorf("%s: the check posted %v", kind, fake.Said())
		}
	}
	ch, fake := sky(t)
	if found, err := ch.Check(t.Context()); err != nil || !found.Sure || !strings.Contains(found.Said, "@"+blueskyfake.Handle) || len(fake.Posts()) != 0 {
		t.Errorf("bluesky: %+v, %v", found, err)
	}
	ch, _ = sky(t, func(c *ChannelConfig) { c.Password = "wrong" })
	if _, err := ch.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "app password") {
		t.Errorf("bluesky with a wrong password: %v", err)
	}
}

func TestACheckOfAWebhookOnlyKnocks(t *testing.T) {
	var methods []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		methods = append(methods, r.Method)
		w.WriteHeader(http.StatusMethodNotAllowed)
	}))
	t.Cleanup(srv.Close)
	url := srv.URL
	found, err := channel(t, Webhook, url).Check(t.Context())
	if err != nil || found.Sure || len(methods) != 1 || methods[0] != http.MethodHead {
		t.Errorf("%+v, %v after %v", found, err, methods)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := channel(t, Webhook, url).Check(ctx); err == nil {
		t.Error("what is not reached passes")
	}
}

func TestATestMessageSaysThatItIsOne(t *testing.T) {
	for _, kind := range chats {
		ch, fake := chatting(t, kind, func(c *ChannelConfig) { c.Mode = TweetEnds })
		if _, err := ch.Test(t.Context(), "t1", noon); err != nil {
			t.Fatalf("%s: %v; refused: %q", kind, err, fake.Refused())
		}
		if text := fake.Said()[0].Text; !strings.Contains(text, "This is a test") || !strings.Contains(text, "Nothing is wrong") {
			t.Errorf("%s said %q", kind, text)
		}
	}
	url, got := standIn(t, content)
	if _, err := channel(t, Webhook, url).Test(t.Context(), "t1", noon); err != nil {
		t.Fatal(err)
	}
	if g := (*got)[0]; g.body["event"] != "test" || g.body["incident"] != nil || g.header.Get(SignatureHeader) == "" {
		t.Errorf("webhook got %s", g.raw)
	}
	ch, fake := sky(t)
	if _, err := ch.Test(t.Context(), "t1", noon); err != nil || !strings.Contains(fake.Posts()[0].Record.Text, "This is a test") {
		t.Errorf("bluesky: %v; refused: %q", err, fake.Refused())
	}
}
