package bench

import (
	"os"
	"testing"
	"time"
)

func BenchmarkStart(t *testing.B) {
	pinLoad(t)
	times := 2*rounds + 1
	var first, again, rss []float64
	for range times {
		d := install(t, "", rulesStorm)
		first = append(first, milliseconds(d.start()))
		time.Sleep(200 * time.Millisecond)
		rss = append(rss, float64(usageOf(t, d.process).rss)/1e6)
		d.stop()
		again = append(again, milliseconds(d.start()))
		d.stop()
	}
	report(t, "cold start to the first 200, new database", median(first), "ms", "<= 50")
	report(t, "cold start to the first 200, empty database", median(again), "ms", "<= 50")
	report(t, "memory after the start", median(rss), "MB", "")

	d := install(t, "", rulesStorm)
	s := d.open()
	seed(t, s, 100, 10_000)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var full []float64
	for range times {
		full = append(full, milliseconds(d.start()))
		time.Sleep(200 * time.Millisecond)
		d.stop()
	}
	report(t, "cold start to the first 200, 100 components, 10,000 issues", median(full[1:]), "ms", "<= 150")
	report(t, "the same, first time", full[0], "ms", "")
}

func BenchmarkMemory(t *testing.B) {
	pinLoad(t)
	d := install(t, "", rulesStorm)
	s := d.open()
	seed(t, s, 20, 50)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	d.start()
	time.Sleep(time.Second)
	wrk(t, d.url+"/", 512, "")
	report(t, "memory with 512 connections under load", float64(usageOf(t, d.process).rss)/1e6, "MB", "<= 40")
	report(t, "of these its own, without pages of the program", float64(kilobytes(t, d.process, "RssAnon:")<<10)/1e6, "MB", "")
	report(t, "the most it ever was", float64(kilobytes(t, d.process, "VmHWM:")<<10)/1e6, "MB", "")
}

func TestTheBinaryIsSmall(t *testing.T) {
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	report(t, "the binary", float64(info.Size())/1e6, "MB", "<= 30")
	const most = 39e6 // a net against accidents
	if info.Size() > most {
		t.Errorf("the binary has %d bytes", info.Size())
	}
}
