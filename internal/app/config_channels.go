package app

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/broadcast"
	"github.com/statusbridge/statusbridge/internal/status"
)

// Channel is where the operator wants messages, too; see docs/channels.md.
type Channel struct {
	Name         string   `yaml:"name" unit:"small letters, digits, hyphens" help:"how the channel is called, see [chat and webhooks](channels.md)"`
	Type         string   `yaml:"type" unit:"'slack', 'teams', 'discord', 'mastodon', 'bluesky' or 'webhook'" help:"what is at the other end"`
	URL          string   `yaml:"url" secret:"whole" unit:"URL" help:"where messages are posted"`
	User         string   `yaml:"user,omitempty" help:"handle of the account; Bluesky"`
	Password     string   `yaml:"password,omitempty" secret:"whole" help:"app password; Bluesky"`
	Token        string   `yaml:"token,omitempty" secret:"whole" help:"of an application; Mastodon"`
	Visibility   string   `yaml:"visibility,omitempty" unit:"'public', 'unlisted' or 'private'" help:"of the posts, public if left out; Mastodon"`
	Secret       []string `yaml:"secret,omitempty" secret:"whole" unit:"16 characters or more" help:"signs webhooks, one part of the signature for each"`
	Mode         string   `yaml:"mode,omitempty" unit:"'all' or 'first_and_resolved'" help:"which updates are posted, all if left out"`
	Audience     string   `yaml:"audience,omitempty" unit:"'public' or 'operators'" help:"'operators' are told of drafts that wait, and of nothing else; 'public' if left out"`
	AllowPrivate bool     `yaml:"allow_private,omitempty" help:"permits an address of a private network, and plain http"`
}

func (ch Channel) sender(c Config) (*broadcast.Channel, error) {
	return broadcast.NewChannel(broadcast.ChannelConfig{
		Name: ch.Name, Type: ch.Type, URL: ch.URL, User: ch.User, Password: ch.Password, Token: ch.Token, Visibility: ch.Visibility,
		Secret: ch.Secret, Mode: ch.Mode, Audience: ch.Audience, AllowPrivate: ch.AllowPrivate, PageName: c.Page.Name, PublicURL: c.PublicURL,
	})
}

// channels makes the senders of the operator's channels.
func (c Config) channels() ([]*broadcast.Channel, error) {
	var out []*broadcast.Channel
	for _, ch := range c.Channels {
		sender, err := ch.sender(c)
		if err != nil {
			return nil, err
		}
		out = append(out, sender)
	}
	return out, nil
}

// checkChannels finds what is wrong with the channels, in its place in the file.
func (c Config) checkChannels(file string) error {
	var found alerts.Findings
	seen := map[string]bool{}
	var items *yaml.Node
	src, err := os.ReadFile(file)
	if err == nil {
		var root yaml.Node
		if err := yaml.Unmarshal(src, &root); err == nil && root.Kind == yaml.DocumentNode {
			items = under(root.Content[0], "channels")
		}
	}
	report := func(n int, key, text, suggestion string) {
		line, column := 1, 1
		if items != nil && n < len(items.Content) {
			item := items.Content[n]
			if item.Kind == yaml.AliasNode {
				item = item.Alias
			}
			if at := under(item, key); at != nil {
				item = at
			}
			line, column = item.Line, item.Column
		}
		f := alerts.At(file, src, line, column, text)
		f.Suggestion, f.Excerpt = suggestion, "" // the line may hold a secret
		found = append(found, f)
	}
	for n, ch := range c.Channels {
		_, err := ch.sender(c)
		wrong, _ := errors.AsType[broadcast.ChannelError](err)
		switch {
		case wrong.Key == "type":
			text, suggestion := alerts.OneOf(ch.Type, broadcast.ChannelTypes)
			report(n, "type", fmt.Sprintf("channel %q: type %s", ch.Name, text), suggestion)
		case err != nil:
			report(n, wrong.Key, err.Error(), "")
		case seen[ch.Name]:
			report(n, "name", fmt.Sprintf("channel %q: another one has the same name", ch.Name), "")
		}
		seen[ch.Name] = true
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

// ChannelNames are those that rules may name: what is public goes there.
func (c Config) ChannelNames() []string { return c.namesFor(status.ThePublic) }

// OperatorChannels are those of operators.
func (c Config) OperatorChannels() []string { return c.namesFor(status.Operators) }

func (c Config) namesFor(readers status.Readers) []string {
	var out []string
	for _, ch := range c.Channels {
		if broadcast.ReadersOf(ch.Audience) == readers {
			out = append(out, ch.Name)
		}
	}
	return out
}

// drafts is whom drafts are told to, and when again.
func (c Config) drafts() status.Drafts {
	after, _ := model.ParseDuration(c.Drafts.RemindAfter) // complete has read it
	return status.Drafts{
		Tell:        len(c.OperatorChannels()) > 0 || len(c.SMTP.Operators) > 0,
		RemindAfter: time.Duration(after),
	}
}

// channelKinds are the types of the channels, by name.
func (c Config) channelKinds() map[string]string {
	out := map[string]string{}
	for _, ch := range c.Channels {
		out[ch.Name] = ch.Type
	}
	return out
}
