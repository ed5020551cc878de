package store_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/store/pgtest"
)

func benchBoth(b *testing.B, bench func(b *testing.B, s *store.Store)) {
	for name, dsn := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(b.TempDir(), "bench.db") },
		"postgres": func() string { return pgtest.Start(b).NewDatabase(b) }, // does not wait for the disk
	} {
		b.Run(name, func(b *testing.B) {
			s, err := store.Open(b.Context(), dsn())
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.SetParallelism(32)
			b.ResetTimer()
			bench(b, s)
		})
	}
}

// BenchmarkSaveWebhook keeps deliveries of about 50 alerts.
func BenchmarkSaveWebhook(b *testing.B) {
	var body bytes.Buffer
	for n := range 50 {
		fmt.Fprintf(&body, `{"status":"firing","labels":{"alertname":"DiskFull","instance":"host-%d:9100","severity":"critical","job":"node"},"annotations":{"summary":"The disk of host-%d is full","runbook":"https://runbooks.example.org/disk"},"startsAt":"2026-11-22T12:00:%02dZ","endsAt":"0001-01-01T00:00:00Z","fingerprint":"%016x"},`, n, n, n, n*7919)
	}
	benchBoth(b, func(b *testing.B, s *store.Store) {
		var n atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				w := status.Webhook{ID: fmt.Sprint(n.Add(1)), Kind: "alertmanager", Body: body.Bytes(), ReceivedAt: kept}
				if err := s.SaveWebhook(context.Background(), w); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkApply saves 50 changed alerts a time.
func BenchmarkApply(b *testing.B) {
	signal := filled[status.Signal]("s")
	benchBoth(b, func(b *testing.B, s *store.Store) {
		var n atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				k := n.Add(1) % 200
				c := status.Changes{Signals: map[status.SignalKey]status.Signal{}}
				for i := range 50 {
					signal := signal
					signal.Key.Fingerprint = fmt.Sprint(k, "/", i)
					c.Signals[signal.Key] = signal
				}
				_, err := s.Apply(context.Background(), noon, func(status.Board) (status.Changes, error) { return c, nil })
				if err != nil {
					b.Error(err)
				}
			}
		})
	})
}
