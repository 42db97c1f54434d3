package metrics_test

import (
	"io"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/metrics"
)

// scrape returns the lines of the text exposition that begin with or describe one of the names.
func scrape(t *testing.T, r *metrics.Registry, prefix string) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("scrape: status %d, %v, %s", w.Code, err, body)
	}
	var lines []string
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), prefix) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestExposition(t *testing.T) {
	r := metrics.NewRegistry()
	bytesIn := r.Counters(metrics.Name("kafka.server", "BrokerTopicMetrics", "BytesInPerSec"), "Bytes from clients.", "topic")
	bytesIn.With("orders").Add(12)
	bytesIn.With("orders").Inc()
	bytesIn.With("gone").Inc()
	bytesIn.Remove("gone")
	r.Gauge(metrics.Name("kafka.server", "ReplicaManager", "LeaderCount"), "Leaders here.").Set(3)
	r.Gauge(metrics.Name("kafka.server", "ReplicaManager", "UnderReplicatedPartitions"), "Partitions short of replicas.").
		Func(func() float64 { return 2 })
	total := r.Histograms(metrics.Name("kafka.network", "RequestMetrics", "TotalTimeMs"), "Time of a request.", 0.001, "request")
	for range 100 {
		total.With("Produce").Observe(2000)
	}

	want := `# HELP kafka_network_requestmetrics_totaltimems Time of a request.
# TYPE kafka_network_requestmetrics_totaltimems gauge
kafka_network_requestmetrics_totaltimems{quantile="0.50",request="Produce"} 1.984
kafka_network_requestmetrics_totaltimems{quantile="0.75",request="Produce"} 1.984
kafka_network_requestmetrics_totaltimems{quantile="0.95",request="Produce"} 1.984
kafka_network_requestmetrics_totaltimems{quantile="0.98",request="Produce"} 1.984
kafka_network_requestmetrics_totaltimems{quantile="0.99",request="Produce"} 1.984
kafka_network_requestmetrics_totaltimems{quantile="0.999",request="Produce"} 1.984
# HELP kafka_network_requestmetrics_totaltimems_count Time of a request. (number of observations)
# TYPE kafka_network_requestmetrics_totaltimems_count counter
kafka_network_requestmetrics_totaltimems_count{request="Produce"} 100
# HELP kafka_network_requestmetrics_totaltimems_sum Time of a request. (sum of observations)
# TYPE kafka_network_requestmetrics_totaltimems_sum counter
kafka_network_requestmetrics_totaltimems_sum{request="Produce"} 200
# HELP kafka_server_brokertopicmetrics_bytesin_total Bytes from clients.
# TYPE kafka_server_brokertopicmetrics_bytesin_total counter
kafka_server_brokertopicmetrics_bytesin_total{topic="orders"} 13
# HELP kafka_server_replicamanager_leadercount Leaders here.
# TYPE kafka_server_replicamanager_leadercount gauge
kafka_server_replicamanager_leadercount 3
# HELP kafka_server_replicamanager_underreplicatedpartitions Partitions short of replicas.
# TYPE kafka_server_replicamanager_underreplicatedpartitions gauge
kafka_server_replicamanager_underreplicatedpartitions 2
`
	if diff := cmp.Diff(want, scrape(t, r, "kafka_")); diff != "" {
		t.Errorf("exposition (-want +got):\n%s", diff)
	}
	if scrape(t, r, "go_goroutines") == "" || scrape(t, r, "process_") == "" {
		t.Error("the runtime's own metrics are missing")
	}
}

func TestNameIsTheExportersName(t *testing.T) {
	for _, c := range [][4]string{
		{"kafka.server", "ReplicaManager", "IsrShrinksPerSec", "kafka_server_replicamanager_isrshrinks_total"},
		{"kafka.network", "SocketServer", "NetworkProcessorAvgIdlePercent", "kafka_network_socketserver_networkprocessoravgidle_percent"},
		{"kafka.server", "socket-server-metrics", "connection-count", "kafka_server_socket_server_metrics_connection_count"},
		{"kafka.controller", "KafkaController", "ActiveControllerCount", "kafka_controller_kafkacontroller_activecontrollercount"},
	} {
		if got := metrics.Name(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("Name(%q, %q, %q) = %s, want %s", c[0], c[1], c[2], got, c[3])
		}
	}
}

func TestClientsCannotGrowAFamily(t *testing.T) {
	r := metrics.NewRegistry()
	software := r.Counters("software", "Client software.", "name", "version").Limit(3)
	for _, name := range []string{"a", "b", "c", "d", "e\xff"} {
		software.With(name, "1").Inc()
	}
	want := "# HELP software Client software.\n# TYPE software counter\n" +
		"software{name=\"a\",version=\"1\"} 1\nsoftware{name=\"b\",version=\"1\"} 1\nsoftware{name=\"other\",version=\"other\"} 3\n"
	if diff := cmp.Diff(want, scrape(t, r, "software")); diff != "" {
		t.Error(diff)
	}
	bytes := r.Counters("bytes", "Not valid UTF-8.", "name")
	bytes.With("\xff").Inc()
	bytes.With("\xff").Inc()
	if got := scrape(t, r, "bytes{"); got != "bytes{name=\"\uFFFD\"} 2\n" {
		t.Errorf("invalid text as a label: %q", got)
	}
}

func TestRegisteringAgainGivesTheSame(t *testing.T) {
	r := metrics.NewRegistry()
	first := r.Counter("x", "X.")
	if again := r.Counter("x", "X."); again != first {
		t.Error("two counters of one name")
	}
	defer func() {
		if recover() == nil {
			t.Error("a gauge took the name of a counter")
		}
	}()
	r.Gauge("x", "X.")
}

func TestQuantilesAreWithinABucket(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	h := metrics.NewRegistry().Histogram("h", "H.", 1)
	var values []int64
	for range 20_000 {
		v := int64(math.Exp(rnd.Float64() * 20))
		values = append(values, v)
		h.Observe(v)
	}
	slices.Sort(values)
	shares := []float64{0.01, 0.25, 0.5, 0.9, 0.99, 0.999}
	for i, got := range h.Quantiles(nil, time.Now(), shares) {
		exact := float64(values[int(shares[i]*float64(len(values)))])
		if math.Abs(got-exact) > 0.08*exact+1 {
			t.Errorf("quantile %v = %v, exactly %v", shares[i], got, exact)
		}
	}
	h.Observe(-5)
	h.Observe(math.MaxInt64)
	if count, _ := h.Count(); count != 20_002 {
		t.Errorf("count = %d", count)
	}
}

func TestQuantilesForgetThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := metrics.NewRegistry().Histogram("h", "H.", 1)
		median := func() float64 { return h.Quantiles(nil, time.Now(), []float64{0.5})[0] }
		for range 1000 {
			h.Observe(5)
		}
		if got := median(); got != 5 {
			t.Fatalf("median = %v, want 5", got)
		}
		var seen []float64
		for range 8 { // a scrape a minute; two slow requests each
			time.Sleep(time.Minute)
			h.Observe(7)
			h.Observe(7)
			seen = append(seen, median())
		}
		if want := []float64{5, 5, 5, 5, 5, 7, 7, 7}; !slices.Equal(seen, want) {
			t.Errorf("medians minute by minute: %v, want %v", seen, want)
		}
		time.Sleep(time.Hour)
		median()
		if time.Sleep(6 * time.Minute); median() != 0 {
			t.Error("a quantile without observations must be 0")
		}
	})
}

func TestUpdatesAllocateNothing(t *testing.T) {
	r := metrics.NewRegistry()
	c, g, h := r.Counter("c", "C."), r.Gauge("g", "G."), r.Histogram("h", "H.", 1)
	start := time.Now()
	if n := testing.AllocsPerRun(100, func() {
		c.Inc()
		g.Add(-1)
		h.ObserveSince(start, start.Add(time.Millisecond))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHistogram(b *testing.B) {
	h := metrics.NewRegistry().Histogram("h", "H.", 1)
	for i := int64(0); b.Loop(); i++ {
		h.Observe(i & 0xffff)
	}
}
