package tools

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// producerSettings are the properties of a producer, checked.
type producerSettings struct {
	opts           []kgo.Opt
	maxBlock       time.Duration
	batchSize      int
	maxRequestSize int
}

// producer reads and checks the properties of a producer. Defaults are those of Kafka's producer; unlike there,
// acks other than all quietly turn idempotence off only if nobody asked for it, and are refused otherwise.
func (s *settings) producer(clientID string) producerSettings {
	acks := s.oneOf("acks", "all", "all", "-1", "0", "1")
	codec := s.oneOf("compression.type", "none", "none", "gzip", "snappy", "lz4", "zstd")
	asked := s.has("enable.idempotence")
	idempotent := s.bool("enable.idempotence", true)
	retries := s.int32("retries", 1<<31-1, 0)
	linger := s.milliseconds("linger.ms", 5*time.Millisecond)
	requestTimeout := max(s.millisecondsOf(32, "request.timeout.ms", 30*time.Second), 100*time.Millisecond)
	p := producerSettings{
		maxBlock:       s.milliseconds("max.block.ms", time.Minute),
		batchSize:      int(max(s.int32("batch.size", 16384, 0), 512)),
		maxRequestSize: int(max(s.int32("max.request.size", 1048576, 0), 512)),
	}
	if acks != "all" && acks != "-1" || retries == 0 {
		if asked && idempotent && s.err == nil {
			s.err = configException("Must set acks to all and retries above 0 in order to use the idempotent producer.")
		}
		idempotent = false
	}
	if s.has("transactional.id") && s.err == nil {
		s.err = configException("transactional.id is not supported by this tool: it does not begin or commit transactions.")
	}
	p.opts = append(s.connection(),
		kgo.ClientID(s.text("client.id", clientID)),
		kgo.ProducerLinger(linger),
		kgo.ProduceRequestTimeout(requestTimeout),
		kgo.RecordRetries(int(retries)),
		kgo.RecordDeliveryTimeout(max(s.milliseconds("delivery.timeout.ms", 2*time.Minute), linger+requestTimeout)),
		kgo.MaxBufferedBytes(int(max(s.number("buffer.memory", 64, 32<<20, 0), int64(p.maxRequestSize)))),
		kgo.AllowAutoTopicCreation(),
		kgo.ProducerBatchCompression(compressionCodec(codec)),
		kgo.RecordPartitioner(s.partitioner(p.batchSize)),
		kgo.Dialer(dialWithBuffer(int(s.int32("send.buffer.bytes", 131072, -1)))))
	inFlight := int(s.int32("max.in.flight.requests.per.connection", 5, 1))
	switch acks {
	case "0":
		p.opts = append(p.opts, kgo.RequiredAcks(kgo.NoAck()))
	case "1":
		p.opts = append(p.opts, kgo.RequiredAcks(kgo.LeaderAck()))
	}
	if idempotent {
		// without it kgo would hold a record whose answer is lost for ever, whatever delivery.timeout.ms says
		p.opts = append(p.opts, kgo.AllowIdempotentProduceCancellation())
	} else {
		p.opts = append(p.opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(inFlight))
	}
	return p
}

// partitioner spreads records without a key over the partitions by bytes, and sends a key always to the same one (murmur2).
func (s *settings) partitioner(batchSize int) kgo.Partitioner {
	keys := !s.bool("partitioner.ignore.keys", false)
	switch class := s.text("partitioner.class", ""); class {
	case "", "null":
	case "org.apache.kafka.clients.producer.RoundRobinPartitioner":
		return kgo.RoundRobinPartitioner()
	default:
		if s.err == nil {
			s.err = configException("Invalid value " + class + " for configuration partitioner.class: Class " + class + " could not be found.")
		}
	}
	return kgo.UniformBytesPartitioner(batchSize, true, keys, nil)
}

func compressionCodec(name string) kgo.CompressionCodec {
	switch name {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

// dialWithBuffer sets the socket's send buffer; -1 leaves it to the system.
func dialWithBuffer(bytes int) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{Timeout: 10 * time.Second}
		conn, err := d.DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok && bytes > 0 && strings.HasPrefix(network, "tcp") {
			tcp.SetWriteBuffer(bytes)
		}
		return conn, err
	}
}
