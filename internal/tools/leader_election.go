package tools

import (
	"errors"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/tools/options"
)

// leaderElectionOptions are the options of kafka-leader-election.
type leaderElectionOptions struct {
	*options.Set
	parser                                                 *options.Parser
	bootstrap, adminConfig, commandConfig, file            *options.Option
	topic, partition, allTopicPartitions, electionTypeName *options.Option
}

func newLeaderElectionOptions() *leaderElectionOptions {
	p := options.NewParser()
	return &leaderElectionOptions{
		parser:             p,
		bootstrap:          p.Value("bootstrap-server", "host:port", "REQUIRED: the brokers to connect to."),
		adminConfig:        p.Value("admin.config", "config file", "Deprecated: use --command-config."),
		commandConfig:      p.Value("command-config", "Config file", "Properties file for the client."),
		file:               p.Value("path-to-json-file", "Path to JSON file", `The partitions to elect leaders for: {"partitions": [{"topic": "foo", "partition": 1}]}.`),
		topic:              p.Value("topic", "topic name", "The topic of the one partition to elect a leader for."),
		partition:          p.Value("partition", "partition id", "With --topic: the partition.").Integer(),
		allTopicPartitions: p.Flag("all-topic-partitions", "Elect leaders for all partitions that need it."),
		electionTypeName:   p.Value("election-type", "election type", "REQUIRED: preferred, back to the first replica; or unclean, of partitions without a leader, which may lose records."),
	}
}

// electionTypes are those of ElectLeaders requests.
var electionTypes = []string{"PREFERRED", "UNCLEAN"}

// runLeaderElection is kafka-leader-election.
func runLeaderElection(inv *invocation) int {
	err := inv.electLeaders()
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	inv.complain(err.Error())
	inv.trace("", err)
	return 1
}

func (inv *invocation) electLeaders() error {
	o := newLeaderElectionOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return err
	}
	if err := inv.helpOrVersion(o.parser, o.Set, "This tool attempts to elect a new leader for a set of topic partitions: the preferred replica, or an unclean one."); err != nil {
		return err
	}
	r := o.Reader()
	config, bootstrap, kind := r.String(o.commandConfig), r.String(o.bootstrap), r.String(o.electionTypeName)
	if r.Err() != nil {
		return r.Err()
	}
	election := slices.Index(electionTypes, strings.ToUpper(kind))
	if o.Has(o.electionTypeName) && election < 0 {
		return &options.Error{Kind: options.Conversion, Message: "Cannot parse argument '" + kind + "' of option election-type"}
	}
	if err := o.check(); err != nil {
		return err
	}
	partitions, err := o.partitions()
	if err != nil {
		return err
	}
	if o.Has(o.adminConfig) {
		inv.println("Option --admin.config has been deprecated and will be removed in a future version. Use --command-config instead.")
		config, _ = o.Value(o.adminConfig)
	}
	s, err := loadSettings(config)
	if err != nil {
		return err
	}
	if !s.has("default.api.timeout.ms") {
		s.values["default.api.timeout.ms"] = "30000"
	}
	a, err := inv.newAdmin(s, bootstrap, "")
	if err != nil {
		return err
	}
	defer a.close()
	return inv.holdElections(a, int8(election), partitions)
}

func (o *leaderElectionOptions) check() error {
	var missing []string
	for _, required := range []*options.Option{o.bootstrap, o.electionTypeName} {
		if !o.Has(required) {
			missing = append(missing, required.Name())
		}
	}
	if missing != nil {
		return commandFailed("Missing required option(s): " + strings.Join(missing, ", "))
	}
	r := &rules{parser: o.parser, set: o.Set}
	r.forbid(o.adminConfig, o.commandConfig)
	if r.err != nil {
		return r.err
	}
	switch {
	case r.count(o.topic, o.allTopicPartitions, o.file) != 1:
		return commandFailed("One and only one of the following options is required: topic, all-topic-partitions, path-to-json-file")
	case o.Has(o.topic) && !o.Has(o.partition):
		return commandFailed("Missing required option(s): partition")
	case !o.Has(o.topic) && o.Has(o.partition):
		return commandFailed("Option partition is only allowed if topic is used")
	}
	return nil
}

// partitions returns those that leaders are wanted for, nil for all.
func (o *leaderElectionOptions) partitions() ([]kafka.TopicPartition, error) {
	r := o.Reader()
	topic, id, path := r.String(o.topic), r.Int(o.partition), r.String(o.file)
	switch {
	case r.Err() != nil || o.Has(o.allTopicPartitions):
		return nil, r.Err()
	case o.Has(o.topic):
		return []kafka.TopicPartition{{Topic: topic, Partition: int32(id)}}, nil
	}
	text, err := readInput(path)
	if err != nil {
		return nil, inRuntime(err)
	}
	v, err := parseJSON(text)
	if err != nil {
		return nil, operationFailed("Replica election data is empty")
	}
	file, err := v.object()
	if err != nil {
		return nil, inRuntime(err)
	}
	entries, found, err := file.entries("partitions")
	switch {
	case err != nil:
		return nil, inRuntime(err)
	case !found:
		return nil, operationFailed(`Replica election data is missing "partitions" field`)
	}
	partitions := []kafka.TopicPartition{}
	for _, entry := range entries {
		name, err := field(entry, "topic", jsonValue.text)
		if err != nil {
			return nil, inRuntime(err)
		}
		id, err := field(entry, "partition", jsonValue.integer)
		if err != nil {
			return nil, inRuntime(err)
		}
		partitions = append(partitions, kafka.TopicPartition{Topic: name, Partition: id})
	}
	if twice := duplicates(partitions); twice != nil {
		return nil, operationFailed("Replica election data contains duplicate partitions: " + bracketed(twice))
	}
	return partitions, nil
}

// holdElections elects leaders and tells for which partitions.
func (inv *invocation) holdElections(a *admin, election int8, partitions []kafka.TopicPartition) error {
	results, err := a.electLeaders(election, partitions)
	if err != nil {
		if e, ok := errors.AsType[*exception](err); ok && strings.HasSuffix(e.class, "TimeoutException") {
			inv.println("Timeout waiting for election results")
			return &exception{class: commandFailed("").(*exception).class, message: "Timeout waiting for election results", cause: err}
		}
		if hasCode(err, kerr.ClusterAuthorizationFailed) {
			inv.println("Not authorized to perform leader election")
			return commandFailed("Not authorized to perform leader election")
		}
		return inRuntime(inFuture(err))
	}
	var elected, needless, failed []kafka.TopicPartition
	for _, tp := range sortedPartitions(results) {
		switch err := results[tp]; {
		case err == nil:
			elected = append(elected, tp)
		case hasCode(err, kerr.ElectionNotNeeded):
			needless = append(needless, tp)
		default:
			failed = append(failed, tp)
		}
	}
	name := electionTypes[election]
	if elected != nil {
		inv.println("Successfully completed leader election (" + name + ") for partitions " + strings.ReplaceAll(joinPartitions(elected), ",", ", "))
	}
	if needless != nil {
		inv.println("Valid replica already elected for partitions " + strings.ReplaceAll(joinPartitions(needless), ",", ", "))
	}
	for _, tp := range failed {
		inv.println("Error completing leader election (" + name + ") for partition: " + tp.String() + ": " + javaString(results[tp]))
	}
	if failed != nil {
		return commandFailed(joinIDs([]int32{int32(len(failed))}) + " replica(s) could not be elected")
	}
	return nil
}

// electLeaders holds elections for partitions, for all if they are nil; the outcome comes by partition.
func (a *admin) electLeaders(election int8, partitions []kafka.TopicPartition) (map[kafka.TopicPartition]error, error) {
	rq := kmsg.NewPtrElectLeadersRequest()
	rq.ElectionType, rq.TimeoutMillis = election, int32(a.timeout.Milliseconds()/2)
	if partitions != nil {
		rq.Topics = []kmsg.ElectLeadersRequestTopic{}
	}
	for topic, ids := range byTopic(partitions) {
		t := kmsg.NewElectLeadersRequestTopic()
		t.Topic, t.Partitions = topic, ids
		rq.Topics = append(rq.Topics, t)
	}
	response, err := request[*kmsg.ElectLeadersResponse](a, "electLeaders", rq)
	if err == nil {
		err = responseError(response.ErrorCode, nil)
	}
	if err != nil {
		return nil, err
	}
	results := map[kafka.TopicPartition]error{}
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			results[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = responseError(p.ErrorCode, p.ErrorMessage)
		}
	}
	return results, nil
}
