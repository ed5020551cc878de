package status_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestATimelineTellsEachTurnOfAnAlertWithItsCause(t *testing.T) {
	at := func(minute int) time.Time { return epoch.Add(time.Duration(minute) * time.Minute) }
	said := func(name string, did status.Did, starts, ends, received int) status.Statement {
		f := fact(name, at(starts), time.Time{})
		if ends > 0 {
			f.Firing, f.EndsAt = false, at(ends)
		}
		f.ReceivedAt, f.Delivery = at(received), fmt.Sprintf("w%d", received)
		return status.Statement{Fact: f, Did: did}
	}
	closed := said("a", status.DidExpire, 0, 9, 9)
	closed.ClosedBy = "CLOSE_TTL"
	handed := said("a", status.DidMerge, 0, 9, 9)
	handed.MergedInto = "b"
	asked := status.Entry{At: at(5), Action: "cleared", Reason: status.ReasonReconciled, Detail: "am disk full"}

	for _, c := range []struct {
		name string
		said []status.Statement
		log  []status.Entry
		want string
	}{
		{"fired and cleared", []status.Statement{said("a", status.DidBegin, 0, 0, 1), said("a", status.DidStop, 0, 3, 4)}, nil, `
0 a fired 1: a webhook of am: began to fire (w1)
3 a cleared 1: a webhook of am: ended (w4)`},
		{"a second episode flaps, of this alert alone", []status.Statement{
			said("a", status.DidBegin, 0, 0, 1), said("a", status.DidStop, 0, 3, 4), said("b", status.DidBegin, 4, 0, 5), said("a", status.DidBegin, 6, 0, 6),
		}, nil, `
0 a fired 1: a webhook of am: began to fire (w1)
3 a cleared 1: a webhook of am: ended (w4)
4 b fired 1: a webhook of am: began to fire (w5)
6 a flapped 2: a webhook of am: began to fire (w6)`},
		{"what says nothing new is left out", []status.Statement{said("a", status.DidBegin, 0, 0, 1), said("a", status.DidNothing, 0, 0, 2), said("a", status.DidDetails, 0, 0, 3)}, nil, `
0 a fired 1: a webhook of am: began to fire (w1)`},
		{"the newest first in the store is the oldest first here", []status.Statement{said("a", status.DidStop, 0, 3, 4), said("a", status.DidBegin, 0, 0, 1)}, nil, `
0 a fired 1: a webhook of am: began to fire (w1)
3 a cleared 1: a webhook of am: ended (w4)`},
		{"closed and merged name who and where", []status.Statement{closed, handed}, nil, `
9 a closed without a recovery 0: a webhook of am: closed without a recovery, by CLOSE_TTL (w9)
9 a merged into another alert 0: a webhook of am: merged into another alert b (w9)`},
		{"an end that no webhook told", []status.Statement{said("disk full", status.DidBegin, 0, 0, 1)}, []status.Entry{asked, {Action: "opened", At: at(1)}}, `
0 disk full fired 1: a webhook of am: began to fire (w1)
5 disk full cleared 1: absent from its source twice ()`},
	} {
		var b strings.Builder
		for _, x := range status.Timeline(c.said, c.log, []status.Signal{{Key: status.SignalKey{Source: "am", Fingerprint: "disk full"}}}) {
			fmt.Fprintf(&b, "\n%d %s %s %d: %s (%s)", int(x.At.Sub(epoch).Minutes()), x.Key.Fingerprint, x.Turn, x.Fires, x.Cause, x.Delivery)
		}
		if b.String() != c.want {
			t.Errorf("%s:%s\nwant:%s", c.name, b.String(), c.want)
		}
	}
}
