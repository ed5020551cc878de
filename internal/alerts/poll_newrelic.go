package alerts

import (
	"context"
	"errors"

	"github.com/statusbridge/statusbridge/internal/status"
)

// pollNewRelic is not there yet: New Relic sources are only listened to.
func (p *Poller) pollNewRelic(context.Context, *status.Rules, status.Source) error {
	return errors.New("polling New Relic is not available yet")
}
