package alerts

import "context"

func (x *examination) newRelic(ctx context.Context) {}
