package pages

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// chartFresh is how old the newest value of a chart may be and still be called
// that of now.
const chartFresh = 10 * time.Minute

// A plot is drawn on a sheet of this size; the page stretches it.
const (
	plotWidth  = 600
	plotHeight = 100
	plotMargin = 4 // above and below, for the thickness of the line
)

type chartsPage struct {
	shell
	Charts []chart
}

// A chart is a metric as people see it.
type chart struct {
	ID    string
	Name  string
	Now   string  // "" when it is not known
	Since *moment // since when it is not known; nil: it never was
	Plots []plot
}

// A plot is the line of a chart over a span. Line is empty when there is none.
type plot struct {
	ID        string // within the page
	Name      string // of the chart
	Span      string
	Summary   string // in words
	Low, High string
	Line      string // the path, with a gap where there is no data
}

// charts draws the metrics: on their own page with all their spans, on the
// front page with the first.
func (p *press) charts(e *edition, first bool) []chart {
	var out []chart
	for _, c := range p.cfg.Charts {
		s := e.series(c.ID)
		drawn := chart{ID: c.ID, Name: oneLine(c.Name)}
		if !s.Latest.At.IsZero() {
			if until := s.Latest.At.Add(s.Latest.Step); e.now.Sub(until) <= chartFresh {
				drawn.Now = e.lang.figure(c, s.Latest.Mean)
			} else {
				at := e.moment(until)
				drawn.Since = &at
			}
		}
		for _, span := range status.Spans {
			if slices.Contains(c.Spans, span.Name) && (!first || len(drawn.Plots) == 0) {
				drawn.Plots = append(drawn.Plots, e.plot(c, drawn, span, s.Spans[span.Name]))
			}
		}
		out = append(out, drawn)
	}
	return out
}

func (p *press) chartsPage(e *edition) chartsPage {
	title := e.lang.say("charts")
	page := chartsPage{shell: p.shell(e, "/charts", title, e.lang.pair(p.cfg.Name, title)), Charts: p.charts(e, false)}
	page.Live = true
	return page
}

// series is what is known of a chart.
func (e *edition) series(id string) status.Series {
	for _, s := range e.view.Charts {
		if s.Chart == id {
			return s
		}
	}
	return status.Series{}
}

// plot draws the samples of a span that ends now.
func (e *edition) plot(c status.Chart, of chart, span status.Span, samples []status.Sample) plot {
	p := plot{ID: "chart-" + c.ID + "-" + span.Name, Name: of.Name, Span: e.lang.say("chart." + span.Name)}
	steps := int(span.Length / span.Step)
	begin := e.now.Truncate(span.Step).Add(-time.Duration(steps-1) * span.Step)
	samples = slices.DeleteFunc(slices.Clone(samples), func(s status.Sample) bool { return s.At.Before(begin) || s.At.After(e.now) })
	words := []string{p.Span}
	if of.Now != "" {
		words = append(words, e.lang.say("chart.now", "value", of.Now))
	} else if of.Since != nil {
		words = append(words, e.lang.say("chart.since", "time", of.Since.Text))
	}
	if len(samples) > 0 {
		low, high := samples[0].Low, samples[0].High
		for _, s := range samples {
			low, high = min(low, s.Low), max(high, s.High)
		}
		p.Low, p.High = e.lang.say("chart.low", "value", e.lang.figure(c, low)), e.lang.say("chart.high", "value", e.lang.figure(c, high))
		p.Line = line(samples, begin, span.Step, steps)
		words = append(words, p.Low, p.High)
	}
	p.Summary = strings.Join(words, e.lang.say("comma"))
	return p
}

// line is the path of samples: their means, from the lowest at the bottom to the
// highest on top. Where a step has none, the line breaks.
func line(samples []status.Sample, begin time.Time, step time.Duration, steps int) string {
	low, high := samples[0].Mean, samples[0].Mean
	for _, s := range samples {
		low, high = min(low, s.Mean), max(high, s.Mean)
	}
	var b strings.Builder
	last := -2
	for _, s := range samples {
		n := int(s.At.Sub(begin) / step)
		x, y := n*plotWidth/(steps-1), plotHeight/2
		if high > low {
			y = plotHeight - plotMargin - int((s.Mean-low)/(high-low)*(plotHeight-2*plotMargin)+.5)
		}
		switch {
		case n != last+1:
			// A line of no length shows as a dot, should the next step be empty.
			b.WriteString("M" + strconv.Itoa(x) + " " + strconv.Itoa(y) + "h0")
		case strings.HasSuffix(b.String(), "h0"):
			b.WriteString("L" + strconv.Itoa(x) + " " + strconv.Itoa(y))
		default:
			b.WriteString(" " + strconv.Itoa(x) + " " + strconv.Itoa(y))
		}
		last = n
	}
	return b.String()
}

// figure words a value of a chart: 1.25 s, 12,5 %, 42/min.
func (l *language) figure(c status.Chart, v float64) string {
	number := strings.Replace(strconv.FormatFloat(v, 'f', c.Decimals, 64), ".", l.say("decimal"), 1)
	switch {
	case c.Unit == "%":
		return l.say("percent", "number", number)
	case c.Unit == "" || strings.HasPrefix(c.Unit, "/"):
		return number + c.Unit
	}
	return number + "\u00a0" + c.Unit
}

// chartsDoc is /charts.json: the metrics for machines.
type chartsDoc struct {
	Charts []chartDoc `json:"charts"`
}

type chartDoc struct {
	ID     string                 `json:"id"`
	Name   string                 `json:"name"`
	Unit   string                 `json:"unit"`
	Latest *pointDoc              `json:"latest"`
	Spans  map[string][]*pointDoc `json:"spans"`
}

type pointDoc struct {
	At   time.Time `json:"at"`
	Low  float64   `json:"low"`
	High float64   `json:"high"`
	Mean float64   `json:"mean"`
}

func pointOf(s status.Sample) *pointDoc { return &pointDoc{s.At.UTC(), s.Low, s.High, s.Mean} }

// putCharts shelves the page of the metrics and its data, if there are any.
func (p *press) putCharts(s *shelf, e *edition) error {
	if len(p.cfg.Charts) == 0 {
		return nil
	}
	if s.hasty && s.old.docs["/charts.json"] != nil && s.keep("/charts", nil, true) {
		s.docs["/charts.json"] = s.old.docs["/charts.json"]
		return nil // they have nothing to do with issues
	}
	if err := e.shelve(s, "/charts", "charts", htmlKind, leaf{content: p.chartsPage(e), live: true}); err != nil {
		return err
	}
	doc := chartsDoc{Charts: []chartDoc{}}
	for _, c := range p.cfg.Charts {
		series := e.series(c.ID)
		d := chartDoc{ID: c.ID, Name: c.Name, Unit: c.Unit, Spans: map[string][]*pointDoc{}}
		if !series.Latest.At.IsZero() {
			d.Latest = pointOf(series.Latest)
		}
		for _, name := range c.Spans {
			d.Spans[name] = []*pointDoc{}
			for _, v := range series.Spans[name] {
				d.Spans[name] = append(d.Spans[name], pointOf(v))
			}
		}
		doc.Charts = append(doc.Charts, d)
	}
	raw, err := jsonBytes(doc)
	if err == nil {
		s.put("/charts.json", jsonKind, raw)
	}
	return err
}
