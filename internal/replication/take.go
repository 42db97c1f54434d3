package replication

import (
	"errors"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/planted"
	"github.com/ottla/ottla/internal/wire"
)

// take takes an answer in. It runs on the goroutine of the connection, one call after the other, so that the records need not
// be copied.
func (f *fetcher) take(s *slot, err error) {
	f.mu.Lock()
	i := slices.Index(f.mu.slots, s)
	f.mu.slots = slices.Delete(f.mu.slots, i, i+1)
	overtaken := len(f.mu.slots) > 0
	if f.mu.closed {
		f.mu.Unlock()
		f.signal()
		return
	}
	if err == nil {
		err = f.accept(s, overtaken)
	}
	if err != nil {
		f.lost(s, err)
		f.mu.Unlock()
		f.signal()
		return
	}
	f.mu.failures = 0
	f.mu.taking = true // so that the mutex need not be held while logs are written
	f.mu.Unlock()

	r := receipt{f: f, s: s}
	if s.response.ErrorCode == 0 {
		r.take()
	}

	f.mu.Lock()
	f.mu.taking = false
	f.mu.free = append(f.mu.free, s)
	f.mu.Unlock()
	f.goOn()
}

// accept looks at what the answer says of the session. The caller holds f.mu.
func (f *fetcher) accept(s *slot, overtaken bool) error {
	code := kafka.ErrorCode(s.response.ErrorCode)
	switch {
	case code == kafka.InvalidFetchSessionEpoch && overtaken:
		return nil // the request that overtook it has the session now
	case code != kafka.None:
		return code
	case s.full:
		f.mu.session.id, f.mu.session.epoch = s.response.SessionID, 1
		if s.response.SessionID == 0 {
			f.leave() // the leader has no room for a session
		}
	}
	return nil
}

// lost is called when a request has no answer, or one about the whole session. The caller holds f.mu.
func (f *fetcher) lost(s *slot, err error) {
	f.mu.free = append(f.mu.free, s)
	f.leave()
	if isSessionError(err) {
		return // asked again without a session, at once
	}
	f.mu.failures++
	f.mu.err = err
	backoff := f.m.options.Settings().Backoff
	f.mu.resume = time.Now().Add(pauseAfter(f.mu.failures, backoff))
	if f.mu.failures == quietFailures {
		f.m.options.Logger.Warn("a leader does not answer fetches; it is asked again", "leader", f.place.leader, "error", err, "pause", pauseAfter(f.mu.failures, backoff))
	}
}

func isSessionError(err error) bool {
	switch kafka.CodeOf(err) {
	case kafka.FetchSessionIDNotFound, kafka.InvalidFetchSessionEpoch, kafka.FetchSessionTopicIDError:
		return true
	}
	return false
}

// receipt is one answer being taken in.
type receipt struct {
	f *fetcher
	s *slot
	// Bytes of throttled replicas: of those that catch up, and of those in sync.
	bytes, inSync int
}

func (r *receipt) take() {
	for i := range r.s.response.Responses {
		topic := &r.s.response.Responses[i]
		for j := range topic.Partitions {
			data := &topic.Partitions[j]
			asked, is := r.s.asked[key{topic.TopicID, data.PartitionIndex}]
			if is {
				r.partition(asked, data)
			}
		}
	}
	if r.bytes > 0 {
		r.f.m.options.Throttle.Took(time.Now(), r.bytes)
	}
	if r.inSync > 0 {
		r.f.m.options.Throttle.TookInSync(time.Now(), r.inSync)
	}
}

// partition takes in what the answer says of one partition.
func (r *receipt) partition(a asked, data *wire.FetchResponsePartitionData) {
	x := a.of
	if x.isGone(r.f) {
		return
	}
	end, err := r.apply(a, data)
	switch {
	case a.throttled && a.inSync:
		r.inSync += len(data.Records)
	case a.throttled:
		r.bytes += len(data.Records)
	}
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	switch {
	case err == nil:
		x.failures, x.told = 0, ""
		x.lag.Set(max(0, data.HighWatermark-end))
	case isStale(err):
		r.f.mu.news = true
	default:
		r.f.fail(x, err, time.Now())
	}
}

func (x *following) isGone(f *fetcher) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return x.gone
}

// errStale is for an answer to what is no longer asked.
var errStale = errors.New("the answer is out of date")

func isStale(err error) bool { return errors.Is(err, errStale) }

// apply brings the log to where the leader says.
func (r *receipt) apply(a asked, data *wire.FetchResponsePartitionData) (end int64, err error) {
	p := a.of.partition
	switch code := kafka.ErrorCode(data.ErrorCode); {
	case code == kafka.OffsetOutOfRange && data.LogStartOffset > a.offset:
		return data.LogStartOffset, r.outdated(p.RestartFollower(a.epoch, data.LogStartOffset))
	case code != kafka.None:
		return 0, code
	case data.DivergingEpoch.EndOffset >= 0 && planted.In(planted.IgnoreTruncation):
		return a.offset, nil
	case data.DivergingEpoch.EndOffset >= 0:
		end, err = p.TruncateFollower(a.epoch, a.offset, partition.Divergence{Epoch: data.DivergingEpoch.Epoch, EndOffset: data.DivergingEpoch.EndOffset})
		return end, r.outdated(err)
	}
	end, err = p.AppendFetched(partition.Received{
		LeaderEpoch: a.epoch, Offset: a.offset, Records: data.Records, HighWatermark: data.HighWatermark, Start: data.LogStartOffset,
	})
	if err == nil && len(data.Records) > 0 {
		r.await(p, a.epoch, end)
	}
	return end, r.outdated(err)
}

// outdated turns the errors of an answer that came too late into errStale.
func (r *receipt) outdated(err error) error {
	switch kafka.CodeOf(err) {
	case kafka.NotLeaderOrFollower, kafka.OffsetOutOfRange:
		return errStale
	}
	return err
}

// await has the next request wait until what was appended is stable.
func (r *receipt) await(p *partition.Partition, epoch int32, end int64) {
	f := r.f
	f.mu.Lock()
	if f.mu.unstable++; f.mu.unstable == 1 {
		f.mu.patience = time.Now().Add(syncPatience)
	}
	f.mu.Unlock()
	p.AwaitFlush(epoch, end, f, 0)
}
