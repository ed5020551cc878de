package engine_test

import (
	"flag"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "12") // sites wait for the disk more than they work
	os.Exit(m.Run())
}
