package api

import (
	"cmp"
	"slices"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// reply answers with what read found: all partitions, or those of a session with news. Partitions that do not exist come
// last, as in Kafka.
func (f *fetch) reply() {
	if s := f.session; s != nil {
		s.lock.Lock()
		defer s.lock.Unlock()
		f.response.SessionID = s.id
		if s.epoch != f.epoch { // another request of the session came in between
			f.response.ErrorCode = int16(kafka.InvalidFetchSessionEpoch)
			f.send()
			return
		}
	}
	var created *fetchSession
	if f.create {
		created = newFetchSession(f.call.version >= 13, f.replica >= 0, len(f.targets))
	}
	for _, unknown := range []bool{false, true} {
		for i := range f.targets {
			if t := &f.targets[i]; t.unknown == unknown {
				f.tell(t, created)
			}
		}
	}
	if created != nil {
		f.response.SessionID = f.api.sessions.open(created, f.call.Received())
	}
	f.send()
}

func (f *fetch) send() {
	c := f.call
	c.Reply(&f.response)
	f.recycle()
}

// fail answers a request whose session is not as it says.
func (f *fetch) fail(err error) {
	f.response.ErrorCode = codeOf(err)
	f.send()
}

// tell puts one partition into the response, if there is something new to say.
func (f *fetch) tell(t *fetchTarget, created *fetchSession) {
	size := t.found.Span.Size
	f.answerFor(t)
	switch {
	case created != nil:
		created.want(t.key, &t.want, t.durable)
		created.tell(t.key, &f.answer)
	case f.session != nil && !f.session.tell(t.key, &f.answer):
		return
	}
	topics := f.response.Responses
	if last := len(topics) - 1; last < 0 || topics[last].Topic != t.key.topic || topics[last].TopicID != t.key.id {
		topics = resize(topics, len(topics)+1)
		topic := &topics[len(topics)-1]
		topic.Reset()
		topic.Topic, topic.TopicID = t.key.topic, t.key.id
		f.response.Responses = topics
	}
	topic := &topics[len(topics)-1]
	topic.Partitions = append(topic.Partitions, f.answer)
	t.from.Served(f.replica, size, f.answer.ErrorCode != 0)
}

// answerFor makes what the response says of one partition.
func (f *fetch) answerFor(t *fetchTarget) {
	f.answer.Reset()
	f.answer.PartitionIndex = t.key.partition
	f.answer.Records = noRecords
	if t.err == nil && t.found.Span.Size > 0 {
		f.answer.Records, t.err = f.records(&t.found.Span)
	}
	if t.err != nil {
		f.failPartition(t)
		return
	}
	f.answer.HighWatermark, f.answer.LastStableOffset, f.answer.LogStartOffset = t.found.HighWatermark, t.found.LastStable, t.found.Start
	f.answer.PreferredReadReplica = t.closer
	if t.found.Diverged != nil {
		f.answer.DivergingEpoch.Epoch, f.answer.DivergingEpoch.EndOffset = t.found.Diverged.Epoch, t.found.Diverged.EndOffset
	}
	if f.committed {
		f.answer.AbortedTransactions = abortedTransactions(t.found.Aborted)
	}
}

// noRecords is empty, but not null.
var noRecords = []byte{}

// noAborted is empty, but not null.
var noAborted = []wire.FetchResponseAbortedTransaction{}

func abortedTransactions(all []commitlog.Aborted) []wire.FetchResponseAbortedTransaction {
	told := make([]wire.FetchResponseAbortedTransaction, len(all))
	for i, aborted := range all {
		told[i] = wire.FetchResponseAbortedTransaction{ProducerID: aborted.ProducerID, FirstOffset: aborted.FirstOffset}
	}
	return told
}

// deferFrom is the size from which records are read only when they are written: piece by piece, as more than the
// processor's cache holds costs twice as much to read and write in one go.
const deferFrom = 256 << 10

// records reads a span into a pooled buffer, which goes back when the response is written. A large span is kept instead,
// unless the disk has failed a read of this log: what goes wrong while a response is written can only close the connection.
//
// Of damaged records, or ones that the disk cannot read, those before are the answer; the fetch that begins with them gets
// the error.
func (f *fetch) records(span *commitlog.Span) ([]byte, error) {
	if span.Size >= deferFrom && !span.Doubtful() {
		held := new(*span)
		*span = commitlog.Span{}
		f.call.Hold(held)
		f.call.Defer(held, held.Size)
		return wire.Deferred(), nil
	}
	buffer := f.api.Buffers.Get(span.Size)
	f.call.Hold(buffer)
	n, err := span.ReadAt(buffer.Bytes())
	whole, damage := span.Whole(buffer.Bytes()[:n])
	if whole == 0 {
		return noRecords, cmp.Or(err, damage)
	}
	return buffer.Bytes()[:whole], nil
}

// lastVersionWithoutStorageError is the last version whose clients do not know KAFKA_STORAGE_ERROR.
const lastVersionWithoutStorageError = 5

// failPartition fills in an error, and who leads now if that is what went wrong (KIP-951). Followers know themselves how that is reached.
func (f *fetch) failPartition(t *fetchTarget) {
	code := kafka.CodeOf(t.err)
	if code == kafka.KafkaStorageError && f.call.version <= lastVersionWithoutStorageError {
		code = kafka.NotLeaderOrFollower
	}
	f.answer.Records = noRecords
	if t.unknown {
		f.answer.AbortedTransactions = noAborted // as Kafka: not null where nothing was read at all
	}
	f.answer.ErrorCode = int16(code)
	f.answer.HighWatermark, f.answer.LastStableOffset, f.answer.LogStartOffset = -1, -1, -1
	if f.replica >= 0 && code == kafka.OffsetOutOfRange {
		f.answer.LogStartOffset = t.found.Start // where the follower has to begin anew
	}
	if f.call.version < 16 || (code != kafka.NotLeaderOrFollower && code != kafka.FencedLeaderEpoch) {
		return
	}
	leader, epoch, at := f.api.leaderOf(f.call, kafka.TopicPartition{Topic: t.topic, Partition: t.key.partition})
	f.answer.CurrentLeader.LeaderID, f.answer.CurrentLeader.LeaderEpoch = leader, epoch
	if at != nil && f.replica < 0 && !slices.ContainsFunc(f.response.NodeEndpoints, func(n wire.FetchResponseNodeEndpoint) bool { return n.NodeID == at.node }) {
		f.response.NodeEndpoints = append(f.response.NodeEndpoints, wire.FetchResponseNodeEndpoint{NodeID: at.node, Host: at.host, Port: at.port, Rack: at.rack})
	}
}
