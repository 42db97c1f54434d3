package tools

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/tools/argparse"
)

func metadataQuorumParser() *argparse.Parser {
	return &argparse.Parser{
		Program:     "kafka-metadata-quorum",
		Description: "Shows the state of the metadata quorum, and changes who votes.",
		Arguments:   append(bootstrapArguments(true), argparse.Argument{Name: "--command-config", Help: "properties file for the client"}),
		Commands: []argparse.Command{
			{Name: "describe", Help: "describe the metadata quorum", Arguments: []argparse.Argument{
				{Name: "--status", Help: "who leads, who votes, how far the last is behind", Kind: argparse.Flag},
				{Name: "--replication", Help: "a line for each replica", Kind: argparse.Flag},
				{Name: "--human-readable", Help: "with --replication: times as so many ms ago", Kind: argparse.Flag},
			}},
			{Name: "add-controller", Help: "give a controller a vote; --command-config is its configuration file", Arguments: []argparse.Argument{
				{Name: "--dry-run", Help: "say what would happen, and change nothing", Kind: argparse.Flag},
			}},
			{Name: "remove-controller", Help: "take a controller's vote", Arguments: []argparse.Argument{
				{Name: "--controller-directory-id", Short: "-d", Help: "the id of its metadata log directory", Required: true},
				{Name: "--controller-id", Short: "-i", Help: "its node id", Kind: argparse.Integer, Required: true},
				{Name: "--dry-run", Help: "say what would happen, and change nothing", Kind: argparse.Flag},
			}},
		},
	}
}

// runMetadataQuorum is kafka-metadata-quorum.
func runMetadataQuorum(inv *invocation) int {
	args, err := metadataQuorumParser().Parse(inv.args)
	if err != nil {
		exit := inv.notParsed(err)
		if _, help := errors.AsType[*argparse.Help](err); help {
			return 0 // other than kafka-transactions
		}
		return exit
	}
	s, err := loadSettings(args.Text("--command-config"))
	if errors.Is(err, fs.ErrNotExist) {
		err = &plainError{"Properties file " + args.Text("--command-config") + " does not exists!"}
	}
	var a *admin
	if err == nil {
		if args.Command == "add-controller" {
			s.readAll() // it is the controller's file
		}
		a, err = inv.newAdminOf(s, args)
	}
	if err == nil {
		defer a.close()
		err = inv.metadataQuorum(a, s, args)
	}
	if err == nil {
		return 0
	}
	inv.complain(err.Error())
	if _, plain := errors.AsType[*plainError](err); !plain {
		inv.trace("", err)
	}
	return 1
}

func (inv *invocation) metadataQuorum(a *admin, s *settings, args *argparse.Parsed) error {
	switch args.Command {
	case "add-controller":
		if args.Text("--command-config") == "" {
			return &plainError{"You must supply the configuration file of the controller you are adding when using add-controller."}
		}
		return inv.addController(a, s, args)
	case "remove-controller":
		return inv.removeController(a, args)
	}
	return inv.describeQuorum(a, args)
}

func (inv *invocation) describeQuorum(a *admin, args *argparse.Parsed) error {
	status, replication, readable := args.Has("--status"), args.Has("--replication"), args.Has("--human-readable")
	switch {
	case status && replication:
		return &plainError{"Only one of --status or --replication should be specified with describe sub-command"}
	case status && readable:
		return &plainError{"The option --human-readable is only supported along with --replication"}
	case !status && !replication:
		return &plainError{"One of --status or --replication must be specified with describe sub-command"}
	}
	q, err := a.metadataQuorum()
	if err != nil {
		return err
	}
	if replication {
		return inv.printReplication(q, readable)
	}
	cluster, err := a.describeCluster(false)
	if err != nil {
		return err
	}
	inv.printQuorum(cluster.ClusterID, q)
	return nil
}

// quorumReplica is a voter or observer.
type quorumReplica struct {
	id                           int32
	directory                    kafka.UUID
	end, lastFetch, lastCaughtUp int64
	endpoints                    []string
}

// describedQuorum is the answer to DescribeQuorum, with the leader among the voters.
type describedQuorum struct {
	leader            quorumReplica
	epoch             int32
	high              int64
	voters, observers []quorumReplica
}

func (a *admin) metadataQuorum() (*describedQuorum, error) {
	rq := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic, topic.Partitions = kafka.MetadataTopic, []kmsg.DescribeQuorumRequestTopicPartition{{}}
	rq.Topics = append(rq.Topics, topic)
	answer, err := a.call("describeMetadataQuorum", rq)
	if err != nil {
		return nil, err
	}
	response := answer.(*kmsg.DescribeQuorumResponse)
	if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
		return nil, err
	}
	if len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return nil, &plainError{"the broker describes no quorum"}
	}
	p := response.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
		return nil, err
	}
	q := &describedQuorum{epoch: p.LeaderEpoch, high: p.HighWatermark}
	endpoints := map[int32][]string{}
	for _, n := range response.Nodes {
		for _, l := range n.Listeners {
			endpoints[n.NodeID] = append(endpoints[n.NodeID], fmt.Sprintf("%s://%s:%d", l.Name, l.Host, l.Port))
		}
	}
	read := func(states []kmsg.DescribeQuorumResponseTopicPartitionReplicaState) (all []quorumReplica) {
		for _, s := range states {
			all = append(all, quorumReplica{
				id: s.ReplicaID, directory: kafka.UUID(s.ReplicaDirectoryID), end: s.LogEndOffset,
				lastFetch: s.LastFetchTimestamp, lastCaughtUp: s.LastCaughtUpTimestamp, endpoints: endpoints[s.ReplicaID],
			})
		}
		return all
	}
	q.voters, q.observers = read(p.CurrentVoters), read(p.Observers)
	i := slices.IndexFunc(q.voters, func(v quorumReplica) bool { return v.id == p.LeaderID })
	if i < 0 {
		return nil, &plainError{fmt.Sprintf("the leader, node %d, is not one of the voters", p.LeaderID)}
	}
	q.leader = q.voters[i]
	return q, nil
}

func (inv *invocation) printQuorum(clusterID string, q *describedQuorum) {
	last := slices.MinFunc(q.voters, func(a, b quorumReplica) int { return int(max(min(a.end-b.end, 1), -1)) })
	lagTime := int64(-1)
	switch {
	case last.id == q.leader.id:
		lagTime = 0
	case q.leader.lastCaughtUp >= 0 && last.lastCaughtUp >= 0:
		lagTime = q.leader.lastCaughtUp - last.lastCaughtUp
	}
	for _, line := range [][2]string{
		{"ClusterId", clusterID},
		{"LeaderId", strconv.Itoa(int(q.leader.id))},
		{"LeaderEpoch", strconv.Itoa(int(q.epoch))},
		{"HighWatermark", strconv.FormatInt(q.high, 10)},
		{"MaxFollowerLag", strconv.FormatInt(q.leader.end-last.end, 10)},
		{"MaxFollowerLagTimeMs", strconv.FormatInt(lagTime, 10)},
		{"CurrentVoters", quorumNodes(q.voters)},
		{"CurrentObservers", quorumNodes(q.observers)},
	} {
		inv.printf("%-23s %s\n", line[0]+":", line[1])
	}
}

// quorumNodes lists replicas as MetadataQuorumCommand does: much like JSON.
func quorumNodes(all []quorumReplica) string {
	var nodes []string
	for _, r := range all {
		node := fmt.Sprintf(`{"id": %d`, r.id)
		if !r.directory.IsZero() {
			node += fmt.Sprintf(`, "directoryId": "%s"`, r.directory)
		}
		if len(r.endpoints) > 0 {
			node += `, "endpoints": ["` + strings.Join(r.endpoints, `", "`) + `"]`
		}
		nodes = append(nodes, node+"}")
	}
	return "[" + strings.Join(nodes, ", ") + "]"
}

func (inv *invocation) printReplication(q *describedQuorum, readable bool) error {
	now := time.Now().UnixMilli()
	var rows [][]string
	var failure error
	moment := func(ms int64, what string) string {
		switch {
		case ms < 0:
			return "-1"
		case !readable:
			return strconv.FormatInt(ms, 10)
		case ms > now:
			failure = &plainError{fmt.Sprintf("Error while computing relative time, possible drift in system clock.\nCurrent timestamp is %d, %s timestamp is %d", now, what, ms)}
		}
		return fmt.Sprintf("%d ms ago", now-ms)
	}
	add := func(r quorumReplica, status string) {
		rows = append(rows, []string{
			strconv.Itoa(int(r.id)), r.directory.String(), strconv.FormatInt(r.end, 10), strconv.FormatInt(q.leader.end-r.end, 10),
			moment(r.lastFetch, "last fetch"), moment(r.lastCaughtUp, "last caught up"), status,
		})
	}
	add(q.leader, "Leader")
	for _, v := range q.voters {
		if v.id != q.leader.id {
			add(v, "Follower")
		}
	}
	for _, o := range q.observers {
		add(o, "Observer")
	}
	if failure != nil {
		return failure
	}
	inv.printTable([]string{"NodeId", "DirectoryId", "LogEndOffset", "Lag", "LastFetchTimestamp", "LastCaughtUpTimestamp", "Status"}, rows)
	return nil
}
