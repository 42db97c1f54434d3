package quorum

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// Source is how an observer reaches the leader. Both methods wait, at most until ctx is done.
type Source interface {
	// Fetch asks for what comes after offset, below which the observer's last batch is of lastEpoch. When there is nothing
	// yet the leader waits a while before it answers. The answer's bytes are the observer's.
	Fetch(ctx context.Context, offset int64, lastEpoch int32) (Tail, error)
	// FetchSnapshot asks for a snapshot's bytes from a position on, and how many it has in all.
	FetchSnapshot(ctx context.Context, id SnapshotID, at int64) (part []byte, size int64, err error)
}

// Observer keeps a copy of the committed metadata log without a vote: a broker that is no controller (KIP-595). It fetches
// from the leader, writes what it gets to its own disk, and hands it to the same callbacks as a Quorum does.
type Observer struct {
	q      *Quorum // its log and snapshots; there is no raft node in it
	source Source
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}

	// Owned by the loop.
	told bool  // what was on the disk at the start was handed over
	goal int64 // what was committed when it joined; -1 before that is known, and once it is reached
	join bool  // OnCaughtUp was called
}

// observerBackoff is how long an observer waits after a fetch that failed: it may have asked somebody who does not lead.
const observerBackoff = 20 * time.Millisecond

// Observe opens the copy of the metadata log in a log directory and begins to fetch. Of o it needs no voters and no transport,
// and calls no OnLead and OnResign; it ends with Close. What is on the disk is handed over once a leader has said that it is
// part of the log: a node that was a controller before may have more than was committed.
func Observe(dir *commitlog.Dir, fsys vfs.FS, config commitlog.Config, source Source, o Options) (*Observer, error) {
	j, err := openLog(dir, config)
	if err != nil {
		return nil, fmt.Errorf("quorum: %w", err)
	}
	v, err := newObserver(j, fsys, filepath.Join(dir.Path(), Partition.String()), source, o)
	if err != nil {
		return nil, fmt.Errorf("quorum: %w", err)
	}
	v.q.tellVoters(v.q.mu.voting)
	go v.run()
	return v, nil
}

func newObserver(j journal, fsys vfs.FS, folder string, source Source, o Options) (*Observer, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SnapshotBytes == 0 {
		o.SnapshotBytes = 20 << 20
	}
	q := &Quorum{options: o, log: o.Logger, files: &files{fsys, folder}, wake: make(chan struct{}, 1)}
	base, voting, err := q.files.newestSnapshot(electorate{voters: staticVoters(o.Voters)})
	if err != nil {
		return nil, err
	}
	if q.storage, err = newStorage(j, q.files, base, voting, q.log); err != nil {
		return nil, err
	}
	q.mu.voting = q.storage.knownElectorate(0)
	if err := q.files.removeSnapshots(base); err != nil {
		return nil, err
	}
	q.last, q.mu.committed = base, base.offset
	v := &Observer{q: q, source: source, ended: make(chan struct{}), goal: -1}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	return v, nil
}

// Close stops the observer and waits until it has. The log stays open.
func (v *Observer) Close() error {
	v.cancel()
	<-v.ended
	return nil
}

func (v *Observer) run() {
	defer close(v.ended)
	for v.ctx.Err() == nil {
		heard, err := v.turn()
		if err != nil {
			v.q.fail(err)
			return
		}
		if heard {
			continue
		}
		select {
		case <-v.ctx.Done():
		case <-time.After(observerBackoff):
		}
	}
}

// turn fetches once. heard is false when nobody answered, or nobody who leads; an error is the end.
func (v *Observer) turn() (heard bool, err error) {
	end := v.q.storage.endPosition()
	t, err := v.source.Fetch(v.ctx, end.offset, int32(end.term))
	if err != nil {
		return false, nil
	}
	if v.q.options.OnLeader != nil {
		v.q.options.OnLeader(t.LeaderID, t.Epoch)
	}
	switch {
	case t.Snapshot != nil:
		return v.startOver(*t.Snapshot)
	case t.Diverging != nil:
		return true, v.takeBack(*t.Diverging, end)
	}
	if v.goal < 0 && !v.join {
		v.goal = t.HighWatermark
	}
	if err := v.tellOwn(); err != nil {
		return false, err
	}
	whole, err := v.take(t.Batches)
	if err != nil {
		return false, err
	}
	v.caughtUp()
	if err := v.q.finishSnapshot(); err != nil {
		return false, err
	}
	v.q.maybeSnapshot()
	return whole, nil
}

// tellOwn hands over what was on the disk at the start, now that it is known to be part of the log.
func (v *Observer) tellOwn() error {
	if v.told {
		return nil
	}
	v.told = true
	base, _ := v.q.storage.bounds()
	if base.index > 0 {
		if err := v.q.tellSnapshot(base); err != nil {
			return err
		}
	}
	return v.apply(base.index + 1)
}

// apply hands over the entries from index on.
func (v *Observer) apply(index uint64) error {
	last, _ := v.q.storage.LastIndex()
	for ; index <= last; index++ {
		p, _ := v.q.storage.position(index)
		if err := v.q.apply([]*pb.Entry{{Index: &index, Term: &p.term}}); err != nil {
			return err
		}
	}
	return nil
}

// take stores what was fetched and hands it over. What is no part of a log is the leader's fault: it is asked for again, after a
// pause, and whole is false.
func (v *Observer) take(fetched []byte) (whole bool, err error) {
	end := v.q.storage.endPosition()
	var all []record.Batch
	whole = true
	next, term := end.offset, int32(end.term)
	for b, err := range record.Batches(fetched) {
		if err == nil {
			err = checkFetched(b, next, term)
		}
		if err != nil {
			v.q.log.Warn("the active controller sent what is no part of the metadata log", "error", err)
			whole = false
			break
		}
		all, next, term = append(all, b), b.LastOffset()+1, b.LeaderEpoch()
	}
	if len(all) == 0 {
		return whole, nil
	}
	if err := v.q.storage.append(end.index+1, all); err != nil {
		return false, fmt.Errorf("writing the metadata log: %w", err)
	}
	return whole, v.apply(end.index + 1)
}

// checkFetched makes sure that a batch can be applied where the log ends at offset next in an epoch.
func checkFetched(b record.Batch, next int64, epoch int32) error {
	if err := b.CheckCRC(); err != nil {
		return err
	}
	if b.BaseOffset() != next || b.LastOffsetDelta() < 0 || b.LastOffset() < next || b.LastOffset() == math.MaxInt64 || b.LeaderEpoch() < epoch {
		return fmt.Errorf("offsets %d to %d of epoch %d where offset %d of epoch %d or later should follow", b.BaseOffset(), b.LastOffset(), b.LeaderEpoch(), next, epoch)
	}
	_, _, err := electorate{}.after(b)
	return err
}

// caughtUp tells OnCaughtUp once everything is handed over that was committed when this node joined.
func (v *Observer) caughtUp() {
	if v.join || v.goal < 0 || v.q.last.offset < v.goal {
		return
	}
	v.join = true
	if v.q.options.OnCaughtUp != nil {
		v.q.options.OnCaughtUp()
	}
}

// takeBack removes what the log does not have, which is possible as long as nobody was told of it.
func (v *Observer) takeBack(diverging SnapshotID, end position) error {
	if v.told {
		return fmt.Errorf("the active controller's metadata log has epoch %d up to offset %d; this node's has committed records of epoch %d up to offset %d: the controllers have lost metadata", diverging.Epoch, diverging.EndOffset, end.term, end.offset)
	}
	keep := v.q.storage.lastOf(diverging.Epoch, diverging.EndOffset)
	if keep.offset >= end.offset {
		return fmt.Errorf("the active controller's metadata log has no end that this node's has")
	}
	v.q.log.Info("the metadata log here has more than was committed", "offset", end.offset, "kept", keep.offset)
	return v.q.storage.append(keep.index+1, nil)
}

// startOver fetches the leader's snapshot and begins anew with it.
func (v *Observer) startOver(id SnapshotID) (heard bool, err error) {
	data, err := fetchSnapshot(v.ctx, v.source, id)
	if err != nil {
		return false, nil // there may be a newer one, or another leader
	}
	p, err := sentSnapshot(data)
	if err == nil && (p.offset != id.EndOffset || int32(p.term) != id.Epoch) {
		err = fmt.Errorf("it ends at offset %d, epoch %d", p.offset, p.term)
	}
	if err == nil {
		_, err = snapshotElectorate(data, p, electorate{})
	}
	if err != nil {
		v.q.log.Warn("the active controller sent what is not its metadata snapshot", "offset", id.EndOffset, "epoch", id.Epoch, "error", err)
		return false, nil
	}
	v.told = true
	return true, v.q.install(&pb.Snapshot{Data: data, Metadata: &pb.SnapshotMetadata{Index: &p.index, Term: &p.term}})
}

// fetchSnapshot fetches all of a snapshot.
func fetchSnapshot(ctx context.Context, source Source, id SnapshotID) (data []byte, err error) {
	for size := int64(1); int64(len(data)) < size; {
		part, all, err := source.FetchSnapshot(ctx, id, int64(len(data)))
		if err == nil && (len(part) == 0 || all > maxSnapshotBytes) {
			err = fmt.Errorf("a part of %d bytes of a snapshot of %d", len(part), all)
		}
		if err != nil {
			return nil, err
		}
		size, data = all, append(data, part...)
	}
	return data, nil
}
