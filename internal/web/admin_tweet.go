package web

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
)

type dryTweetPage struct {
	DryTweet
	Problem string
}

// showDryTweet shows a tweet without posting it: the check before the outage.
func (s *Server) showDryTweet(c *fiber.Ctx, _ visit) error {
	if s.tweet == nil || !s.cfg.TwitterConfigured {
		return refusal{code: http.StatusConflict, text: "Tweets are not configured: set the four keys under twitter."}
	}
	dry, err := s.tweet(c.UserContext())
	view, title, code := dryTweetPage{DryTweet: dry}, "Tweets would be posted", http.StatusOK
	if err != nil {
		view.Problem, title, code = err.Error(), "Tweets would not be posted", http.StatusBadGateway
	}
	return s.render(c, code, "dry_tweet.html", page{Title: title, Nav: "deliveries", Data: view})
}
