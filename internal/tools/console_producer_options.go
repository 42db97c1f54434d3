package tools

import (
	"maps"

	"github.com/ottla/ottla/internal/tools/options"
)

const consoleProducerPurpose = "This tool helps to read data from standard input and publish it to Kafka."

const lineMessageReader = "org.apache.kafka.tools.LineMessageReader"

// consoleProducerOptions are the options of kafka-console-producer.
type consoleProducerOptions struct {
	*options.Set
	parser *options.Parser

	topic, bootstrap, sync, codec, reader                            *options.Option
	property, readerProperty, readerConfig                           *options.Option
	producerProperty, commandProperty, producerConfig, commandConfig *options.Option
	maxPartitionMemory                                               *options.Option
	merged                                                           []mergedOption
}

// A mergedOption sets a client property: from the command line, else from the properties, else its default.
type mergedOption struct {
	option   *options.Option
	property string
}

func newConsoleProducerOptions() *consoleProducerOptions {
	p := options.NewParser()
	o := &consoleProducerOptions{parser: p}
	o.topic = p.Value("topic", "topic", "REQUIRED: the topic to write to.")
	o.bootstrap = p.Value("bootstrap-server", "host:port,...", "REQUIRED: the brokers to connect to.")
	o.sync = p.Flag("sync", "Wait for the answer to each record before the next is read.")
	o.codec = p.OptionalValue("compression-codec", "codec", "none, gzip, snappy, lz4 or zstd; without a value gzip.")
	o.reader = p.Value("line-reader", "class", "How lines become records; only the default is known here.").Default(lineMessageReader)
	properties := "parse.key=true|false, key.separator=<text>, parse.headers=true|false, headers.delimiter=<text>, " +
		"headers.separator=<text>, headers.key.separator=<text>, ignore.error=true|false, null.marker=<text>"
	o.property = p.Value("property", "key=value", "DEPRECATED: use --reader-property.")
	o.readerProperty = p.Value("reader-property", "key=value", "A property of the line reader: "+properties)
	o.readerConfig = p.Value("reader-config", "file", "Properties file for the line reader; --reader-property goes first.")
	o.producerProperty = p.Value("producer-property", "key=value", "DEPRECATED: use --command-property.")
	o.commandProperty = p.Value("command-property", "key=value", "A property of the producer.")
	o.producerConfig = p.Value("producer.config", "file", "DEPRECATED: use --command-config.")
	o.commandConfig = p.Value("command-config", "file", "Properties file for the producer; --command-property goes first.")
	merge := func(property string, option *options.Option, fallback string) *options.Option {
		o.merged = append(o.merged, mergedOption{option.Default(fallback), property})
		return option
	}
	merge("linger.ms", p.Value("timeout", "ms", "How long a record may wait for others of its batch (linger.ms).").Long(), "1000")
	merge("acks", p.Value("request-required-acks", "acks", "acks: 0, 1, -1 or all."), "-1")
	merge("request.timeout.ms", p.Value("request-timeout-ms", "ms", "How long an answer may take.").Integer(), "1500")
	merge("retries", p.Value("message-send-max-retries", "number", "How often a record is sent again.").Integer(), "3")
	merge("retry.backoff.ms", p.Value("retry-backoff-ms", "ms", "The wait before a record is sent again.").Long(), "100")
	merge("send.buffer.bytes", p.Value("socket-buffer-size", "bytes", "The socket's send buffer.").Integer(), "102400")
	merge("buffer.memory", p.Value("max-memory-bytes", "bytes", "Bytes of records that may wait to be sent.").Long(), "33554432")
	merge("batch.size", p.Value("batch-size", "bytes", "The size of a batch.").Integer(), "16384")
	o.maxPartitionMemory = merge("batch.size", p.Value("max-partition-memory-bytes", "bytes", "DEPRECATED: use --batch-size.").Integer(), "16384")
	merge("metadata.max.age.ms", p.Value("metadata-expiry-ms", "ms", "How old metadata may become.").Long(), "300000")
	merge("max.block.ms", p.Value("max-block-ms", "ms", "How long sending may block.").Long(), "60000")
	return o
}

func (inv *invocation) parseConsoleProducerOptions() (*consoleProducerOptions, error) {
	o := newConsoleProducerOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return nil, &usageError{o.parser, err.Error()}
	}
	if err := inv.helpOrVersion(o.parser, o.Set, consoleProducerPurpose); err != nil {
		return nil, err
	}
	r := &rules{parser: o.parser, set: o.Set}
	r.require(o.topic)
	r.together(o.commandConfig, o.producerConfig)
	r.together(o.commandProperty, o.producerProperty)
	r.together(o.readerProperty, o.property)
	if r.err != nil {
		return nil, r.err
	}
	for _, old := range []struct{ option, instead *options.Option }{
		{o.producerProperty, o.commandProperty}, {o.producerConfig, o.commandConfig}, {o.property, o.readerProperty},
	} {
		if o.Has(old.option) {
			inv.println("Warning: --" + old.option.Name() + " is deprecated and will be removed in a future version. Use --" + old.instead.Name() + " instead.")
			o.Set.Rename(old.option, old.instead)
		}
	}
	if o.Has(o.maxPartitionMemory) {
		inv.println("Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. Use --batch-size instead.")
	}
	bootstrap, err := o.Value(o.bootstrap)
	if fault := checkBootstrapOption(bootstrap); err == nil && fault != "" {
		err = &usageError{o.parser, fault}
	}
	return o, err
}

// readerProperties are the properties of the line reader.
func (o *consoleProducerOptions) readerProperties() (map[string]string, error) {
	file, err := o.Value(o.readerConfig)
	if err != nil {
		return nil, err
	}
	properties := make(map[string]string)
	if file != "" {
		if properties, err = loadProperties(file); err != nil {
			return nil, err
		}
	}
	maps.Copy(properties, keyValues(o.Values(o.readerProperty)))
	return properties, nil
}

// producerSettings are the properties of the producer, with what the options say of them.
func (o *consoleProducerOptions) producerSettings() (*settings, error) {
	r := o.Reader()
	file, bootstrap := r.String(o.commandConfig), r.String(o.bootstrap)
	if r.Err() != nil {
		return nil, r.Err()
	}
	s, err := loadSettings(file)
	if err != nil {
		return nil, err
	}
	maps.Copy(s.values, keyValues(o.Values(o.commandProperty)))
	s.values["bootstrap.servers"] = bootstrap
	switch codec := r.String(o.codec); {
	case o.Has(o.codec) && codec == "":
		s.values["compression.type"] = "gzip"
	case o.Has(o.codec):
		s.values["compression.type"] = codec
	}
	for _, m := range o.merged {
		// The default of 3 retries counts, in Kafka's producer, only requests that reached a broker; kgo also counts attempts to
		// connect. So it stays with delivery.timeout.ms unless somebody asks for a number.
		if o.Has(m.option) || !s.has(m.property) && m.property != "retries" {
			s.values[m.property] = m.text(r)
		}
	}
	return s, r.Err()
}

func (m mergedOption) text(r *options.Reader) string {
	switch m.option.Type() {
	case "Integer":
		r.Int(m.option)
	case "Long":
		r.Long(m.option)
	}
	return r.String(m.option)
}
