package app

import (
	"os"
	"regexp"
	"strings"
	"testing"
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
	cfg.Channels[1].Name = cfg.Channels[0].Name
	if _, err := cfg.channels(); err == nil || !strings.Contains(err.Error(), "same name") {
		t.Errorf("two of one name: %v", err)
	}
}
