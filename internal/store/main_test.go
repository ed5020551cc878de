package store_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// A listener whose server is gone sleeps up to five seconds before it
		// notices that it was closed.
		goleak.IgnoreAnyFunction("github.com/lib/pq.(*Listener).listenerMain"),
		goleak.IgnoreAnyFunction("github.com/statusbridge/statusbridge/internal/store.(*Store).listen.func2"),
	)
}
