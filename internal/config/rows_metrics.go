package config

// Rows: metrics and client telemetry.
var (
	MetricReporters = BrokerList{&Row{
		Name: "metric.reporters", Type: List, Default: "org.apache.kafka.common.metrics.JmxReporter", Valid: distinct{empty: true}, Importance: Low, Update: ClusterWide,
		Doc:    "Java classes that Kafka's metrics are reported to.",
		Status: NoEffect, Why: "Java classes cannot be loaded; metrics are at /metrics in Prometheus' format",
	}}
	MetricsNumSamples = BrokerInt{&Row{
		Name: "metrics.num.samples", Type: Int, Default: "2", Valid: atLeast(1), Importance: Low,
		Doc:    "Number of samples over which Kafka computes rates.",
		Status: NoEffect, Why: "metrics are counters and histograms; Prometheus computes the rates",
	}}
	MetricsSampleWindowMs = BrokerLong{&Row{
		Name: "metrics.sample.window.ms", Type: Long, Default: "30000", Valid: atLeast(1), Importance: Low, Unit: Milliseconds,
		Doc:    "Time that one of Kafka's samples covers.",
		Status: NoEffect, Why: "metrics are counters and histograms; Prometheus computes the rates",
	}}
	MetricsRecordingLevel = BrokerString{&Row{
		Name: "metrics.recording.level", Type: String, Default: "INFO", Importance: Low,
		Doc:    "Level of detail of Kafka's metrics.",
		Status: NoEffect, Why: "all metrics are always recorded",
	}}
	KafkaMetricsReporters = BrokerList{&Row{
		Name: "kafka.metrics.reporters", Type: List, Valid: distinct{empty: true}, Importance: Low,
		Doc:    "Java classes that Kafka's older metrics are reported to.",
		Status: NoEffect, Why: "Java classes cannot be loaded; metrics are at /metrics in Prometheus' format",
	}}
	KafkaMetricsPollingIntervalSeconds = BrokerInt{&Row{
		Name: "kafka.metrics.polling.interval.secs", Type: Int, Default: "10", Valid: atLeast(1), Importance: Low, Unit: Seconds,
		Doc:    "Interval at which Kafka's older metrics are reported.",
		Status: NoEffect, Why: "metrics are read from /metrics when somebody asks",
	}}
	TelemetryMaxBytes = BrokerInt{&Row{
		Name: "telemetry.max.bytes", Type: Int, Default: "1048576", Valid: atLeast(1), Importance: Low, Unit: Bytes,
		Doc:    "Largest push of metrics that a client may send to the broker.",
		Status: Later, Why: "client telemetry",
	}}
)

var metricRows = []*Row{
	MetricReporters.Row, MetricsNumSamples.Row, MetricsSampleWindowMs.Row, MetricsRecordingLevel.Row,
	KafkaMetricsReporters.Row, KafkaMetricsPollingIntervalSeconds.Row, TelemetryMaxBytes.Row,
}
