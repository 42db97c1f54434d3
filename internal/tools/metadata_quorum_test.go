package tools

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// What MetadataQuorumCommand prints for three voters, of which one is behind.
func TestPrintQuorum(t *testing.T) {
	directory := kafka.UUID{15: 1}
	q := &describedQuorum{epoch: 4, high: 90, voters: []quorumReplica{
		{id: 1, directory: directory, end: 95, lastFetch: 5000, lastCaughtUp: 5000, endpoints: []string{"C://a:1"}},
		{id: 2, end: 90, lastFetch: 4990, lastCaughtUp: 4000, endpoints: []string{"C://b:1", "D://b:2"}},
		{id: 3, end: 95, lastFetch: -1, lastCaughtUp: -1},
	}, observers: []quorumReplica{{id: 7, end: 1, lastFetch: 1, lastCaughtUp: -1}}}
	q.leader = q.voters[0]
	var out bytes.Buffer
	inv := &invocation{stdout: &out}
	inv.printQuorum("cluster", q)
	want := `ClusterId:              cluster
LeaderId:               1
LeaderEpoch:            4
HighWatermark:          90
MaxFollowerLag:         5
MaxFollowerLagTimeMs:   1000
CurrentVoters:          [{"id": 1, "directoryId": "AAAAAAAAAAAAAAAAAAAAAQ", "endpoints": ["C://a:1"]}, {"id": 2, "endpoints": ["C://b:1", "D://b:2"]}, {"id": 3}]
CurrentObservers:       [{"id": 7}]
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	out.Reset()
	if err := inv.printReplication(q, false); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if want := "NodeId DirectoryId LogEndOffset Lag LastFetchTimestamp LastCaughtUpTimestamp Status|" +
		"1 AAAAAAAAAAAAAAAAAAAAAQ 95 0 5000 5000 Leader|2 AAAAAAAAAAAAAAAAAAAAAA 90 5 4990 4000 Follower|3 AAAAAAAAAAAAAAAAAAAAAA 95 0 -1 -1 Follower|" +
		"7 AAAAAAAAAAAAAAAAAAAAAA 1 94 1 -1 Observer"; strings.Join(got, "|") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "|"), want)
	}
}
