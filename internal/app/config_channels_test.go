package app

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts"
)

func TestTheChannelsOfTheDocumentationAreTaken(t *testing.T) {
	text, err := os.ReadFile("../../docs/channels.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(channels:.*?)```").FindSubmatch(text)
	for _, name := range []string{"SLACK_URL", "TEAMS_URL", "DISCORD_URL"} {
		t.Setenv(name, "https://hooks.example.com/canary")
	}
	t.Setenv("MASTODON_TOKEN", "canary")
	t.Setenv("BLUESKY_PASSWORD", "canary")
	t.Setenv("HOOK_SECRET", "canary-of-16-letters")
	cfg, err := LoadConfig(write(t, "c.yaml", string(block[1])), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	senders, err := cfg.channels()
	if err != nil || len(senders) != 6 {
		t.Fatalf("%d channels, %v", len(senders), err)
	}
	printed, err := cfg.Print()
	if err != nil || strings.Contains(printed, "canary") {
		t.Errorf("printed %s (%v)", printed, err)
	}
	if cfg.Channels[5].Secret[0] != "canary-of-16-letters" {
		t.Error("printing masked the configuration itself")
	}
}

func TestAWrongChannelIsFoundInItsPlace(t *testing.T) {
	file := write(t, "c.yaml", `channels:
  - name: ops
    type: slak
    url: https://hooks.example.com/x
  - name: ops
    type: webhook
    url: http://hooks.example.com/SECRET
    secret: [0123456789abcdef]
  - { name: ops, type: webhook, url: https://hooks.example.com, secret: [0123456789abcdef] }
  - { name: sky, type: bluesky, user: status.example.com }
`)
	_, err := LoadConfig(file, nil, nil)
	found, ok := errors.AsType[alerts.Findings](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%d:%d %s|%s", f.Line, f.Column, f.Message, f.Suggestion))
	}
	want := []string{
		`3:11 channel "ops": type is "slak", but must be slack, teams, discord, mastodon, bluesky or webhook|did you mean "slack"?`,
		`7:10 channel "ops": url: must begin with https://|`,
		`9:13 channel "ops": another one has the same name|`,
		`10:5 channel "sky": password: is missing: make one under Settings, Privacy and security, App passwords|`,
	}
	if strings.Contains(err.Error(), "SECRET") {
		t.Errorf("it tells a secret: %v", err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestTheOperatorsOfTheDocumentationAreTaken(t *testing.T) {
	text, err := os.ReadFile("../../docs/channels.md")
	if err != nil {
		t.Fatal(err)
	}
	_, operators, _ := strings.Cut(string(text), "## Operators")
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(operators)
	t.Setenv("ONCALL_URL", "https://hooks.example.com/x")
	cfg, err := LoadConfig(write(t, "c.yaml", block[1]), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cfg.drafts(); !d.Tell || d.RemindAfter != 10*time.Minute {
		t.Errorf("drafts %+v", d)
	}
	byMail, byChat := cfg, cfg
	byMail.Channels, byChat.SMTP.Operators = nil, nil
	if !byMail.drafts().Tell || !byChat.drafts().Tell {
		t.Errorf("told by mail alone: %v, by chat alone: %v", byMail.drafts().Tell, byChat.drafts().Tell)
	}
	if len(cfg.ChannelNames()) != 0 || !slices.Equal(cfg.OperatorChannels(), []string{"oncall"}) {
		t.Errorf("public %v, operators %v", cfg.ChannelNames(), cfg.OperatorChannels())
	}
	rules := write(t, "rules.yaml", "rules: [{name: a, matchers: ['alertname=\"A\"'], open: {title: A}, broadcast: {open: [oncall]}}]")
	if _, err := LoadRules(rules, cfg.ChannelNames()...); err == nil || !strings.Contains(err.Error(), "oncall") {
		t.Errorf("a rule may tell operators what is public: %v", err)
	}
}

func TestWithoutOperatorsNothingIsTold(t *testing.T) {
	if d := defaults().drafts(); d.Tell {
		t.Errorf("%+v", d)
	}
	for text, want := range map[string]string{
		"smtp: {operators: [oncall@x.example]}":                                             "smtp.url",
		"smtp: {url: 'smtp://h', from: a@x.example, operators: ['Ann <oncall@x.example>']}": "is not an address",
		"drafts: {remind_after: 5}":                                                         "drafts.remind_after",
		"drafts: {remind_after: 10s}":                                                       "drafts.remind_after",
	} {
		if _, err := LoadConfig(write(t, "c.yaml", text), nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
