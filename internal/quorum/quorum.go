package quorum

import (
	"fmt"
	"iter"
	"log/slog"
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
	// Self is this node with the metadata log's directory.
	Self Voter
	// Voters are those that the configuration names (controller.quorum.voters), without directories, or a lone node. They count as long as
	// neither the log nor a snapshot has a voter set (KIP-853).
	Voters []Voter
	// Endpoints are this node's listeners for controllers; with Dynamic they are kept in the voter set.
	Endpoints []Endpoint
	// Dynamic has the leader of a quorum of one write its voter set into the log, so that others can join.
	Dynamic bool
	// Source is how a node that is no voter, or hears of no leader, gets the log (controller.quorum.bootstrap.servers). Nil: not at all,
	// as with static voters.
	Source Source
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
	// OnVoters tells who votes, at the start and when that has changed, with the level of kraft.version.
	OnVoters func(voters VoterSet, version int16)
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
	// Now dates batches; nil means time.Now.
	Now func() time.Time
}

// Quorum is this node's member of the metadata quorum.
type Quorum struct {
	options Options
	self    uint64 // this node's name inside raft
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
		next      int64       // offset of the next append, and its index; valid while lead is set
		nextIndex uint64
		committed int64            // everything below is committed and was handed to OnCommit
		waiters   []waiter         // of lead, in order of offsets
		voting    electorate       // in force
		told      map[int32]Member // what static voters have told this leader of themselves
		change    *change          // of the voters, on its way; nil without one
		met       map[uint64]Voter // nodes that have sent a message and may be no voters here
		direct    uint64           // the leader that sends this node messages, as to a voter
		order     *pb.Message      // a leader's to take over, for when all that is committed is applied
		followers map[uint64]follower
		observers map[Voter]observer // as they fetch from this node
		news      chan struct{}      // see News; nil unless somebody waits
		snapshot  snapshotResult
		loads     int           // Loads that are running: they read what a snapshot would drop
		resigned  chan struct{} // closed when lead ends; nil unless somebody waits for that
		forgotten forgetting    // see Forgotten
		asked     questions     // see noteQuestions
		unwritten unwritten
		hurry     int   // short ticks that are left, see Suspect
		goal      int64 // what was committed when this node first fetched; 0 before
		// predecessor is the last leader that was not this node; see Predecessor.
		predecessor predecessor
		err         error // why it stopped
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
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ElectionTimeout == 0 {
		o.ElectionTimeout = 2 * time.Second
	}
	if o.SnapshotBytes == 0 {
		o.SnapshotBytes = 20 << 20
	}
	static := staticVoters(o.Voters)
	if err := static.check(); err != nil {
		return nil, fmt.Errorf("quorum: %w", err)
	}
	if o.Source == nil && !static.Has(o.Self) || len(o.Voters) > 1 && o.Transport == nil {
		return nil, fmt.Errorf("quorum: voter %s must be one of the voters %s, and several need a transport", o.Self, static)
	}
	q := &Quorum{
		options: o, log: o.Logger, files: &files{fsys, folder},
		wake: make(chan struct{}, 1), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	q.mu.followers, q.mu.met = map[uint64]follower{}, map[uint64]Voter{}
	if err := q.load(j, electorate{voters: static}); err != nil {
		return nil, fmt.Errorf("quorum: %w", err)
	}
	return q, nil
}

// load reads snapshot, log and vote, and makes the raft node from them.
func (q *Quorum) load(j journal, static electorate) error {
	base, voting, err := q.files.newestSnapshot(static)
	if err != nil {
		return err
	}
	if q.vote, err = q.files.readVote(); err != nil {
		return err
	}
	if q.storage, err = newStorage(j, q.files, base, voting, q.log); err != nil {
		return err
	}
	q.self = q.storage.nameOf(q.options.Self)
	voting = q.storage.knownElectorate(q.vote.CommittedVoters)
	q.mu.voting = voting
	if q.options.Source == nil && !voting.voters.Has(q.options.Self) || len(voting.voters) > 1 && q.options.Transport == nil {
		return fmt.Errorf("the metadata log has the voters %s, and this node is %s: set controller.listener.names, listeners and controller.quorum.bootstrap.servers as for a node of several", voting.voters, q.options.Self)
	}
	q.vote = q.vote.in(voting.voters)
	hard := &pb.HardState{Term: new(uint64(q.vote.LeaderEpoch)), Vote: new(uint64(0)), Commit: new(max(base.index, voting.index))}
	if v, ok, err := q.vote.voter(); err != nil {
		return fmt.Errorf("%s: %w", stateFile, err)
	} else if ok {
		hard.Vote = new(q.storage.nameOf(v))
	}
	q.storage.hard, q.storage.conf = hard, confState(voting.voters, q.self)
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
