package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/broadcast"
	"github.com/statusbridge/statusbridge/internal/store"
)

// bounceCmd reads one mail from standard input, as a mail server hands it to a
// program: one that came back ends the mail to its recipient, and one that says
// "unsubscribe TOKEN" ends the subscription.
type bounceCmd struct{}

func (b *bounceCmd) Run(c *cli) error {
	returned, err := broadcast.ReadReturned(os.Stdin)
	if err != nil {
		return fmt.Errorf("bounce: %w; give the mail on standard input: statusbridge bounce < message", err)
	}
	if returned.Unsubscribe == "" && len(returned.Bounces) == 0 {
		return errors.New("bounce: this mail is neither a delivery report of a failure nor a wish to unsubscribe; nothing was changed")
	}
	return c.withStore(func(ctx context.Context, s *store.Store) error {
		if returned.Unsubscribe != "" {
			if err := s.Unsubscribe(ctx, returned.Unsubscribe); err != nil {
				return err
			}
			fmt.Fprintln(c.out, "unsubscribed")
			return nil
		}
		kept, err := app.RecordBounces(ctx, s, returned.Bounces)
		if err != nil {
			return err
		}
		for _, found := range returned.Bounces {
			fmt.Fprintln(c.out, found.Address+":", found.Reason)
		}
		if kept == 0 {
			fmt.Fprintln(c.out, "nobody here has such an address; nothing was changed")
		}
		return nil
	})
}
