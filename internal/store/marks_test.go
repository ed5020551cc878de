package store_test

import (
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestMarksDoWithoutAStatementThatAPoolerLost(t *testing.T) {
	s := open(t, postgres(t))
	for _, address := range []string{"a@x", "b@x", "c@x"} {
		member(t, s, address)
	}
	announce(t, s, announcement("u1"))
	fanOutTo(t, s, noon, joining)
	for _, d := range claim(t, s, status.ChannelEmail, noon) {
		must(t, s.MarkSent(t.Context(), d.ID, 1, "ok", noon))
		s.LoseStatements(t)
	}
	for _, d := range deliveriesOf(t, s) {
		if d.State != status.Sent {
			t.Errorf("%s is %s", d.Recipient, d.State)
		}
	}
}
