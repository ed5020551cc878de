package broadcast

import (
	"fmt"
	"testing"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/status"
)

// BenchmarkWriteMail is what one more recipient of the same words costs, before
// the mail goes out; "alone" is the mail of the only one.
func BenchmarkWriteMail(b *testing.B) {
	s, err := smtpsink.Start(smtpsink.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	e, err := NewEmail(EmailConfig{URL: s.URL(), From: "status@acme.example", PublicURL: pageURL, PageName: "Acme Status"})
	if err != nil {
		b.Fatal(err)
	}
	shared, err := Compose(issueStory(status.EventOpen, openCheckout(), "u1"), pageURL)
	if err != nil {
		b.Fatal(err)
	}
	write := func(b *testing.B, m Message) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			if _, _, err := e.build(addressed(m, fmt.Sprintf("person%d@example.com", n))); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("one of many", func(b *testing.B) { write(b, shared) })
	b.Run("alone", func(b *testing.B) {
		alone := shared
		alone.letters = nil
		write(b, alone)
	})
}
