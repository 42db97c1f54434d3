package tools

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/tools/options"
)

// deleteRecordsOptions are the options of kafka-delete-records.
type deleteRecordsOptions struct {
	*options.Set
	parser                         *options.Parser
	bootstrap, file, commandConfig *options.Option
}

func newDeleteRecordsOptions() *deleteRecordsOptions {
	p := options.NewParser()
	return &deleteRecordsOptions{
		parser:        p,
		bootstrap:     p.Value("bootstrap-server", "host:port,...", "REQUIRED: the brokers to connect to."),
		file:          p.Value("offset-json-file", "file", `REQUIRED: {"partitions": [{"topic": "t", "partition": 0, "offset": 5}], "version": 1}. The records below each offset are deleted; -1 deletes all.`),
		commandConfig: p.Value("command-config", "file", "Properties file for the client."),
	}
}

// runDeleteRecords is kafka-delete-records.
func runDeleteRecords(inv *invocation) int {
	err := inv.deleteRecords()
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	inv.complain(err.Error())
	inv.trace("", err)
	return 1
}

func (inv *invocation) deleteRecords() error {
	o := newDeleteRecordsOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return err
	}
	if err := inv.helpOrVersion(o.parser, o.Set, "This tool helps to delete records of the given partitions down to the specified offset."); err != nil {
		return err
	}
	rule := &rules{parser: o.parser, set: o.Set}
	rule.require(o.bootstrap, o.file)
	if rule.err != nil {
		return rule.err
	}
	r := o.Reader()
	path, bootstrap, config := r.String(o.file), r.String(o.bootstrap), r.String(o.commandConfig)
	if r.Err() != nil {
		return r.Err()
	}
	s, err := loadSettings(config)
	if err != nil {
		return err
	}
	a, err := inv.newAdmin(s, bootstrap, "")
	if err != nil {
		return err
	}
	defer a.close()
	text, err := os.ReadFile(path)
	if err != nil {
		return &exception{class: "java.io.IOException", message: "Unable to read file " + path, cause: err}
	}
	order, offsets, err := parseRecordsToDelete(text)
	if err != nil {
		return err
	}
	inv.println("Executing records delete operation")
	results, err := a.deleteRecords(order, offsets)
	inv.println("Records delete operation completed:")
	for _, tp := range order {
		result, ok := results[tp]
		switch {
		case err != nil:
			inv.printf("partition: %s\terror: %s\n", tp, javaString(err))
		case !ok:
			inv.printf("partition: %s\terror: the brokers did not answer for it\n", tp)
		case result.err != nil:
			inv.printf("partition: %s\terror: %s\n", tp, javaString(result.err))
		default:
			inv.printf("partition: %s\tlow_watermark: %d\n", tp, result.offset)
		}
	}
	return nil
}

// parseRecordsToDelete reads the file of --offset-json-file.
func parseRecordsToDelete(text []byte) (order []kafka.TopicPartition, offsets map[kafka.TopicPartition]int64, err error) {
	operation := func(format string, args ...any) error {
		return &exception{class: "org.apache.kafka.tools.AdminOperationException", message: fmt.Sprintf(format, args...)}
	}
	var file struct {
		Version    *int `json:"version"`
		Partitions *[]struct {
			Topic     *string `json:"topic"`
			Partition *int32  `json:"partition"`
			Offset    *int64  `json:"offset"`
		} `json:"partitions"`
	}
	switch err := json.Unmarshal(text, &file); {
	case err != nil:
		return nil, nil, operation("The input string is not a valid JSON")
	case file.Version != nil && *file.Version != 1:
		return nil, nil, operation("Not supported version field value %d", *file.Version)
	case file.Partitions == nil:
		return nil, nil, operation("Missing partitions field")
	}
	offsets = make(map[kafka.TopicPartition]int64)
	var twice []string
	for i, p := range *file.Partitions {
		if p.Topic == nil || p.Partition == nil || p.Offset == nil {
			return nil, nil, operation("Entry %d of partitions needs topic, partition and offset", i+1)
		}
		tp := kafka.TopicPartition{Topic: *p.Topic, Partition: *p.Partition}
		if _, there := offsets[tp]; there {
			twice = append(twice, tp.String())
			continue
		}
		offsets[tp] = *p.Offset
		order = append(order, tp)
	}
	if twice != nil {
		return nil, nil, &exception{class: "org.apache.kafka.tools.AdminCommandFailedException",
			message: "Offset json file contains duplicate topic partitions: " + strings.Join(twice, ",")}
	}
	return order, offsets, nil
}

// deleteRecords deletes the records below offsets and returns the new start of each partition. One without a leader is waited for in
// vain, but does not keep the others.
func (a *admin) deleteRecords(order []kafka.TopicPartition, offsets map[kafka.TopicPartition]int64) (map[kafka.TopicPartition]partitionOffset, error) {
	results := make(map[kafka.TopicPartition]partitionOffset)
	led, leaderless, err := a.splitByLeader(order)
	if err != nil {
		return nil, err
	}
	for _, some := range [][]kafka.TopicPartition{led, leaderless} {
		if err := a.deleteRecordsOf(some, offsets, results); err != nil {
			for _, tp := range some {
				results[tp] = partitionOffset{err: err}
			}
		}
	}
	return results, nil
}

// deleteRecordsOf adds the results for partitions.
func (a *admin) deleteRecordsOf(order []kafka.TopicPartition, offsets map[kafka.TopicPartition]int64, results map[kafka.TopicPartition]partitionOffset) error {
	if len(order) == 0 {
		return nil
	}
	rq := kmsg.NewPtrDeleteRecordsRequest()
	rq.TimeoutMillis = createTimeoutMs
	for topic, ids := range byTopic(order) {
		t := kmsg.NewDeleteRecordsRequestTopic()
		t.Topic = topic
		for _, id := range ids {
			p := kmsg.NewDeleteRecordsRequestTopicPartition()
			p.Partition, p.Offset = id, offsets[kafka.TopicPartition{Topic: topic, Partition: id}]
			t.Partitions = append(t.Partitions, p)
		}
		rq.Topics = append(rq.Topics, t)
	}
	response, err := request[*kmsg.DeleteRecordsResponse](a, "deleteRecords(api=METADATA)", rq)
	if err != nil {
		return err
	}
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			results[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = partitionOffset{p.LowWatermark, -1, responseError(p.ErrorCode, nil)}
		}
	}
	return nil
}
