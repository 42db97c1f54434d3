// Package metrics holds what the broker counts: counters, gauges and latency histograms that cost a few
// nanoseconds and no allocation to update, collected in one Registry per broker and exported as
// Prometheus text.
//
// Nouns: a family has a name, a help text and label names; a child is one series of it, resolved once
// by With and kept by the code that updates it (never looked up in a request's path). A Counter only
// grows, a Gauge goes both ways or is asked when scraped, a Histogram keeps logarithmic buckets and is
// exported as quantiles.
//
// Names are those that Apache's JMX exporter gives Kafka's beans under the rules that dashboards were
// written for; Name derives them. A histogram therefore becomes a gauge with a label "quantile" whose
// values are written as those rules write them ("0.50", "0.99", "0.999"), plus NAME_count and NAME_sum.
//
// Invariants: registering a name again with the same kind and labels returns the same family, anything
// else is a mistake of ours and panics; a family that Limit bounds never has more children than that,
// what a client says can therefore not grow the registry.
package metrics
