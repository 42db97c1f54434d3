package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector is the Registry as Prometheus's client sees it. It describes nothing beforehand, since
// families come while the broker runs.
type collector Registry

func (c *collector) Describe(chan<- *prometheus.Desc) {}

func (c *collector) Collect(out chan<- prometheus.Metric) {
	now := time.Now()
	for _, f := range (*Registry)(c).all() {
		for _, child := range f.all() {
			f.collect(child, now, out)
		}
	}
}

// The shares that the JMX exporter shows of a Kafka histogram, and their texts there.
var (
	quantileShares = []float64{0.50, 0.75, 0.95, 0.98, 0.99, 0.999}
	quantileTexts  = []string{"0.50", "0.75", "0.95", "0.98", "0.99", "0.999"}
)

func (f *family) collect(c *child, now time.Time, out chan<- prometheus.Metric) {
	send := func(desc *prometheus.Desc, typ prometheus.ValueType, value float64, labels []string) {
		m, err := prometheus.NewConstMetric(desc, typ, value, labels...)
		if err != nil {
			m = prometheus.NewInvalidMetric(desc, err)
		}
		out <- m
	}
	switch f.kind {
	case kindCounter:
		send(f.desc, prometheus.CounterValue, float64(c.counter.Value()), c.labels)
	case kindGauge:
		send(f.desc, prometheus.GaugeValue, c.gauge.Value(), c.labels)
	case kindHistogram:
		count, sum := c.histogram.Count()
		send(f.count, prometheus.CounterValue, float64(count), c.labels)
		send(f.sum, prometheus.CounterValue, float64(sum)*f.scale, c.labels)
		for i, value := range c.histogram.Quantiles(nil, now, quantileShares) {
			labels := append(c.labels[:len(c.labels):len(c.labels)], quantileTexts[i])
			send(f.desc, prometheus.GaugeValue, value*f.scale, labels)
		}
	}
}
