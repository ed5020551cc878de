package alerts

import (
	"context"
	"os"

	"github.com/statusbridge/statusbridge/internal/status"
)

// newRelic examines an account through NerdGraph: whether it may be asked, and
// whether it sends to us.
func (x *examination) newRelic(ctx context.Context) {
	if !x.src.Polled() {
		x.say(status.CheckOff, "key", "write account_id and api_key_env, so that lost webhooks are noticed and the workflow can be checked",
			"no key is named: it is listened to, never asked")
		return
	}
	getenv := x.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	poller := NewPoller(PollerConfig{Getenv: getenv, HTTP: x.HTTP})
	api, err := poller.newRelicAPI(ctx, x.src)
	if err != nil {
		x.say(status.CheckFail, "key", "export a user key (NRAK-…) as "+x.src.APIKeyEnv, "%v", err)
		return
	}
	began, err := api.began(x.Now().Add(-overlap))
	if err != nil {
		x.say(status.CheckFail, "poll", "check the key, account_id and region (us or eu)", "asking which issues began: %v", err)
		return
	}
	// An id that no issue has: only whether it may be asked matters.
	if err := api.issues([]string{"00000000-0000-4000-8000-000000000000"}, map[string]newRelicAnswer{}); err != nil {
		x.say(status.CheckFail, "poll", "give the key's user a role that may read alerts", "asking about an issue: %v", err)
		return
	}
	x.say(status.CheckOK, "poll", "", "account %d answers; %d issues began in the last %s", x.src.AccountID, len(began), overlap)
	x.provisions(ctx, getenv)
}

const setUp = "run: statusbridge setup newrelic"

// provisions looks for the destination, the channel and the workflow.
func (x *examination) provisions(ctx context.Context, getenv func(string) string) {
	there, err := newProvisions(ctx, x.src, getenv, x.HTTP.Transport)
	if err != nil {
		x.say(status.CheckFail, "destination", "", "%v", err)
		return
	}
	d, err := there.findDestination("statusbridge", x.hook())
	switch {
	case err != nil:
		x.say(status.CheckFail, "destination", "", "%v", err)
		return
	case d == nil:
		x.say(status.CheckFail, "destination", setUp, "none sends to %s", x.hook())
		return
	case !d.Active:
		x.say(status.CheckFail, "destination", "switch it on in New Relic", "%s is not active", d.Name)
	case d.Status != "DEFAULT" && d.Status != "TESTED":
		x.say(status.CheckWarn, "destination", "see whether New Relic reaches "+x.hook()+", and whether the token is the webhook secret", "%s has the status %s", d.Name, d.Status)
	default:
		x.say(status.CheckOK, "destination", "", "%s sends to %s", d.Name, x.hook())
	}
	c, err := there.findChannel(d.ID)
	switch {
	case err != nil:
		x.say(status.CheckFail, "channel", "", "%v", err)
		return
	case c == nil:
		x.say(status.CheckFail, "channel", setUp, "%s has none", d.Name)
		return
	}
	x.noted("channel", c.Name, channelNote(*c))
	w, err := there.findWorkflow(c.ID)
	switch {
	case err != nil:
		x.say(status.CheckFail, "workflow", "", "%v", err)
	case w == nil:
		x.say(status.CheckFail, "workflow", setUp, "none sends to %s: no issue ever comes", c.Name)
	default:
		x.noted("workflow", w.Name, workflowNote(*w, c.ID))
	}
}

func (x *examination) noted(what, name, note string) {
	if note == "" {
		x.say(status.CheckOK, what, "", "%s is there and active", name)
		return
	}
	x.say(status.CheckWarn, what, "see "+name+" in New Relic", "%s: %s", name, note)
}
