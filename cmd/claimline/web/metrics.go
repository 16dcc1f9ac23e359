package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Metrics counts what operators look at.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	rows     *prometheus.CounterVec
	chunks   prometheus.Histogram
}

// NewMetrics returns metrics of which those about imports and mails are looked up in the store when somebody
// asks.
func NewMetrics(s *store.Store, now func() time.Time, log zerolog.Logger) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "claimline_http_request_seconds", Help: "How long requests took to be answered, by route and status.",
			Buckets: []float64{0.005, 0.02, 0.1, 0.5, 2, 10, 60},
		}, []string{"method", "route", "status"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claimline_rows_total", Help: "Rows of imports of which this process has found out what became of them, by outcome.",
		}, []string{"outcome"}),
		chunks: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "claimline_chunk_seconds", Help: "How long a transaction took that applied a chunk of an import.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 5},
		}),
	}
	m.registry.MustRegister(m.requests, m.rows, m.chunks, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&stateCollector{store: s, now: now, log: log})
	return m
}

// Applied counts rows: see pipeline.Config.
func (m *Metrics) Applied(rows schema.Tally, took time.Duration) {
	for outcome, n := range rows.Outcomes {
		m.rows.WithLabelValues(string(outcome)).Add(float64(n))
	}
	if took > 0 {
		m.chunks.Observe(took.Seconds())
	}
}

func (m *Metrics) answered(method, route string, status int, took time.Duration) {
	if route == "" {
		method, route = "", "unknown" // else anybody could make up any number of them
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// handler answers with the metrics. It is to be where only operators come.
func (m *Metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return mux
}

// stateCollector looks up how the imports and mails of all organizations stand.
type stateCollector struct {
	store *store.Store
	now   func() time.Time
	log   zerolog.Logger
}

var (
	importsDesc = prometheus.NewDesc("claimline_imports", "Imports, by state.", []string{"state"}, nil)
	depthDesc   = prometheus.NewDesc("claimline_queue_imports", "Imports that were agreed to, and that nobody works on yet.", nil, nil)
	mailsDesc   = prometheus.NewDesc("claimline_mails", "Mails of the outbox, by state.", []string{"state"}, nil)
	ageDesc     = prometheus.NewDesc("claimline_queue_age_seconds", "For how long the oldest of them waits.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(to chan<- *prometheus.Desc) {
	to <- importsDesc
	to <- mailsDesc
	to <- depthDesc
	to <- ageDesc
}

// collectTime is for how long the database may take.
const collectTime = 5 * time.Second

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTime)
	defer cancel()
	counts, err := c.store.CountImports(ctx)
	if err != nil {
		c.log.Warn().Err(err).Msg("the imports could not be counted")
		to <- prometheus.NewInvalidMetric(importsDesc, err)
		return
	}
	mails, err := c.store.CountMails(ctx)
	if err != nil {
		c.log.Warn().Err(err).Msg("the mails could not be counted")
		to <- prometheus.NewInvalidMetric(mailsDesc, err)
		return
	}
	for state, n := range mails {
		to <- prometheus.MustNewConstMetric(mailsDesc, prometheus.GaugeValue, float64(n), string(state))
	}
	queued, age := 0, 0.0
	for _, count := range counts {
		to <- prometheus.MustNewConstMetric(importsDesc, prometheus.GaugeValue, float64(count.Count), string(count.State))
		if count.State == schema.StateQueued {
			queued, age = count.Count, max(0, c.now().Sub(count.Oldest).Seconds())
		}
	}
	to <- prometheus.MustNewConstMetric(depthDesc, prometheus.GaugeValue, float64(queued))
	to <- prometheus.MustNewConstMetric(ageDesc, prometheus.GaugeValue, age)
}
