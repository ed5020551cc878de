package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/statusbridge/statusbridge/internal/status"
)

// peerAnswer is what one Alertmanager said.
type peerAnswer struct {
	alerts    []peerAlert
	receivers []string
	uptime    time.Duration
	since     time.Duration // uptime from which on absence means anything
	err       error
}

// trusted reports whether the absence of an alert in the answer means
// anything: the peer is up long enough and still knows us.
func (a peerAnswer) trusted(receiver string) bool {
	return a.err == nil && a.uptime > a.since && (receiver == "" || slices.Contains(a.receivers, receiver))
}

// pollAlertmanager asks all peers and joins their answers: an alert that any
// peer has is there.
func (p *Poller) pollAlertmanager(ctx context.Context, rules *status.Rules, src status.Source) error {
	asked := p.cfg.Clock.Now()
	answers := p.askPeers(ctx, src)
	var missing []alertmanagerAlert
	seen := status.Seen{Source: src.Name, AskedAt: asked, Active: map[string]status.SeenAlert{}}
	_, err := p.cfg.Applier.Apply(ctx, p.cfg.Clock.Now(), func(b status.Board) (status.Changes, error) {
		receiver := src.Receiver
		if receiver == "" {
			receiver = b.Sources[src.Name].Receiver
		}
		missing = join(&seen, answers, src, receiver, b)
		return status.Reconcile(b, rules, seen, p.cfg.Clock.Now()), nil
	})
	if err != nil {
		return err
	}
	if err := p.deliver(ctx, src.Name, missing); err != nil {
		return err
	}
	if !slices.ContainsFunc(answers, func(a peerAnswer) bool { return a.err == nil }) {
		return errors.New(seen.Err)
	}
	return nil // a peer that is down shows in the admin
}

func (p *Poller) askPeers(ctx context.Context, src status.Source) []peerAnswer {
	answers := make([]peerAnswer, len(src.Peers))
	var all sync.WaitGroup
	for n, peer := range src.Peers {
		all.Go(func() { answers[n] = p.askPeer(ctx, src, peer) })
	}
	all.Wait()
	return answers
}

func (p *Poller) askPeer(ctx context.Context, src status.Source, peer string) peerAnswer {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	a, err := p.ask(ctx, peer)
	a.since = cmp.Or(src.MinUptime, minUptime)
	if err != nil {
		return peerAnswer{err: fmt.Errorf("%s: %w", withoutPassword(peer), err)}
	}
	return a
}

func (p *Poller) ask(ctx context.Context, address string) (a peerAnswer, err error) {
	peer, err := newAlertmanagerPeer(address, p.cfg.HTTP)
	if err != nil {
		return a, err
	}
	state, err := peer.status(ctx)
	if err != nil {
		return a, err
	}
	if !state.Uptime.IsZero() {
		a.uptime = p.cfg.Clock.Now().Sub(state.Uptime)
	}
	if a.receivers, err = peer.receivers(ctx); err != nil {
		return a, err
	}
	a.alerts, err = peer.alerts(ctx)
	return a, err
}

// withoutPassword is a peer's address as errors may name it: admins of every
// role and the log see them.
func withoutPassword(peer string) string {
	u, err := url.Parse(peer)
	if err != nil {
		return "peer"
	}
	return u.Redacted()
}

// join fills seen from the answers, and returns the alerts that fire there and
// not here.
func join(seen *status.Seen, answers []peerAnswer, src status.Source, receiver string, b status.Board) []alertmanagerAlert {
	clear(seen.Active)
	seen.Trusted, seen.Err, seen.HeartbeatAt = false, "", time.Time{}
	missing := map[string]alertmanagerAlert{}
	var errs []string
	for _, a := range answers {
		if a.err != nil {
			errs = append(errs, a.err.Error())
			continue
		}
		seen.Trusted = seen.Trusted || a.trusted(receiver)
		for _, al := range a.alerts {
			if renewed := beat(al, src); !renewed.IsZero() {
				// not only where it is routed to us
				if renewed.After(seen.HeartbeatAt) {
					seen.HeartbeatAt = renewed
				}
				continue
			}
			if !ours(al, receiver) {
				continue
			}
			suppressed := al.Status.State == "suppressed"
			// what is active at one peer is active
			was, known := seen.Active[al.Fingerprint]
			seen.Active[al.Fingerprint] = status.SeenAlert{Suppressed: suppressed && (!known || was.Suppressed)}
			s := b.Signals[status.SignalKey{Source: seen.Source, Fingerprint: al.Fingerprint}]
			if !suppressed && !s.Firing && !s.SeenAt.After(seen.AskedAt) {
				missing[al.Fingerprint] = synthesize(al)
			}
		}
	}
	seen.Err = strings.Join(errs, "; ")
	if len(errs) > 0 && len(errs) < len(answers) {
		seen.Err = fmt.Sprintf("%d of %d peers did not answer: %s", len(errs), len(answers), seen.Err)
	}
	out := make([]alertmanagerAlert, 0, len(missing))
	for _, s := range missing {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b alertmanagerAlert) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	return out
}

// beat is when Prometheus last renewed the heartbeat, zero for other alerts.
// Alertmanager goes on listing and repeating an alert for minutes after
// Prometheus died; only this time stands still.
func beat(al peerAlert, src status.Source) time.Time {
	if !src.IsHeartbeat(al.Labels, nil) {
		return time.Time{}
	}
	return al.UpdatedAt.UTC()
}

// ours reports whether an alert is routed to us; an incomplete one is not.
func ours(al peerAlert, receiver string) bool {
	return al.Fingerprint != "" && !al.StartsAt.IsZero() && (receiver == "" || slices.Contains(al.Receivers, peerReceiver{receiver}))
}

// synthesize makes of an alert what a webhook should have brought.
func synthesize(al peerAlert) alertmanagerAlert {
	return alertmanagerAlert{
		Status: "firing", Labels: al.Labels, Annotations: al.Annotations, StartsAt: al.StartsAt,
		GeneratorURL: al.GeneratorURL, Fingerprint: al.Fingerprint,
	}
}

// perDelivery bounds the alerts of one synthetic delivery.
const perDelivery = 1000

// deliver takes in alerts that no webhook brought, the way of all webhooks: kept
// first, then understood.
func (p *Poller) deliver(ctx context.Context, source string, missing []alertmanagerAlert) error {
	for chunk := range slices.Chunk(missing, perDelivery) {
		body, err := json.Marshal(map[string]any{
			"version": "4", "status": "firing", "receiver": "", "groupKey": "statusbridge/reconciled", "alerts": chunk,
		})
		if err != nil {
			return err
		}
		if _, err := p.cfg.Accept(ctx, KindAlertmanager, source, body); err != nil {
			return fmt.Errorf("alerts found by asking: %w", err)
		}
		p.cfg.Log.Info("alerts found that no webhook brought", "source", source, "alerts", len(chunk))
	}
	return nil
}
