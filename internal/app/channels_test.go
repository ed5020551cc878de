package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/broadcast/blueskyfake"
	"github.com/statusbridge/statusbridge/internal/broadcast/chatfake"
	"github.com/statusbridge/statusbridge/internal/status"
)

// The broken channel answers only after all others did: were they asked in
// turn, nobody would ever answer.
func TestTheDoctorLooksAtAllChannelsAtOnceAndPostsNothing(t *testing.T) {
	chats, sky := chatfake.Start(), blueskyfake.Start()
	t.Cleanup(chats.Close)
	t.Cleanup(sky.Close)
	others := make(chan struct{})
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-others:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(broken.Close)
	last := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(others) }))
	t.Cleanup(last.Close)
	secret := []string{"0123456789abcdef"}
	cfg := Config{Channels: []Channel{
		{Name: "broken", Type: "webhook", URL: broken.URL, Secret: secret, AllowPrivate: true},
		{Name: "ops", Type: "slack", URL: chats.URL() + chatfake.SlackPath, AllowPrivate: true},
		{Name: "gone", Type: "discord", URL: chats.URL() + "/api/webhooks/1/old", AllowPrivate: true},
		{Name: "sky", Type: "bluesky", URL: sky.URL(), User: blueskyfake.Handle, Password: blueskyfake.Password, AllowPrivate: true},
		{Name: "last", Type: "webhook", URL: last.URL, Secret: secret, AllowPrivate: true},
	}}
	var got []string
	for _, c := range lookAtChannels(t.Context(), &patient{cfg: cfg}) {
		got = append(got, c.Name+" "+string(c.State)+" "+c.What)
	}
	for n, want := range []string{
		"channels: broken (webhook) fail it answers 502", "channels: ops (slack) ok Slack knows", "channels: gone (discord) fail the address",
		"channels: sky (bluesky) ok it posts as @" + blueskyfake.Handle, "channels: last (webhook) ok it answers; whether",
	} {
		if !strings.HasPrefix(got[n], want) {
			t.Errorf("check %q, want %q", got[n], want)
		}
	}
	if len(chats.Said())+len(sky.Posts()) != 0 {
		t.Error("something was posted")
	}

	sent, err := SendTest(t.Context(), cfg, "ops")
	if err != nil || sent[0].State != status.CheckOK || len(chats.Said()) != 1 {
		t.Errorf("sending: %+v, %v", sent, err)
	}
	if _, err = SendTest(t.Context(), cfg, "opps"); err == nil || !strings.Contains(err.Error(), `did you mean "ops"?`) {
		t.Errorf("a slip: %v", err)
	}
	if sent, err = SendTest(t.Context(), cfg, "gone"); err != nil || sent[0].State != status.CheckFail || sent[0].Mend == "" {
		t.Errorf("sending to a dead one: %+v, %v", sent, err)
	}
}
