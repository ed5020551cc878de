package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
)

// handleHealthz says that the process lives, whatever else is broken: who
// restarts it because the database is down makes things worse.
func handleHealthz(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.SendString("ok\n")
}

const pingPatience = time.Second

// readiness is the truth about the whole, with reasons.
type readiness struct {
	Ready   bool             `json:"ready"`
	Reasons []string         `json:"reasons"`
	Checks  map[string]check `json:"checks"`
}

type check struct {
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitzero"`
}

func (s *Server) handleReadyz(c *fiber.Ctx) error {
	r := s.ready(c.UserContext())
	body, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Set(fiber.HeaderCacheControl, "no-store")
	if !r.Ready {
		c.Status(http.StatusServiceUnavailable)
	}
	return c.Send(body)
}

func (s *Server) ready(ctx context.Context) readiness {
	r := readiness{Ready: true, Reasons: []string{}, Checks: map[string]check{}}
	note := func(name string, ok bool, detail string) {
		r.Checks[name] = check{ok, detail}
		if !ok {
			r.Ready = false
			r.Reasons = append(r.Reasons, detail)
		}
	}
	pingCtx, cancel := context.WithTimeout(ctx, pingPatience)
	defer cancel()
	if err := s.ping(pingCtx); err != nil {
		note("database", false, "the database does not answer within a second")
	} else {
		note("database", true, "")
	}
	stats := s.intake.Stats()
	if n := stats.JournalDepth; n > 0 {
		note("journal", false, "the journal keeps "+counted(n, "webhook")+" for the database")
	} else {
		note("journal", true, "")
	}
	if !stats.RefusedAt.IsZero() {
		note("storage", false, "webhooks can be stored neither in the database nor in the journal since "+stats.RefusedAt.UTC().Format(time.RFC3339)+
			" and are answered with 503: is the disk full?")
	} else {
		note("storage", true, "")
	}
	if stats.LastError != "" && !stats.LastErrorOver && stats.RefusedAt.IsZero() {
		note("intake", false, "webhooks are stored but cannot be processed since "+stats.LastErrorAt.UTC().Format(time.RFC3339))
	} else {
		note("intake", true, "")
	}
	switch late, since := s.pages.Late(); {
	case late && since.IsZero():
		note("pages", false, "the public pages have not been rendered yet")
	case late:
		note("pages", false, "the public pages are late since "+since.UTC().Format(time.RFC3339))
	default:
		note("pages", true, "")
	}
	if err := s.rules().Err; err != nil {
		// old rules work on: this is worth a look but no reason to take traffic away
		r.Checks["rules"] = check{false, "the last reload failed; the rules before it stay in force"}
	} else {
		r.Checks["rules"] = check{true, ""}
	}
	return r
}

// ping gives up with its context even when the driver does not.
func (s *Server) ping(ctx context.Context) error {
	answer := make(chan error, 1)
	go func() { answer <- s.store.Ping(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// metrics are few, and each is documented in its help text.
type metrics struct {
	registry *prometheus.Registry
	webhooks *prometheus.CounterVec
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "statusbridge_webhooks_total",
			Help: "Webhooks answered, by kind of sender and HTTP status code.",
		}, []string{"kind", "code"}),
	}
	m.registry.MustRegister(m.webhooks, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "statusbridge_journal_depth",
		Help: "Webhooks that wait in the local journal until the database is back.",
	}, func() float64 { return float64(s.intake.Stats().JournalDepth) }), prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "statusbridge_connections_refused_total",
		Help: "Connections refused because their address held as many as one may.",
	}, func() float64 { return float64(s.refused.Load()) }), scrape{s})
	return m
}

func (m *metrics) webhook(kind string, code int) {
	m.webhooks.WithLabelValues(kind, itoa(code)).Inc()
}

// scrape reads what the database knows, when asked.
type scrape struct{ s *Server }

var (
	issuesDesc     = prometheus.NewDesc("statusbridge_issues", "Open issues by stage: draft waits for a person, published is public.", []string{"stage"}, nil)
	deliveriesDesc = prometheus.NewDesc("statusbridge_deliveries", "Messages by channel and state.", []string{"channel", "state"}, nil)
	pageAgeDesc    = prometheus.NewDesc("statusbridge_page_age_seconds", "Seconds since the content of the public page last changed.", nil, nil)
	blindDesc      = prometheus.NewDesc("statusbridge_source_blind", "1 while nothing of the source resolves by itself: its heartbeat is stale or it does not answer.", []string{"source"}, nil)
	answeredDesc   = prometheus.NewDesc("statusbridge_source_answer_age_seconds", "Seconds since a polled source last gave an answer that can be believed.", []string{"source"}, nil)
	troubledDesc   = prometheus.NewDesc("statusbridge_channel_troubled", "1 while the last attempt on a channel failed.", []string{"channel"}, nil)
	pausedDesc     = prometheus.NewDesc("statusbridge_channel_paused", "1 while a person has stopped a channel.", []string{"channel"}, nil)
	audienceDesc   = prometheus.NewDesc("statusbridge_subscribers", "Subscribers by state: active, unconfirmed, suppressed because mail came back.", []string{"state"}, nil)
	toPublicDesc   = prometheus.NewDesc("statusbridge_time_to_public_seconds", "Seconds from the beginning of the disturbance to its publication, of the issue published last.", nil, nil)
	toLastDesc     = prometheus.NewDesc("statusbridge_time_to_last_mail_seconds", "Seconds from an update to the last mail about it, of the update whose mails were done last.", nil, nil)
	databaseDesc   = prometheus.NewDesc("statusbridge_database_up", "1 when the database answered this scrape, else 0 and series that need it are missing.", nil, nil)
)

// Describe lists the series.
func (m scrape) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{issuesDesc, deliveriesDesc, pageAgeDesc, databaseDesc, blindDesc, answeredDesc, troubledDesc, pausedDesc, audienceDesc, toPublicDesc, toLastDesc, processedDesc, alertsDesc, renderDesc} {
		out <- d
	}
}

// Collect reads the values; those that cannot be read are left out.
func (m scrape) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(m.s.done, 2*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	open, err := m.s.store.Issues(ctx, store.IssueQuery{OpenOnly: true, Limit: 1000})
	up := 1.0
	if err != nil {
		up = 0
	} else {
		count := map[status.Stage]int{status.Draft: 0, status.Published: 0}
		for _, i := range open {
			count[i.Stage]++
		}
		for stage, n := range count {
			gauge(issuesDesc, float64(n), string(stage))
		}
	}
	gauge(databaseDesc, up)
	if counts, err := m.s.store.DeliveryCounts(ctx); err == nil {
		for channel, states := range counts {
			for state, n := range states {
				gauge(deliveriesDesc, float64(n), channel, string(state))
			}
		}
	}
	m.s.measureBroadcast(ctx, gauge)
	m.measureAlerts(ctx, out)
	if sources, err := m.s.sourceHealth(ctx); err == nil {
		for _, h := range sources {
			blind := 0.0
			if h.Blind != "" {
				blind = 1
			}
			gauge(blindDesc, blind, h.Name)
			if h.Polled && !h.AnsweredAt.IsZero() {
				gauge(answeredDesc, m.s.clock.Now().Sub(h.AnsweredAt).Seconds(), h.Name)
			}
		}
	}
	gauge(renderDesc, m.s.pages.RenderTook().Seconds())
	if doc := m.s.pages.Find("/"); doc != nil && !doc.LastModified.IsZero() {
		gauge(pageAgeDesc, m.s.clock.Now().Sub(doc.LastModified).Seconds())
	}
}

// handleMetrics answers those who know the webhook secret, programs with an API
// token, and signed-in people who give their session as a bearer token.
func (s *Server) handleMetrics(c *fiber.Ctx) error {
	if err := s.mayScrape(c); err != nil {
		return err
	}
	return s.sendMetrics(c)
}

func (s *Server) sendMetrics(c *fiber.Ctx) error {
	families, err := s.metrics.registry.Gather()
	if err != nil {
		return err
	}
	var body bytes.Buffer
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	encoder := expfmt.NewEncoder(&body, format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	c.Set(fiber.HeaderContentType, string(format))
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(body.Bytes())
}

func (s *Server) mayScrape(c *fiber.Ctx) error {
	if s.knowsSecret(&c.Request().Header) {
		return nil
	}
	token, err := s.bearer(c.UserContext(), &c.Request().Header)
	if err == nil && token.May(status.TokenRead) {
		return nil
	}
	if err != nil && !errors.As(err, new(refusal)) {
		return err
	}
	v, err := s.visitOf(c.UserContext(), bearerOf(&c.Request().Header))
	if err != nil && !errors.Is(err, errSignedOut) {
		return err
	}
	if err != nil || !v.may(status.Admin) {
		return refusal{code: http.StatusUnauthorized, text: "Send the webhook secret or an API token as Authorization: Bearer."}
	}
	return nil
}
