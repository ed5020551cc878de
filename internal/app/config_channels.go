package app

import (
	"fmt"

	"github.com/statusbridge/statusbridge/internal/broadcast"
)

// Channel is where the operator wants messages, too; see docs/channels.md.
type Channel struct {
	Name         string   `yaml:"name"`
	Type         string   `yaml:"type"` // slack, teams, discord, mastodon, bluesky or webhook
	URL          string   `yaml:"url" secret:"whole"`
	User         string   `yaml:"user,omitempty"`
	Password     string   `yaml:"password,omitempty" secret:"whole"`
	Token        string   `yaml:"token,omitempty" secret:"whole"`
	Visibility   string   `yaml:"visibility,omitempty"`
	Secret       []string `yaml:"secret,omitempty" secret:"whole"`
	Mode         string   `yaml:"mode,omitempty"`
	AllowPrivate bool     `yaml:"allow_private,omitempty"`
}

// channels makes the senders of the operator's channels.
func (c Config) channels() ([]broadcast.Sender, error) {
	var out []broadcast.Sender
	seen := map[string]bool{}
	for _, ch := range c.Channels {
		sender, err := broadcast.NewChannel(broadcast.ChannelConfig{
			Name: ch.Name, Type: ch.Type, URL: ch.URL, User: ch.User, Password: ch.Password, Token: ch.Token, Visibility: ch.Visibility, Secret: ch.Secret, Mode: ch.Mode,
			AllowPrivate: ch.AllowPrivate, PageName: c.Page.Name, PublicURL: c.PublicURL,
		})
		if err != nil {
			return nil, err
		}
		if seen[ch.Name] {
			return nil, fmt.Errorf("channel %q: another one has the same name", ch.Name)
		}
		seen[ch.Name] = true
		out = append(out, sender)
	}
	return out, nil
}

func (c Config) channelNames() []string {
	var out []string
	for _, ch := range c.Channels {
		out = append(out, ch.Name)
	}
	return out
}
