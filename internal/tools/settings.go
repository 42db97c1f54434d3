package tools

import (
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// settings are the client properties of one run, under Kafka's names. Reading one checks it; the first that is
// wrong stays in err. What nobody reads is reported by unused.
type settings struct {
	values map[string]string
	read   map[string]bool
	err    error
	typed  bool // err is of a value that is not of its type: Kafka's clients fail then before they begin
}

func newSettings(values map[string]string) *settings {
	if values == nil {
		values = make(map[string]string)
	}
	return &settings{values: values, read: make(map[string]bool)}
}

// loadSettings reads the file of --command-config; "" is none.
func loadSettings(path string) (*settings, error) {
	if path == "" {
		return newSettings(nil), nil
	}
	values, err := loadProperties(path)
	return newSettings(values), err
}

func (s *settings) invalid(name, value, rule string) {
	if s.err == nil {
		s.typed = true
		s.err = configException(fmt.Sprintf("Invalid value %s for configuration %s: %s", value, name, rule))
	}
}

// readAll notes that nothing in the file is without effect.
func (s *settings) readAll() {
	for name := range s.values {
		s.read[name] = true
	}
}

func (s *settings) has(name string) bool { _, ok := s.values[name]; return ok }

func (s *settings) text(name, fallback string) string {
	s.read[name] = true
	if v, ok := s.values[name]; ok {
		return v
	}
	return fallback
}

func (s *settings) oneOf(name, fallback string, valid ...string) string {
	v := s.text(name, fallback)
	if !slices.Contains(valid, v) {
		s.invalid(name, v, "String must be one of: "+strings.Join(valid, ", "))
	}
	return v
}

func (s *settings) bool(name string, fallback bool) bool {
	v := strings.ToLower(strings.TrimSpace(s.text(name, strconv.FormatBool(fallback))))
	if v != "true" && v != "false" {
		s.invalid(name, v, "Expected value to be either true or false")
	}
	return v == "true"
}

// number reads an integer of Kafka's type INT or LONG.
func (s *settings) number(name string, bits int, fallback, least int64) int64 {
	v := strings.TrimSpace(s.text(name, strconv.FormatInt(fallback, 10)))
	n, err := strconv.ParseInt(v, 10, bits)
	switch {
	case err != nil && bits == 32:
		s.invalid(name, v, "Not a number of type INT")
	case err != nil:
		s.invalid(name, v, "Not a number of type LONG")
	case n < least:
		s.invalid(name, v, fmt.Sprintf("Value must be at least %d", least))
	}
	return n
}

func (s *settings) int32(name string, fallback, least int32) int32 {
	return int32(s.number(name, 32, int64(fallback), int64(least)))
}

// milliseconds reads a time of Kafka's type LONG, as most are.
func (s *settings) milliseconds(name string, fallback time.Duration) time.Duration {
	return s.millisecondsOf(64, name, fallback)
}

// millisecondsOf reads a time; those that overflow a Duration are cut to its greatest value.
func (s *settings) millisecondsOf(bits int, name string, fallback time.Duration) time.Duration {
	n := s.number(name, bits, fallback.Milliseconds(), 0)
	return time.Duration(min(n, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// unused lists the properties that nobody read.
func (s *settings) unused() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.values)), func(name string) bool { return s.read[name] })
}

// warnUnused says in the log which properties have no effect.
func (inv *invocation) warnUnused(s *settings) {
	if names := s.unused(); len(names) > 0 {
		inv.log().warn("These configurations have no effect in this tool: %s", strings.Join(names, ", "))
	}
}

// connection turns the properties that all clients share into options. Security that is not there is refused in words:
// a connection must never be less safe than it was asked to be.
func (s *settings) connection() []kgo.Opt {
	protocol := strings.ToUpper(s.text("security.protocol", "PLAINTEXT"))
	if protocol != "PLAINTEXT" && s.err == nil {
		s.err = configException("security.protocol=" + protocol +
			" is not supported by this tool yet: it connects with PLAINTEXT only. Use a PLAINTEXT listener of the broker.")
	}
	for name := range s.values {
		if strings.HasPrefix(name, "ssl.") || strings.HasPrefix(name, "sasl.") {
			s.read[name] = true // no effect with PLAINTEXT, in Kafka as well
		}
	}
	backoff := s.milliseconds("retry.backoff.ms", 100*time.Millisecond)
	backoffMax := max(backoff, s.milliseconds("retry.backoff.max.ms", time.Second))
	maxAge := max(s.milliseconds("metadata.max.age.ms", 5*time.Minute), 100*time.Millisecond)
	return []kgo.Opt{
		kgo.SeedBrokers(s.bootstrap()...),
		kgo.RetryBackoffFn(func(tries int) time.Duration {
			return min(backoff<<min(max(tries-1, 0), 10), backoffMax)
		}),
		kgo.RequestTimeoutOverhead(max(s.millisecondsOf(32, "request.timeout.ms", 30*time.Second), 100*time.Millisecond)),
		kgo.DialTimeout(s.milliseconds("socket.connection.setup.timeout.ms", 10*time.Second)),
		kgo.ConnIdleTimeout(max(s.milliseconds("connections.max.idle.ms", 9*time.Minute), time.Second)),
		kgo.MetadataMaxAge(maxAge),
		kgo.MetadataMinAge(min(100*time.Millisecond, maxAge)),
		kgo.SoftwareNameAndVersion("ottla-tools", Version),
		kgo.DisableClientMetrics(),
	}
}

// bootstrap checks bootstrap.servers as Kafka's clients do.
func (s *settings) bootstrap() []string {
	var servers []string
	for server := range strings.SplitSeq(s.text("bootstrap.servers", ""), ",") {
		server = strings.TrimSpace(server)
		if server == "" {
			continue
		}
		if i := strings.Index(server, "://"); i >= 0 {
			server = server[i+3:]
		}
		if !validHostPort(server) && s.err == nil {
			s.err = configException("Invalid url in bootstrap.servers: " + server)
		}
		servers = append(servers, server)
	}
	if len(servers) == 0 && s.err == nil {
		s.err = configException("No resolvable bootstrap urls given in bootstrap.servers")
	}
	return servers
}

func validHostPort(server string) bool {
	host, port, err := net.SplitHostPort(server)
	if err != nil || host == "" {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// checkBootstrapOption is the check of --bootstrap-server that some tools make before anything else; the text it
// returns is Kafka's, with its line break at the end, "" if all is well.
func checkBootstrapOption(servers string) string {
	if strings.TrimSpace(servers) == "" {
		return "Error while validating the bootstrap address\n"
	}
	for server := range strings.SplitSeq(servers, ",") {
		if i := strings.Index(server, "://"); i >= 0 {
			server = server[i+3:]
		}
		if !validHostPort(server) {
			return "Please provide valid host:port like host1:9091,host2:9092\n"
		}
	}
	return ""
}
