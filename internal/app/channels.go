package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/broadcast"
	"github.com/statusbridge/statusbridge/internal/status"
)

// channelTime bounds the look at one channel, and a message that tries it out.
const channelTime = 12 * time.Second

// lookAtChannels asks each channel whether it would take a message, all at once:
// one that hangs delays no other. Nothing is posted.
func lookAtChannels(ctx context.Context, p *patient) []status.Check {
	if len(p.cfg.Channels) == 0 {
		return []status.Check{check("channels", status.CheckOff, "", "none under `channels`: no chats, no webhooks")}
	}
	senders, err := p.cfg.channels()
	if err != nil {
		return []status.Check{check("channels", status.CheckFail, "mend it under `channels`", "%v", err)}
	}
	out := make([]status.Check, len(senders))
	var asking sync.WaitGroup
	for n, sender := range senders {
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, channelTime)
			defer cancel()
			defer sender.Rest()
			out[n] = checkOf(sender.Channel(), sender.Kind(), func() (broadcast.Checked, error) { return sender.Check(ctx) })
		})
	}
	asking.Wait()
	return out
}

func checkOf(name, kind string, look func() (broadcast.Checked, error)) status.Check {
	label := fmt.Sprintf("channels: %s (%s)", name, kind)
	found, err := look()
	if err != nil {
		return check(label, status.CheckFail, "mend the channel "+name+" in statusbridge.yaml, then look again", "%v", err)
	}
	if !found.Sure {
		return check(label, status.CheckOK, "", "%s: statusbridge doctor channels --send %s", found.Said, name)
	}
	return check(label, status.CheckOK, "", "%s", found.Said)
}

// errNoChannel is the answer to whoever wants a channel that is not there.
func errNoChannel(name string, cfg Config) error {
	names := slices.Concat(cfg.ChannelNames(), cfg.OperatorChannels())
	if len(names) == 0 {
		return errors.New("no channels are configured: see docs/channels.md")
	}
	words, meant := alerts.OneOf(name, names)
	if meant != "" {
		words += "; " + meant
	}
	return fmt.Errorf("the channel %s", words)
}

// SendTest sends a message that says that it is a test to one channel, past the
// queue.
func SendTest(ctx context.Context, cfg Config, name string) ([]status.Check, error) {
	senders, err := cfg.channels()
	if err != nil {
		return nil, err
	}
	for _, sender := range senders {
		if sender.Channel() == name {
			defer sender.Rest()
			return []status.Check{checkOf(name, sender.Kind(), func() (broadcast.Checked, error) {
				said, err := tryOut(ctx, sender)
				return broadcast.Checked{Said: said, Sure: true}, err
			})}, nil
		}
	}
	return nil, errNoChannel(name, cfg)
}

func tryOut(ctx context.Context, sender *broadcast.Channel) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, channelTime)
	defer cancel()
	id, err := sender.Test(ctx, "test-"+strings.ToLower(NewID()), Clock{}.Now())
	if err != nil {
		return "", err
	}
	if id != "" {
		return "it took a test message, and calls it " + id, nil
	}
	return "it took a test message: look whether it is there", nil
}

// tryChannel looks at a channel of the running daemon, or sends it a message
// that says that it is a test.
func (d *Daemon) tryChannel(ctx context.Context, name string, send bool) (said string, err error) {
	for _, sender := range d.channels {
		if sender.Channel() != name {
			continue
		}
		if send {
			return tryOut(ctx, sender)
		}
		ctx, cancel := context.WithTimeout(ctx, channelTime)
		defer cancel()
		found, err := sender.Check(ctx)
		return found.Said, err
	}
	return "", errNoChannel(name, d.cfg)
}
