package app

import (
	"context"
	"errors"

	"github.com/statusbridge/statusbridge/internal/broadcast"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/web"
)

// poster makes the sender of tweets.
func (c Config) poster(counter broadcast.PostCounter) (*broadcast.Twitter, error) {
	t := c.Twitter
	return broadcast.NewTwitter(broadcast.TwitterConfig{
		API: t.API, ConsumerKey: t.ConsumerKey, ConsumerSecret: t.ConsumerSecret, AccessToken: t.AccessToken, AccessSecret: t.AccessSecret,
		BaseURL: t.BaseURL, Mode: t.Mode, WithURL: t.WithURL, MonthlyPosts: t.MonthlyPosts, Counter: counter,
	})
}

// errNoTweets is the answer to whoever wants a tweet of a page that posts none.
var errNoTweets = errors.New("tweets are not configured: set the four keys under twitter")

// dryTweet shows what would be posted about the newest published issue, or a
// made-up one, and asks X whether the keys are good. Nothing is posted.
func (d *Daemon) dryTweet(ctx context.Context) (web.DryTweet, error) {
	out := web.DryTweet{Limit: broadcast.TweetLimit}
	if d.twitter == nil {
		return out, errNoTweets
	}
	story, err := d.anyStory(ctx)
	if err != nil {
		return out, err
	}
	out.Sample = story.Issue.ID == ""
	m, err := broadcast.Compose(story, d.cfg.PublicURL)
	if err != nil {
		return out, err
	}
	m.Now = d.clock.Now()
	out.Text, out.Weight = d.twitter.Draft(m)
	if out.Used, out.Budget, err = d.twitter.Budget(ctx, m); err != nil {
		return out, err
	}
	out.Account, err = d.twitter.Verify(ctx)
	return out, err
}

// anyStory is the beginning of the newest public issue, or of a made-up one.
func (d *Daemon) anyStory(ctx context.Context) (broadcast.Story, error) {
	components, _, err := d.store.Components(ctx)
	if err != nil {
		return broadcast.Story{}, err
	}
	story := broadcast.Story{Event: status.EventOpen, Components: components}
	last, err := d.store.Issues(ctx, store.IssueQuery{Stages: []status.Stage{status.Published}, Limit: 1})
	if err != nil {
		return story, err
	}
	if len(last) > 0 && len(last[0].Updates) > 0 {
		story.Issue, story.UpdateID = &last[0], last[0].Updates[0].ID
		return story, nil
	}
	i := status.Issue{
		Title: "An example of an outage", Stage: status.Published, State: status.Investigating, StartedAt: d.clock.Now(),
		Updates: []status.Update{{ID: "example", State: string(status.Investigating), Body: "We are looking into it."}},
	}
	if len(components) > 0 {
		i.Components = []status.Affected{{ComponentID: components[0].ID, Status: status.PartialOutage}}
	}
	story.Issue, story.UpdateID = &i, "example"
	return story, nil
}
