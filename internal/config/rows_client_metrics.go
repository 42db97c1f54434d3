package config

// Rows: properties of client metrics subscriptions.
var (
	ClientMetricsMetrics = ClientMetricsList{&Row{
		Name: "metrics", Type: List, Valid: distinct{empty: true}, Importance: Medium,
		Doc:    "Prefixes of the names of metrics that clients push; empty none, * all.",
		Status: Later, Why: "client telemetry",
	}}
	ClientMetricsIntervalMs = ClientMetricsInt{&Row{
		Name: "interval.ms", Type: Int, Default: "300000", Importance: Medium, Unit: Milliseconds,
		Doc:    "Interval at which clients push their metrics.",
		Status: Later, Why: "client telemetry",
	}}
	ClientMetricsMatch = ClientMetricsList{&Row{
		Name: "match", Type: List, Valid: distinct{empty: true}, Importance: Medium,
		Doc:    "Regular expressions that a client must match, as attribute=expression.",
		Status: Later, Why: "client telemetry",
	}}
)

var clientMetricsRows = []*Row{
	ClientMetricsMetrics.Row, ClientMetricsIntervalMs.Row, ClientMetricsMatch.Row,
}
