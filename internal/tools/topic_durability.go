package tools

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/tools/options"
)

// topicDurability is `ottla topic durability NAME`.
func (inv *invocation) topicDurability() int {
	p := options.NewParser()
	bootstrap := p.Value("bootstrap-server", "host:port,...", "The brokers to connect to.").Default("localhost:9092")
	commandConfig := p.Value("command-config", "file", "Properties file for the client.")
	var address, file string
	topic, code, done := inv.aboutOne(p, "topic", topicUsage, func(r *options.Reader) { address, file = r.String(bootstrap), r.String(commandConfig) })
	if done {
		return code
	}
	d, err := inv.askDurability(address, file, topic)
	if err != nil {
		inv.complain("ottla topic durability: " + durabilityFault(err, address, topic))
		return exitFailed
	}
	d.bootstrap = address
	io.WriteString(inv.stdout, d.text())
	return 0
}

// durabilityFault says why a broker did not tell.
func durabilityFault(err error, bootstrap, topic string) string {
	if hasCode(err, kerr.UnknownTopicOrPartition) {
		return fmt.Sprintf("there is no topic %s at %s", topic, bootstrap)
	}
	if e, ok := errors.AsType[*exception](err); ok && e.class == "org.apache.kafka.common.errors.TimeoutException" {
		return fmt.Sprintf("no broker answers at %s (--bootstrap-server)", bootstrap)
	}
	return err.Error()
}

// askDurability asks a broker for what decides the durability of a topic.
func (inv *invocation) askDurability(bootstrap, file, topic string) (durability, error) {
	d := durability{topic: topic}
	s, err := loadSettings(file)
	if err != nil {
		return d, err
	}
	if _, given := s.values["default.api.timeout.ms"]; !given {
		s.values["default.api.timeout.ms"] = "10000" // a person waits
	}
	a, err := inv.newAdmin(s, bootstrap, "TopicDurability")
	if err != nil {
		return d, err
	}
	defer a.close()
	described, err := a.describeTopics([]string{topic}, describeLimit)
	if err != nil {
		return d, err
	}
	for _, t := range described {
		d.partitions = append(d.partitions, t.partitions...)
	}
	configs, err := a.describeConfigs(kmsg.ConfigResourceTypeTopic, []string{topic}, false)
	if err != nil {
		return d, err
	}
	d.settings = make(map[string]durabilitySetting)
	for _, c := range configs[topic] {
		if c.Value != nil {
			d.settings[c.Name] = durabilitySetting{*c.Value, c.Source}
		}
	}
	return d, d.read()
}

// read takes the numbers out of the settings.
func (d *durability) read() error {
	number := func(name string) (n int64, err error) {
		s, ok := d.settings[name]
		if !ok {
			return 0, fmt.Errorf("topic %s: the broker does not tell %s", d.topic, name)
		}
		return strconv.ParseInt(s.value, 10, 64)
	}
	minimum, err := number("min.insync.replicas")
	if err != nil {
		return err
	}
	d.minInsync = int(minimum)
	if d.flushMessages, err = number("flush.messages"); err != nil {
		return err
	}
	if d.flushMs, err = number("flush.ms"); err != nil {
		return err
	}
	caching, known := d.settings["write.caching"]
	d.isOttla, d.caching = known, caching.value == "true"
	return nil
}
