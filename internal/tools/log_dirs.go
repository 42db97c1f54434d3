package tools

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/tools/options"
)

// logDirsOptions are the options of kafka-log-dirs.
type logDirsOptions struct {
	*options.Set
	parser                                                    *options.Parser
	bootstrap, commandConfig, describe, topicList, brokerList *options.Option
}

func newLogDirsOptions() *logDirsOptions {
	p := options.NewParser()
	return &logDirsOptions{
		parser:        p,
		bootstrap:     p.Value("bootstrap-server", "The server(s) to use for bootstrapping", "REQUIRED: the brokers to connect to."),
		commandConfig: p.Value("command-config", "Admin client property file", "Properties file for the client."),
		describe:      p.Flag("describe", "Show the replicas in the log directories of brokers, as JSON."),
		topicList:     p.Value("topic-list", "Topic list", "Show only replicas of these topics: topic1,topic2,topic3.").Default(""),
		brokerList:    p.Value("broker-list", "Broker list", "Ask only these brokers: 0,1,2.").Default(""),
	}
}

// runLogDirs is kafka-log-dirs.
func runLogDirs(inv *invocation) int {
	err := inv.logDirs()
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	inv.complain(err.Error())
	inv.trace("", err)
	return 1
}

func (inv *invocation) logDirs() error {
	o := newLogDirsOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return err
	}
	if err := inv.helpOrVersion(o.parser, o.Set, "This tool helps to query log directory usage on the specified brokers."); err != nil {
		return err
	}
	rule := &rules{parser: o.parser, set: o.Set}
	rule.require(o.bootstrap, o.describe)
	if rule.err != nil {
		return rule.err
	}
	r := o.Reader()
	bootstrap, config, topics, brokers := r.String(o.bootstrap), r.String(o.commandConfig), r.String(o.topicList), r.String(o.brokerList)
	if r.Err() != nil {
		return r.Err()
	}
	s, err := loadSettings(config)
	if err != nil {
		return err
	}
	a, err := inv.newAdmin(s, bootstrap, "log-dirs-tool")
	if err != nil {
		return err
	}
	defer a.close()
	return inv.describeLogDirs(a, commaSeparated(topics), commaSeparated(brokers))
}

func commaSeparated(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return s == "" })
}

func (inv *invocation) describeLogDirs(a *admin, topics, brokers []string) error {
	there, err := a.liveBrokers()
	if err != nil {
		return inFuture(err)
	}
	there = inJavaOrder(there, javaIntHash, javaMapSize)
	asked, err := parseBrokerIDs(brokers)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(asked), func(id int32) bool { return slices.Contains(there, id) })
	if len(missing) > 0 {
		return &plainError{"ERROR: The given brokers do not exist from --broker-list: " + joinIDs(missing) + ". Current existent brokers: " + joinIDs(there)}
	}
	if len(asked) == 0 {
		asked = there
	}
	inv.println("Querying brokers for log directories information")
	described := describedBrokers{Brokers: []describedBroker{}, Version: 1}
	for _, id := range inJavaOrder(asked, javaIntHash, len(asked)) {
		dirs, err := a.logDirs(id)
		if err != nil {
			return inFuture(err)
		}
		described.Brokers = append(described.Brokers, describedBroker{id, describeDirs(dirs, topics)})
	}
	inv.println("Received log directory information from brokers " + joinIDs(asked))
	e := json.NewEncoder(inv.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(described)
}

// What is printed, its members in the order that Java's map of them has.
type (
	describedBrokers struct {
		Brokers []describedBroker `json:"brokers"`
		Version int               `json:"version"`
	}
	describedBroker struct {
		Broker  int32          `json:"broker"`
		LogDirs []describedDir `json:"logDirs"`
	}
	describedDir struct {
		Partitions []describedReplica `json:"partitions"`
		Error      *string            `json:"error"`
		LogDir     string             `json:"logDir"`
	}
	describedReplica struct {
		Partition string `json:"partition"`
		Size      int64  `json:"size"`
		OffsetLag int64  `json:"offsetLag"`
		IsFuture  bool   `json:"isFuture"`
	}
)

// parseBrokerIDs reads the ids of --broker-list, each once.
func parseBrokerIDs(list []string) ([]int32, error) {
	var ids []int32
	for _, text := range list {
		id, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, &exception{class: "java.lang.NumberFormatException", message: `For input string: "` + text + `"`}
		}
		if !slices.Contains(ids, int32(id)) {
			ids = append(ids, int32(id))
		}
	}
	return inJavaOrder(ids, javaIntHash, javaMapSize), nil
}

func joinIDs(ids []int32) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.Itoa(int(id))
	}
	return strings.Join(texts, ",")
}

// logDirs asks one broker for its log directories.
func (a *admin) logDirs(broker int32) ([]kmsg.DescribeLogDirsResponseDir, error) {
	answer, err := a.callBroker(broker, "describeLogDirs", kmsg.NewPtrDescribeLogDirsRequest())
	if err != nil {
		return nil, err
	}
	response := answer.(*kmsg.DescribeLogDirsResponse)
	if len(response.Dirs) == 0 {
		code := response.ErrorCode
		if code == 0 {
			code = int16(kafka.ClusterAuthorizationFailed)
		}
		return nil, responseError(code, nil)
	}
	return inJavaOrder(response.Dirs, func(d kmsg.DescribeLogDirsResponseDir) uint32 { return javaHash(d.Dir) }, len(response.Dirs)), nil
}

// replicaInfo is a replica, or a copy of one, in a log directory.
type replicaInfo struct {
	partition kafka.TopicPartition
	size, lag int64
	future    bool
}

// javaHash is org.apache.kafka.common.TopicPartition.hashCode.
func (r replicaInfo) javaHash() uint32 {
	return 31*(31+uint32(r.partition.Partition)) + javaHash(r.partition.Topic)
}

func describeDirs(dirs []kmsg.DescribeLogDirsResponseDir, topics []string) []describedDir {
	var described []describedDir
	for _, d := range dirs {
		var replicas []replicaInfo
		for _, t := range d.Topics {
			for _, p := range t.Partitions {
				replicas = append(replicas, replicaInfo{kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}, p.Size, p.OffsetLag, p.IsFuture})
			}
		}
		replicas = inJavaOrder(replicas, replicaInfo.javaHash, javaMapSize)
		if len(topics) > 0 {
			replicas = slices.DeleteFunc(replicas, func(r replicaInfo) bool { return !slices.Contains(topics, r.partition.Topic) })
			replicas = inJavaOrder(replicas, replicaInfo.javaHash, javaMapSize)
		}
		out := describedDir{Partitions: []describedReplica{}, LogDir: d.Dir}
		for _, r := range replicas {
			out.Partitions = append(out.Partitions, describedReplica{r.partition.String(), r.size, r.lag, r.future})
		}
		if e, failed := responseError(d.ErrorCode, nil).(*brokerError); failed {
			out.Error = &e.class
		}
		described = append(described, out)
	}
	return described
}
