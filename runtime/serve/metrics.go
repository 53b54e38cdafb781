package serve

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/connectomewire/wire/runtime/serve/gate"
)

// meter counts what is served, for Prometheus. Labels are names of models that
// there are and statuses: strangers cannot make more.
type meter struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	inferred  *prometheus.CounterVec
	took      *prometheus.HistogramVec
	turnedOff *prometheus.CounterVec
}

func newMeter(g *gate.Gate) *meter {
	m := &meter{
		registry:  prometheus.NewRegistry(),
		requests:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wire_http_requests_total", Help: "HTTP requests by status."}, []string{"status"}),
		inferred:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wire_inferences_total", Help: "Admitted requests by model and status."}, []string{"model", "status"}),
		took:      prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "wire_inference_seconds", Help: "Time from admission to answer, by model.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 17)}, []string{"model"}),
		turnedOff: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wire_refused_total", Help: "Requests that were not admitted, by model."}, []string{"model"}),
	}
	gauge := func(name, help string, value func(gate.State) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(g.State()) })
	}
	m.registry.MustRegister(m.requests, m.inferred, m.took, m.turnedOff, collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC)), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("wire_admitted_requests", "Requests that are admitted and not answered.", func(s gate.State) float64 { return float64(s.Requests) }),
		gauge("wire_admitted_seconds", "Estimated processor time of what is admitted.", func(s gate.State) float64 { return s.Cost }),
		gauge("wire_reserved_bytes", "Memory that models and requests are counted with.", func(s gate.State) float64 { return float64(s.Bytes) }),
		gauge("wire_speed", "Estimated processor seconds that are done in a second.", func(s gate.State) float64 { return s.Speed }))
	return m
}

func (m *meter) answered(status int) { m.requests.WithLabelValues(strconv.Itoa(status)).Inc() }

func (m *meter) refused(model string) { m.turnedOff.WithLabelValues(model).Inc() }

func (m *meter) done(model string, err error, took time.Duration) {
	status, _ := Status(err)
	m.inferred.WithLabelValues(model, strconv.Itoa(status)).Inc()
	m.took.WithLabelValues(model).Observe(took.Seconds())
}
