package sim

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/sim/history"
	"github.com/ottla/ottla/test/sim/network"
	"github.com/ottla/ottla/test/torture/ledger"
)

// clientHost is where all clients run.
const clientHost = "clients"

// Topics of the workload.
const (
	plain    = "plain"    // idempotent producers, a group that commits
	payments = "payments" // transactions, of which some are aborted, and producers without
	records  = 3          // partitions of each
)

// clients are those of a run, and what they were told.
type clients struct {
	cluster *Cluster
	story   *story
	host    *network.Host
	seed    uint64

	book    *ledger.Ledger
	carried *ledger.Carried // offsets in transactions
	reads   *history.Reads  // without regard to transactions
	decided *history.Reads  // of committed transactions
	leaders *history.Leaders
	changes *history.Changes
	commits *history.Commits
	votes   *history.Votes

	ctx     context.Context // of new work
	stop    context.CancelFunc
	working sync.WaitGroup
	mu      struct {
		sync.Mutex
		connected []*kgo.Client
	}
}

func newClients(c *Cluster) *clients {
	w := &clients{
		cluster: c, story: c.story, host: c.net.Host(clientHost, "10.0.1.1"), seed: c.options.Seed, book: ledger.New(), carried: ledger.NewCarried(),
		reads: history.NewReads(), decided: history.NewReads(), leaders: history.NewLeaders(), changes: history.NewChanges(), commits: history.NewCommits(), votes: history.NewVotes(),
	}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

// random is the generator of one client.
func (w *clients) random(client uint64) *rand.Rand { return rand.New(rand.NewPCG(w.seed, 1000+client)) }

// dialLimit is when a client gives up to connect.
const dialLimit = 2 * time.Second

func (w *clients) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	return w.host.Dial(ctx, kind, address)
}

// connect makes a client that comes back soon after the brokers do.
func (w *clients) connect(opts ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(w.cluster.addresses()...), kgo.Dialer(w.dial), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }), kgo.RequestRetries(100), kgo.RetryTimeout(time.Minute),
		kgo.MetadataMinAge(100 * time.Millisecond), kgo.RequestTimeoutOverhead(4 * time.Second), kgo.DisableClientMetrics(),
	}, opts...)...)
	if err != nil {
		panic(err) // a mistake in the options
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.connected = append(w.mu.connected, client)
	return client
}

// abandon ends clients that have not finished, so that no goroutine of theirs is left in the bubble.
func (w *clients) abandon() {
	w.mu.Lock()
	all := w.mu.connected
	w.mu.Unlock()
	for _, client := range all {
		client.Close()
	}
	w.working.Wait()
}

// prepare creates the topics, as soon as the cluster does it.
func (w *clients) prepare(ctx context.Context) error {
	client := w.connect()
	defer client.Close()
	admin := kadm.NewClient(client)
	minInSync := w.cluster.options.minInSync()
	config := map[string]*string{"min.insync.replicas": &minInSync}
	for _, topic := range []string{plain, payments} {
		for {
			_, err := admin.CreateTopic(ctx, records, w.cluster.options.replication(), config, topic)
			if err == nil || exists(err) {
				break
			}
			if ctx.Err() != nil {
				return err
			}
			wait(ctx, 200*time.Millisecond)
		}
	}
	if len(w.cluster.nodes) < 3 {
		return nil
	}
	err := w.age(ctx, admin)
	for err != nil && ctx.Err() == nil {
		wait(ctx, 200*time.Millisecond)
		err = w.age(ctx, admin)
	}
	return err
}

// start starts all clients.
func (w *clients) start() {
	for id := range transactors {
		w.working.Go(func() { w.transact(firstTransactor + id) })
	}
	for id := range 2 {
		w.working.Go(func() { w.write(plain, id) })
		w.working.Go(func() { w.audit(200 + id) })
	}
	w.working.Go(func() { w.write(payments, 2) })
	w.working.Go(func() { w.watch(kgo.ReadUncommitted(), w.reads, plain, payments) })
	w.working.Go(func() { w.watch(kgo.ReadCommitted(), w.decided, payments) })
	w.working.Go(w.administer)
	w.working.Go(w.askOffsets)
	if len(w.cluster.nodes) >= 3 {
		w.working.Go(w.move)
	}
	for _, n := range w.cluster.nodes {
		w.working.Go(func() { w.observe(n) })
		if len(w.cluster.nodes) > 1 {
			w.working.Go(func() { w.repeat(n) })
		}
	}
}
