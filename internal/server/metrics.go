package server

import "github.com/ottla/ottla/internal/metrics"

// maxSoftware bounds the series of client software: clients name it.
const maxSoftware = 100

// serverMetrics are the numbers of all listeners; the names are those of Kafka's SocketServer and selector.
type serverMetrics struct {
	expired  *metrics.Counter
	software *metrics.Gauges

	connections                                                *metrics.Gauges
	created, closed, acceptErrors, requests, bytesIn, bytesOut *metrics.Counters
}

// listenerMetrics are the numbers of one listener.
type listenerMetrics struct {
	connections                                        *metrics.Gauge
	created, acceptErrors, requests, bytesIn, bytesOut *metrics.Counter
	closed                                             map[CloseReason]*metrics.Counter
}

func newServerMetrics(r *metrics.Registry, s *Server) *serverMetrics {
	const typ = "socket-server-metrics"
	name := func(name string) string { return metrics.Name("kafka.server", typ, name) }
	r.Gauge(metrics.Name("kafka.network", "SocketServer", "MemoryPoolUsed"), "Bytes of request frames in memory.").
		Func(func() float64 { return float64(s.budget.used.Load()) })
	r.Gauge(metrics.Name("kafka.network", "RequestChannel", "RequestQueueSize"), "Requests whose reply is not written yet.").
		Func(func() float64 { return float64(s.inFlight()) })
	r.Gauge("ottla_server_idle_buffer_bytes", "Bytes of pooled buffers that nobody uses.").
		Func(func() float64 { return float64(s.options.Buffers.Idle()) })
	return &serverMetrics{
		expired:      r.Counter(metrics.Name("kafka.network", "SocketServer", "ExpiredConnectionsKilledCount"), "Connections closed for connections.max.idle.ms."),
		software:     r.Gauges(name("connections_software"), "Open connections by client library.", "listener", "clientSoftwareName", "clientSoftwareVersion").Limit(maxSoftware),
		connections:  r.Gauges(name("connection-count"), "Open connections.", "listener"),
		created:      r.Counters(name("connection-creation-total"), "Connections accepted.", "listener"),
		closed:       r.Counters(name("connection-close-total"), "Connections closed, by reason.", "listener", "reason"),
		acceptErrors: r.Counters(name("accept-error-total"), "Failed accepts.", "listener"),
		requests:     r.Counters(name("request-total"), "Request frames received.", "listener"),
		bytesIn:      r.Counters(name("incoming-byte-total"), "Bytes received.", "listener"),
		bytesOut:     r.Counters(name("outgoing-byte-total"), "Bytes sent.", "listener"),
	}
}

func (m *serverMetrics) of(listener string) listenerMetrics {
	l := listenerMetrics{
		connections:  m.connections.With(listener),
		created:      m.created.With(listener),
		acceptErrors: m.acceptErrors.With(listener),
		requests:     m.requests.With(listener),
		bytesIn:      m.bytesIn.With(listener),
		bytesOut:     m.bytesOut.With(listener),
		closed:       make(map[CloseReason]*metrics.Counter),
	}
	for _, reason := range closeReasons {
		l.closed[reason] = m.closed.With(listener, string(reason))
	}
	return l
}
