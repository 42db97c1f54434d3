package partition

import (
	"slices"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
)

// Position is where a follower goes on, and what its leader has to know of it.
type Position struct {
	// LeaderEpoch is that under which this broker follows.
	LeaderEpoch int32
	// Offset is the next to fetch, LastEpoch the leader epoch of what is before it, -1 if there is none (KIP-595).
	Offset    int64
	LastEpoch int32
	// Durable is up to where the log is on stable storage (write.caching: in the page cache), Start where it begins.
	Durable int64
	Start   int64
	// Directory is where the replica lives.
	Directory kafka.UUID
	// InSync says that the replica counts: nothing must hold it up.
	InSync bool
}

// Position returns where this follower goes on. Who takes answers in from there does so one after the other. Error:
// NOT_LEADER_OR_FOLLOWER if this broker does not follow, and that of Gone.
func (p *Partition) Position() (Position, error) {
	p.leadership.RLock()
	defer p.leadership.RUnlock()
	state, err := p.following(AnyEpoch)
	if err != nil {
		return Position{}, err
	}
	log := p.Log()
	durable := log.StableOffset()
	return Position{
		LeaderEpoch: state.LeaderEpoch, Offset: log.EndOffset(), LastEpoch: log.LatestEpoch(), Durable: durable, Start: log.StartOffset(),
		Directory: p.Dir().ID(), InSync: state.InSync(p.node),
	}, nil
}

// following returns the controller's word if this broker follows under a leader epoch, or any. The caller holds p.leadership.
func (p *Partition) following(epoch int32) (*metadata.Partition, error) {
	if err := p.Gone(); err != nil {
		return nil, err
	}
	state := p.state.Load()
	if state.Leader == p.node || epoch != AnyEpoch && epoch != state.LeaderEpoch {
		return nil, kafka.Errorf(kafka.NotLeaderOrFollower, "broker %d does not follow %s under leader epoch %d: broker %d leads it under %d", p.node, p.name, epoch, state.Leader, state.LeaderEpoch)
	}
	return state, nil
}

// Received is what a leader answered to a fetch from Offset.
type Received struct {
	LeaderEpoch   int32
	Offset        int64
	Records       []byte // whole batches, as the leader has them
	HighWatermark int64
	Start         int64 // where the leader's log begins
}

// AppendFetched appends what the leader sent, as it is, moves this broker's high watermark and log start after the leader's, and
// has what was appended made stable (AwaitFlush tells). It returns the end of the log. What was asked for under another leader
// epoch, or at another offset than the log now ends at, is refused with NOT_LEADER_OR_FOLLOWER or OFFSET_OUT_OF_RANGE.
// Other errors: CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR.
func (p *Partition) AppendFetched(r Received) (end int64, err error) {
	p.taking.Lock()
	defer p.taking.Unlock()
	p.leadership.RLock()
	defer p.leadership.RUnlock()
	if _, err := p.following(r.LeaderEpoch); err != nil {
		return 0, err
	}
	log := p.Log()
	if end = log.EndOffset(); end != r.Offset {
		return end, kafka.Errorf(kafka.OffsetOutOfRange, "%s ends at offset %d, not at %d, from which its leader was asked", p.name, end, r.Offset)
	}
	if len(r.Records) > 0 {
		if end, err = p.appendAsFollower(log, r); err != nil {
			return end, err
		}
		log.Commit(end)
		p.replicated(len(r.Records))
	}
	p.followLeader(log, min(r.HighWatermark, end))
	if start := min(r.Start, log.HighWatermark()); start > log.StartOffset() {
		err = log.AdvanceStart(start)
	}
	return end, err
}

// appendAsFollower: a leader sends no batch of a later epoch than its own; a replica that has nothing may get a batch whose
// first records are below the start of the leader's log.
func (p *Partition) appendAsFollower(log *commitlog.Log, r Received) (int64, error) {
	end := log.EndOffset()
	for b, err := range record.Batches(r.Records) {
		if err != nil {
			return end, kafka.Errorf(kafka.CorruptMessage, "the leader of %s sent what is no batch: %v", p.name, err)
		}
		if b.BaseOffset() < 0 || b.LastOffset() < b.BaseOffset() {
			return end, kafka.Errorf(kafka.CorruptMessage, "the leader of %s sent a batch of offsets %d to %d", p.name, b.BaseOffset(), b.LastOffset())
		}
		if b.LeaderEpoch() > r.LeaderEpoch {
			return end, kafka.Errorf(kafka.CorruptMessage, "the leader of %s sent a batch at offset %d of leader epoch %d, which is later than its own, %d", p.name, b.BaseOffset(), b.LeaderEpoch(), r.LeaderEpoch)
		}
	}
	if first := record.Batch(r.Records); len(r.Records) >= record.HeaderSize && first.BaseOffset() < end && first.LastOffset() >= end && log.StartOffset() == end {
		if err := log.TruncateFully(first.BaseOffset()); err != nil {
			return end, err
		}
	}
	next, err := log.AppendReplica(r.Records)
	if kafka.CodeOf(err) == kafka.OffsetOutOfRange { // this replica has not moved: what was sent does not follow what was asked for
		err = kafka.Errorf(kafka.CorruptMessage, "the leader of %s was asked for offset %d on and sent batches that do not follow: %v", p.name, r.Offset, err)
	}
	return next, err
}

// followLeader raises the high watermark, and tells consumers that wait here. Who waits for this broker's own disk is told by the
// flusher alone, without locks. The caller holds p.leadership.
func (p *Partition) followLeader(log *commitlog.Log, high int64) {
	if high <= log.HighWatermark() {
		return
	}
	p.mu.Lock()
	log.SetHighWatermark(high)
	n := p.collect(high, noFlushes)
	p.mu.Unlock()
	p.tell(n, nil)
}

// noFlushes is the stable offset of a log of which nobody is to be told.
const noFlushes int64 = -1

// TruncateFollower cuts what the leader does not have: its history of the epoch found ends where d says (KIP-595). The next
// fetch may find that more has to go. It returns the end of the log.
func (p *Partition) TruncateFollower(leaderEpoch int32, offset int64, d Divergence) (end int64, err error) {
	if end, err = p.truncate(leaderEpoch, offset, d); err == nil {
		p.cutFlushes(end)
	}
	return end, err
}

func (p *Partition) truncate(leaderEpoch int32, offset int64, d Divergence) (end int64, err error) {
	p.taking.Lock()
	defer p.taking.Unlock()
	p.leadership.RLock()
	defer p.leadership.RUnlock()
	if _, err := p.following(leaderEpoch); err != nil {
		return 0, err
	}
	log := p.Log()
	if end = log.EndOffset(); end != offset {
		return end, kafka.Errorf(kafka.OffsetOutOfRange, "%s ends at offset %d, not at %d, with which its leader compared", p.name, end, offset)
	}
	keep := d.EndOffset
	if _, own := log.EpochEnd(d.Epoch); own >= 0 {
		keep = min(keep, own)
	}
	keep = max(0, min(keep, end))
	if high := log.HighWatermark(); keep < high {
		p.set.options.Logger.Warn("records below the high watermark are truncated: the leader does not have them, as after an unclean election", "partition", p.name.String(), "to", keep, "highWatermark", high, "leaderEpoch", leaderEpoch)
	}
	if keep < end {
		p.set.options.Logger.Info("records that the leader does not have are truncated", "partition", p.name.String(), "from", end, "to", keep, "leaderEpoch", leaderEpoch, "divergingEpoch", d.Epoch)
	}
	err = log.TruncateTo(keep)
	return log.EndOffset(), err
}

// RestartFollower empties the log and begins it again where the leader's begins, which has left behind all there was.
func (p *Partition) RestartFollower(leaderEpoch int32, start int64) error {
	err := p.restart(leaderEpoch, start)
	if err == nil {
		p.cutFlushes(0)
	}
	return err
}

func (p *Partition) restart(leaderEpoch int32, start int64) error {
	p.taking.Lock()
	defer p.taking.Unlock()
	p.leadership.RLock()
	defer p.leadership.RUnlock()
	if _, err := p.following(leaderEpoch); err != nil {
		return err
	}
	log := p.Log()
	if start <= log.EndOffset() {
		return kafka.Errorf(kafka.OffsetOutOfRange, "the leader of %s begins at offset %d, which is not behind the end of the log here, %d", p.name, start, log.EndOffset())
	}
	p.set.options.Logger.Warn("the log begins anew: the leader has deleted what would come next", "partition", p.name.String(), "end", log.EndOffset(), "leaderStart", start)
	return log.TruncateFully(start)
}

// cutFlushes tells those who wait for the flush of something beyond end that it is not in the log any more. The caller holds no locks.
func (p *Partition) cutFlushes(end int64) {
	p.mu.Lock()
	n := firstBeyond(p.mu.flushes, end)
	cut := slices.Clone(p.mu.flushes[n:])
	p.mu.flushes = slices.Delete(p.mu.flushes, n, len(p.mu.flushes))
	p.mu.Unlock()
	err := kafka.Errorf(kafka.NotLeaderOrFollower, "what was appended to %s from offset %d on has been truncated", p.name, end)
	for _, c := range cut {
		c.to.Committed(c.tag, err)
	}
}
