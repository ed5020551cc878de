package status

import "time"

// Chart is what people see of a metric. Its samples are kept under its id.
type Chart struct {
	ID       string // slug of the name
	Name     string
	Unit     string // "" has none
	Decimals int    // shown
	Spans    []string
}

// A Span is a stretch of time that a chart shows, up to now.
type Span struct {
	Name   string // day, week or month
	Length time.Duration
	Step   time.Duration // from one point of the line to the next
	tier   time.Duration // the samples it is drawn from
}

// Spans are the stretches that there are; none has more than 60 steps.
var Spans = []Span{
	{"day", 24 * time.Hour, 30 * time.Minute, Tiers[1].Step},
	{"week", 7 * 24 * time.Hour, 4 * time.Hour, Tiers[2].Step},
	{"month", 30 * 24 * time.Hour, 12 * time.Hour, Tiers[2].Step},
}

// Tier is the width of the samples that the span is drawn from.
func (s Span) Tier() time.Duration { return s.tier }

// A Tier is how long samples of one width are kept. The finest are measured, the
// others made of them.
type Tier struct {
	Step time.Duration
	Keep time.Duration
}

// Tiers are the widths of samples, the finest first.
var Tiers = []Tier{
	{time.Minute, 2 * 24 * time.Hour},
	{10 * time.Minute, 14 * 24 * time.Hour},
	{time.Hour, 90 * 24 * time.Hour},
}

// Sample is what a metric came to in a stretch of time.
type Sample struct {
	Chart string
	Step  time.Duration
	At    time.Time // its beginning
	Low   float64
	High  float64
	Mean  float64
}

// Series is what the public may know of a chart.
type Series struct {
	Chart  string
	Latest Sample              // of the finest
	Spans  map[string][]Sample // by name of the span, each from old to new
}

// Measured keeps what was measured.
func Measured(samples []Sample) Changes { return Changes{Samples: samples} }
