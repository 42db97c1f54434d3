package quorum

import (
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

const (
	// electionTicks is how many ticks a follower waits for its leader; a heartbeat goes out every tick.
	electionTicks = 10
	// maxBatchBytes bounds one batch (Kafka: KafkaRaftClient.MAX_BATCH_SIZE_BYTES).
	maxBatchBytes = 8 << 20
	// maxUncommittedBytes bounds what a leader appends without hearing from a majority.
	maxUncommittedBytes = 32 << 20
	// maxMessageBytes bounds the entries of one message to a follower, and inflightBytes those on their way.
	maxMessageBytes = 1 << 20
	inflightBytes   = 16 << 20
	inflight        = 256
	// maxApplyBytes bounds what is committed in one turn of the loop.
	maxApplyBytes = 4 << 20
)

// Transport takes messages to the other voters.
type Transport interface {
	// Send hands over messages, whose To is the receiver's RaftID. It does not block; a message may get
	// lost. The messages and their bytes are shared and must not be changed.
	Send(messages []*pb.Message)
}

// Options are what a quorum needs.
type Options struct {
	Self   Voter
	Voters []Voter // with Self
	// ElectionTimeout is how long a voter waits for its leader, or a leader for a majority, before there is
	// an election (controller.quorum.fetch.timeout.ms). 0 means 2 seconds. A single voter never waits.
	ElectionTimeout time.Duration
	// Transport may be nil for a single voter.
	Transport Transport

	// The following are called one at a time from the quorum's goroutine, without locks. They must not
	// block and must not call Close. Each may be nil.

	// OnCommit takes every committed batch in order, control batches too. The batch is valid during the call.
	OnCommit func(b record.Batch)
	// OnSnapshot begins anew: everything that OnCommit brought is replaced by the batches of a snapshot,
	// which stands for the log below offset. It is called at the start if there is a snapshot, and on a
	// follower that fell too far behind.
	OnSnapshot func(offset int64, epoch int32, batches iter.Seq[record.Batch])
	// OnCaughtUp tells, once, that everything has been handed over that was committed when this node joined.
	OnCaughtUp func()
	// OnLead tells that this node leads in epoch; everything before has been committed and handed to
	// OnCommit. OnResign tells that it no longer does: always between two OnLead, and once the quorum stops.
	OnLead   func(epoch int32, log *Leadership)
	OnResign func(epoch int32)
	// OnLeader tells whenever the leader, as this node knows it, changes; -1 is nobody.
	OnLeader func(nodeID, epoch int32)
	// OnFailure tells that the quorum has stopped because its disk failed.
	OnFailure func(err error)

	// Snapshot returns the values of the records that describe the metadata as of offset, the offset after
	// the last batch that OnCommit brought. It is asked when SnapshotBytes of log have been committed
	// since the last snapshot; ok false means not now. The values are read on another goroutine. Nil:
	// there are no snapshots.
	Snapshot func(offset int64) (values iter.Seq[[]byte], ok bool)
	// SnapshotBytes is metadata.log.max.record.bytes.between.snapshots. 0 means 20 MiB.
	SnapshotBytes int64

	Logger *slog.Logger // nil means slog.Default()
}

// Quorum is this node's member of the metadata quorum.
type Quorum struct {
	options Options
	voters  map[uint64]Voter
	self    uint64
	files   *files
	storage *storage
	log     *slog.Logger

	wake    chan struct{} // something to do; holds one
	closing chan struct{}
	closed  chan struct{} // the loop has ended

	mu struct {
		sync.Mutex
		node      *raft.RawNode
		lead      *Leadership // nil unless this node leads and has said so
		next      int64       // offset of the next append; valid while lead is set
		committed int64       // everything below is committed and was handed to OnCommit
		waiters   []waiter    // of lead, in order of offsets
		followers map[uint64]follower
		observers map[Voter]observer // as they fetch from this node
		news      chan struct{}      // see News; nil unless somebody waits
		snapshot  snapshotResult
		loads     int           // Loads that are running: they read what a snapshot would drop
		resigned  chan struct{} // closed when lead ends; nil unless somebody waits for that
		hurry     int           // short ticks that are left, see Suspect
		err       error         // why it stopped
	}

	// Owned by the loop.
	vote          vote
	leader        uint64 // as last told to OnLeader
	leaderTerm    uint64
	last          position // last applied
	lastTimestamp int64    // of the last applied batch
	sinceSnapshot int64    // bytes applied since the last snapshot was begun
	snapshotting  bool
	catchUp       catchUp
	once          sync.Once
}

// snapshotResult is what the goroutine that writes a snapshot leaves for the loop.
type snapshotResult struct {
	done bool
	at   position
	err  error
}

// open reads what is on disk. Nothing runs yet.
func open(j journal, fsys vfs.FS, folder string, o Options) (*Quorum, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.ElectionTimeout == 0 {
		o.ElectionTimeout = 2 * time.Second
	}
	if o.SnapshotBytes == 0 {
		o.SnapshotBytes = 20 << 20
	}
	if !slices.Contains(o.Voters, o.Self) || (len(o.Voters) > 1 && o.Transport == nil) {
		return nil, fmt.Errorf("quorum: voter %+v must be one of the voters %+v, and several need a transport", o.Self, o.Voters)
	}
	q := &Quorum{
		options: o, self: o.Self.RaftID(), log: o.Logger, files: &files{fsys, folder}, voters: map[uint64]Voter{},
		wake: make(chan struct{}, 1), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	q.mu.followers = map[uint64]follower{}
	conf := pb.EnsureConfState(nil)
	for _, v := range o.Voters {
		if other, twice := q.voters[v.RaftID()]; twice {
			return nil, fmt.Errorf("quorum: voters %+v and %+v have the same raft id", v, other)
		}
		q.voters[v.RaftID()] = v
		conf.Voters = append(conf.Voters, v.RaftID())
	}
	slices.Sort(conf.Voters)
	if err := q.load(j, conf); err != nil {
		return nil, fmt.Errorf("quorum: %w", err)
	}
	return q, nil
}

// load reads snapshot, log and vote, and makes the raft node from them.
func (q *Quorum) load(j journal, conf *pb.ConfState) error {
	base, err := q.files.newestSnapshot()
	if err != nil {
		return err
	}
	if q.vote, err = q.files.readVote(); err != nil {
		return err
	}
	q.vote = q.vote.in(q.options.Voters)
	hard := &pb.HardState{Term: new(uint64(q.vote.LeaderEpoch)), Vote: new(uint64(0)), Commit: new(base.index)}
	if v, ok, err := q.vote.voter(); err != nil {
		return fmt.Errorf("%s: %w", stateFile, err)
	} else if ok {
		hard.Vote = new(v.RaftID())
	}
	if q.storage, err = newStorage(j, q.files, base, hard, conf, q.log); err != nil {
		return err
	}
	// A log that is ahead of a lost quorum-state: take part in no earlier term than the log's.
	if last := q.storage.endPosition(); last.term > hard.GetTerm() {
		hard.Term, hard.Vote = &last.term, new(uint64(0))
	}
	if err := q.files.removeSnapshots(base); err != nil { // left over if the power failed
		return err
	}
	q.last, q.mu.committed = base, base.offset
	q.mu.node, err = raft.NewRawNode(&raft.Config{
		ID:                        q.self,
		ElectionTick:              electionTicks,
		HeartbeatTick:             1,
		Storage:                   q.storage,
		Applied:                   base.index,
		MaxSizePerMsg:             maxMessageBytes,
		MaxCommittedSizePerReady:  maxApplyBytes,
		MaxUncommittedEntriesSize: maxUncommittedBytes,
		MaxInflightMsgs:           inflight,
		MaxInflightBytes:          inflightBytes,
		CheckQuorum:               true,
		PreVote:                   true,
		DisableProposalForwarding: true,
		StepDownOnRemoval:         true,
		Logger:                    raftLogger{q.log},
	})
	return err
}
