package pages

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// charted are settings with two charts.
func charted() Config {
	cfg := settings()
	cfg.Charts = []status.Chart{
		{ID: "response-time", Name: "Response <time>", Unit: "ms", Spans: []string{"day", "week", "month"}},
		{ID: "error-rate", Name: "Error rate", Unit: "%", Decimals: 2, Spans: []string{"week"}},
	}
	return cfg
}

// withMetrics gives a view a day of response times, up to now.
func withMetrics(v status.View) status.View {
	s := status.Series{Chart: "response-time", Spans: map[string][]status.Sample{}}
	for _, span := range status.Spans {
		steps := int(span.Length / span.Step)
		for n := range steps {
			at := noon.Truncate(span.Step).Add(time.Duration(n+1-steps) * span.Step)
			mean := math.Round(200 + 100*math.Sin(float64(n)/5))
			s.Spans[span.Name] = append(s.Spans[span.Name], status.Sample{Chart: s.Chart, Step: span.Step, At: at, Low: mean - 50, High: mean + 900, Mean: mean})
		}
	}
	s.Latest = status.Sample{Chart: s.Chart, Step: time.Minute, At: noon.Add(-time.Minute), Mean: 123.4}
	v.Charts = []status.Series{s}
	return v
}

func TestMetricsStandBetweenComponentsAndPastIssues(t *testing.T) {
	p, _, _ := stage(t, charted(), withMetrics(calm()))
	page := body(t, p, "/")
	if got, want := texts(t, page, "main h2"), []string{"Components", "Metrics", "Past issues"}; !slices.Equal(got, want) {
		t.Errorf("sections %q, want %q", got, want)
	}
	if got, want := texts(t, page, "div.chart h3"), []string{"Response <time>", "Error rate"}; !slices.Equal(got, want) {
		t.Errorf("charts %q, want %q", got, want)
	}
	svgs := pick(t, page, "figure.plot svg[role=img]")
	if captions := texts(t, page, "figure.plot figcaption"); len(svgs) != 1 || len(captions) != 2 || captions[1] != "Last 7 days No data" {
		t.Fatalf("%d drawings and %q, want the first span of each", len(svgs), captions)
	}
	for _, id := range strings.Fields(attr(svgs[0], "aria-labelledby")) {
		if len(pick(t, page, "svg #"+id)) != 1 {
			t.Errorf("the drawing is named by %q, which is not there once", id)
		}
	}
	if got, want := texts(t, page, "svg desc")[0], "Last 24 hours, now 123 ms, lowest 50 ms, highest 1200 ms"; got != want {
		t.Errorf("in words: %q, want %q", got, want)
	}
	if got := texts(t, page, "div.chart p.now"); !slices.Equal(got, []string{"now 123 ms", "No data yet"}) {
		t.Errorf("now: %q", got)
	}
	all := body(t, p, "/charts")
	if got := len(pick(t, all, "figure.plot")); got != 4 {
		t.Errorf("%d drawings on their own page, want each span of each", got)
	}
	if got := texts(t, body(t, p, "/de/charts"), "h1"); !slices.Equal(got, []string{"Messwerte"}) {
		t.Errorf("in German: %q", got)
	}
}

func TestADeadSourceShowsSinceWhenThereIsNoData(t *testing.T) {
	p, w, clock := stage(t, charted(), withMetrics(calm()))
	for _, minutes := range []int{9, 11} {
		clock.now = noon.Add(time.Duration(minutes) * time.Minute)
		w.change(func(*status.View) {})
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, page := texts(t, body(t, p, "/"), "div.chart p.now")[0], body(t, p, "/")
		if want := map[int]string{9: "now 123 ms", 11: "No data since 22 Nov, 12:00 UTC"}[minutes]; got != want {
			t.Errorf("after %d minutes: %q, want %q", minutes, got, want)
		}
		if stale := strings.Contains(texts(t, page, "svg desc")[0], "now"); stale != (minutes == 9) {
			t.Errorf("after %d minutes in words: %q", minutes, texts(t, page, "svg desc")[0])
		}
	}
	// Two days later nothing of it is of the last 24 hours.
	clock.now = noon.AddDate(0, 0, 2)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if page := body(t, p, "/"); len(pick(t, page, "figure.plot path")) != 0 || !strings.Contains(page, "No data since") {
		t.Error("a stale line is drawn as if it were of today")
	}
}

func TestTheLineBreaksWhereThereIsNoData(t *testing.T) {
	at := func(n int, mean float64) status.Sample {
		return status.Sample{At: noon.Add(time.Duration(n) * time.Hour), Mean: mean}
	}
	for _, tt := range []struct {
		samples []status.Sample
		want    string
	}{
		{[]status.Sample{at(0, 5), at(1, 5)}, "M0 50h0L200 50"},
		{[]status.Sample{at(0, 0), at(1, 10), at(2, 5)}, "M0 96h0L200 4 400 50"},
		{[]status.Sample{at(0, 0), at(2, 10), at(3, 0)}, "M0 96h0M400 4h0L600 96"},
		{[]status.Sample{at(3, 7)}, "M600 50h0"},
	} {
		if got := line(tt.samples, noon, time.Hour, 4); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	p, _, _ := stage(t, charted(), withMetrics(calm()))
	for _, path := range pick(t, body(t, p, "/charts"), "figure.plot path") {
		if n := len(regexp.MustCompile(`\d+ \d+`).FindAllString(attr(path, "d"), -1)); n < 40 || n > 60 {
			t.Errorf("%d points in one line", n)
		}
	}
}

func TestSixMetricsFitTheBudgetOfTheFirstView(t *testing.T) {
	v, cfg := withMetrics(calm()), charted()
	for len(v.Components) < 20 {
		v.Components = append(v.Components, component("more-"+string(rune('a'+len(v.Components))), "Another component", "g-pay"))
	}
	day := v.Charts[0].Spans["day"]
	cfg.Charts, v.Charts = nil, nil
	for n := range 6 {
		id := "metric-" + string(rune('a'+n))
		cfg.Charts = append(cfg.Charts, status.Chart{ID: id, Name: "Metric " + id, Unit: "ms", Spans: []string{"day"}})
		var noise []status.Sample
		for i, s := range day {
			s.Mean = float64((i*7919*(n+3))%997) / 3
			s.Low, s.High = s.Mean, s.Mean
			noise = append(noise, s)
		}
		v.Charts = append(v.Charts, status.Series{Chart: id, Latest: day[len(day)-1], Spans: map[string][]status.Sample{"day": noise}})
	}
	p, _, _ := stage(t, served(cfg), v)
	whole := len(p.Find("/").Gzip) + len(p.Find(p.Stylesheet()).Gzip) + len(p.Find(p.press.assets.script.path).Gzip) + len(p.Find("/favicon.svg").Raw)
	t.Logf("first view of 20 components and 6 metrics: %d bytes (page %d)", whole, len(p.Find("/").Gzip))
	if whole > 14_000 {
		t.Errorf("it takes %d bytes, want at most 14,000", whole)
	}
}

func TestMetricsForMachines(t *testing.T) {
	p, _, _ := stage(t, charted(), withMetrics(calm()))
	var doc chartsDoc
	if err := json.Unmarshal([]byte(body(t, p, "/charts.json")), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Charts) != 2 || doc.Charts[0].Latest.Mean != 123.4 || len(doc.Charts[0].Spans["day"]) != 48 || doc.Charts[1].Latest != nil || doc.Charts[1].Spans["week"] == nil {
		t.Errorf("%+v", doc)
	}
}

func TestAPageWithoutMetricsPaysNothingForThem(t *testing.T) {
	p := published(t, withMetrics(calm()))
	for _, path := range []string{"/", p.Stylesheet()} {
		if text := body(t, p, path); strings.Contains(text, "chart") || strings.Contains(text, "plot") {
			t.Errorf("%s holds something of them", path)
		}
	}
	if p.Find("/charts") != nil || p.Find("/charts.json") != nil {
		t.Error("there is an empty page of metrics")
	}
}
