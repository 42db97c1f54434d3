package api

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// replay publishes records that no controller wrote.
func (w *world) replay(records ...wire.Message) {
	w.t.Helper()
	delta := w.store.Current().Change()
	for _, r := range records {
		if err := delta.Replay(r); err != nil {
			w.t.Fatal(err)
		}
	}
	w.store.Publish(delta.Apply(w.store.Current().Offset()+1, 1), nil)
}

// Clients of a partition that moved are told where it is (KIP-951), from the versions on that know how.
func TestClientsAreToldTheNewLeader(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	id := w.create(c, "t", 2)
	other := &wire.RegisterBrokerRecord{BrokerID: 2, BrokerEpoch: 5, Rack: new("r")}
	other.EndPoints = []wire.RegisterBrokerRecordBrokerEndpoint{{Name: "PLAINTEXT", Host: "two", Port: 9094}}
	records := []wire.Message{other}
	for p := range int32(2) {
		move := new(wire.PartitionChangeRecord)
		move.Reset()
		move.TopicID, move.PartitionID, move.Leader, move.Replicas, move.Isr = id, p, 2, []int32{testNode, 2}, []int32{2}
		records = append(records, move)
	}
	w.replay(records...)
	for _, version := range []int16{9, 10, 12} {
		rq := produceRequest(-1, answerLimit, "t", id, map[int32][]byte{0: batch(t, "a"), 1: batch(t, "b")})
		answer := ask[wire.ProduceResponse](c, rq, version)
		p := answer.Responses[0].PartitionResponses[0]
		wantLeader, wantNodes := int32(2), 1
		if version < 10 {
			wantLeader, wantNodes = -1, 0
		}
		if kafka.ErrorCode(p.ErrorCode) != kafka.NotLeaderOrFollower || p.CurrentLeader.LeaderID != wantLeader || len(answer.NodeEndpoints) != wantNodes {
			t.Errorf("Produce version %d: %+v, nodes %+v", version, p, answer.NodeEndpoints)
		}
		if wantNodes > 0 && (answer.NodeEndpoints[0].Host != "two" || answer.NodeEndpoints[0].Port != 9094 || p.CurrentLeader.LeaderEpoch != 1) {
			t.Errorf("Produce version %d: %+v, nodes %+v", version, p, answer.NodeEndpoints)
		}
	}
	for _, version := range []int16{12, 15, 16, 18} {
		rq := fetchRequest(time.Minute, 1, 1<<20, want{"t", 0, 0, 1 << 20}, want{"t", 1, 0, 1 << 20})
		if rq.Topics[0].TopicID = id; version >= 13 {
			rq.Topics[0].Topic = ""
		}
		for i := range rq.Topics[0].Partitions {
			rq.Topics[0].Partitions[i].CurrentLeaderEpoch = 0 // without it, a follower serves
		}
		answer := ask[wire.FetchResponse](c, rq, version)
		p := answer.Responses[0].Partitions[0]
		wantLeader, wantNodes := int32(2), 1
		if version < 16 {
			wantLeader, wantNodes = -1, 0
		}
		if kafka.ErrorCode(p.ErrorCode) != kafka.FencedLeaderEpoch || p.CurrentLeader.LeaderID != wantLeader || len(answer.NodeEndpoints) != wantNodes {
			t.Errorf("Fetch version %d: %+v, nodes %+v", version, p, answer.NodeEndpoints)
		}
	}
}

// A fetch that waits is told when another broker leads.
func TestFetchIsToldOfANewLeader(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	id := w.create(c, "t", 1)
	n := c.send(fetchRequest(time.Minute, 1, 1<<20, want{"t", 0, 0, 1 << 20}), 10)
	c.silent(20 * time.Millisecond)
	move := new(wire.PartitionChangeRecord)
	move.Reset()
	move.TopicID, move.PartitionID, move.Leader, move.Replicas = id, 0, 2, []int32{testNode, 2}
	w.replay(move)
	answer := new(wire.FetchResponse)
	c.receive(n, answer, 10) // from version 11 on, a follower serves consumers, too
	if got := text(t, answer); got != "t0:NOT_LEADER_OR_FOLLOWER" {
		t.Error(got)
	}
}

func TestListOffsets(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 1)
	for range 3 {
		c.produce("t", 1, "a") // not committed yet when the next request comes
	}
	const anyOffset = -2 // the three records may be of the same millisecond
	for _, test := range []struct {
		topic     string
		partition int32
		time      int64
		epoch     int32
		version   int16
		offset    int64
		code      kafka.ErrorCode
	}{
		{"t", 0, partition.LatestTimestamp, -1, 7, 3, 0},
		{"t", 0, partition.EarliestTimestamp, -1, 1, 0, 0},
		{"t", 0, partition.MaxTimestamp, -1, 7, anyOffset, 0},
		{"t", 0, partition.MaxTimestamp, -1, 6, -1, kafka.UnsupportedVersion},
		{"t", 0, partition.LatestTieredTimestamp, -1, 9, -1, 0},
		{"t", 0, partition.LatestTieredTimestamp, -1, 8, -1, kafka.UnsupportedVersion},
		{"t", 0, 0, -1, 7, 0, 0},
		{"t", 0, 1 << 60, -1, 7, -1, 0},
		{"t", 0, partition.LatestTimestamp, 5, 7, -1, kafka.UnknownLeaderEpoch},
		{"t", 4, partition.LatestTimestamp, -1, 7, -1, kafka.UnknownTopicOrPartition},
		{"u", 0, partition.LatestTimestamp, -1, 7, -1, kafka.UnknownTopicOrPartition},
	} {
		rq := &wire.ListOffsetsRequest{ReplicaID: -1, Topics: []wire.ListOffsetsRequestListOffsetsTopic{{Name: test.topic,
			Partitions: []wire.ListOffsetsRequestListOffsetsPartition{{PartitionIndex: test.partition, Timestamp: test.time, CurrentLeaderEpoch: test.epoch}}}}}
		p := ask[wire.ListOffsetsResponse](c, rq, test.version).Topics[0].Partitions[0]
		if kafka.ErrorCode(p.ErrorCode) != test.code || (p.Offset != test.offset && (test.offset != anyOffset || p.Offset < 0)) {
			t.Errorf("%+v: %+v", test, p)
		}
	}
}

// Records that were just written with acks=1 can be deleted; the answer has the new start.
func TestDeleteRecords(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 1)
	w.create(c, "compacted", 1, "cleanup.policy", "compact")
	for range 3 {
		c.produce("t", 1, "a")
	}
	for _, test := range []struct {
		topic  string
		offset int64
		low    int64
		code   kafka.ErrorCode
	}{
		{"t", 4, -1, kafka.OffsetOutOfRange},
		{"t", 2, 2, 0},
		{"t", 1, 2, 0},
		{"t", -1, 3, 0},
		{"compacted", 0, -1, kafka.PolicyViolation},
		{kafka.OffsetsTopic, 0, -1, kafka.UnknownTopicOrPartition},
		{"u", 0, -1, kafka.UnknownTopicOrPartition},
	} {
		rq := &wire.DeleteRecordsRequest{Topics: []wire.DeleteRecordsRequestDeleteRecordsTopic{{Name: test.topic,
			Partitions: []wire.DeleteRecordsRequestDeleteRecordsPartition{{Offset: test.offset}}}}}
		p := ask[wire.DeleteRecordsResponse](c, rq, 2).Topics[0].Partitions[0]
		if kafka.ErrorCode(p.ErrorCode) != test.code || p.LowWatermark != test.low {
			t.Errorf("%+v: %+v", test, p)
		}
	}
}

// What the table has is what ApiVersions tells, but for what brokers ask each other; a version that is not known is answered in version 0.
func TestApiVersions(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	answer := ask[wire.ApiVersionsResponse](c, &wire.ApiVersionsRequest{ClientSoftwareName: "test", ClientSoftwareVersion: "1"}, 4)
	if len(answer.ApiKeys) != len(w.api.rows)-1 || answer.ErrorCode != 0 || answer.FinalizedFeaturesEpoch < 0 || len(answer.FinalizedFeatures) == 0 {
		t.Errorf("%+v", answer)
	}
	for i, k := range answer.ApiKeys {
		if i > 0 && k.ApiKey <= answer.ApiKeys[i-1].ApiKey {
			t.Error("the table is not in order")
		}
		if low := w.api.row(k.ApiKey).Min; k.MaxVersion != w.api.row(k.ApiKey).Max || (k.MinVersion != low && k.ApiKey != 0) {
			t.Errorf("%+v", k)
		}
	}
	bad := ask[wire.ApiVersionsResponse](c, &wire.ApiVersionsRequest{ClientSoftwareName: "-", ClientSoftwareVersion: "1"}, 3)
	if kafka.ErrorCode(bad.ErrorCode) != kafka.InvalidRequest {
		t.Errorf("%+v", bad)
	}
	// Version 99, in which the body may be anything.
	raw := w.offer(t, []byte{0, 18, 0, 99, 0, 0, 0, 7, 1, 2, 3}, answerLimit)
	r := wire.NewReader(raw)
	var header wire.ResponseHeader
	var told wire.ApiVersionsResponse
	if err := header.Decode(r, 0); err != nil || header.CorrelationID != 7 {
		t.Fatal(err, header)
	}
	if err := told.Decode(r, 0); err != nil || kafka.ErrorCode(told.ErrorCode) != kafka.UnsupportedVersion || len(told.ApiKeys) != 1 || told.ApiKeys[0].ApiKey != 18 {
		t.Errorf("%v %+v", err, told)
	}
}

// timed is a request that waits.
type timed struct {
	at       time.Time
	answered bool
	expiry   deadline
}

func (r *timed) retain() bool { return !r.answered }
func (r *timed) expired()     { r.at = time.Now() }

// Deadlines come at most a tick late and never early, those that were removed or are being answered never.
func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d deadlines
		start := time.Now()
		requests := make([]*timed, 20)
		for i := range requests {
			requests[i] = &timed{answered: i == 7}
			d.add(&requests[i].expiry, start.Add(time.Duration(i)*30*time.Millisecond), requests[i])
		}
		d.remove(&requests[3].expiry)
		d.remove(&requests[3].expiry)
		d.remove(&requests[19].expiry)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for i, r := range requests {
			due := start.Add(time.Duration(i) * 30 * time.Millisecond)
			if never := i == 3 || i == 7 || i == 19; never != r.at.IsZero() || !never && (r.at.Before(due) || r.at.Sub(due) > deadlineTick) {
				t.Errorf("request %d, due after %v, expired after %v", i, due.Sub(start), r.at.Sub(start))
			}
		}
		d.remove(&requests[7].expiry)
		time.Sleep(time.Second)
		synctest.Wait()
		if d.mu.first != nil || d.mu.ticking {
			t.Error("the clock ticks on without requests")
		}
		// And begins again.
		again := new(timed)
		d.add(&again.expiry, time.Now(), again)
		time.Sleep(time.Second)
		synctest.Wait()
		if again.at.IsZero() {
			t.Error("a later request does not expire")
		}
	})
}

// A small request cannot ask for an answer of gigabytes.
func TestDescribeConfigsIsBounded(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	rq := new(wire.DescribeConfigsRequest)
	for i := range 50_000 {
		rq.Resources = append(rq.Resources, wire.DescribeConfigsRequestDescribeConfigsResource{ResourceType: 32, ResourceName: fmt.Sprint("g", i%10)})
	}
	answer := ask[wire.DescribeConfigsResponse](c, rq, 4)
	if first, last := answer.Results[0], answer.Results[len(answer.Results)-1]; first.ErrorCode != 0 || len(first.Configs) == 0 || kafka.ErrorCode(last.ErrorCode) != kafka.InvalidRequest {
		t.Errorf("first %v with %d settings, last %v", first.ErrorCode, len(first.Configs), last.ErrorCode)
	}
}
