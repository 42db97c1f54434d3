package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/vfs"
)

// A log directory of a node in a cluster fails at a write: its replicas are offline, others lead their partitions, and the
// node goes on with what is in its other directory. Without metadata.log.dir elsewhere the node stops; the rest is the same.
func TestADirectoryOfAClusterFails(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]string{"the only one": {"log.dirs=/one"}, "the second": {"log.dirs=/one,/two", "metadata.log.dir=/one"}} {
		t.Run(name, func(t *testing.T) {
			c := newNodes(t, 3, append(settings, "min.insync.replicas=2")...)
			victim := c.all[2]
			failing := "/one"
			if len(settings) > 1 {
				failing = "/two"
			}
			faulty := vfs.Faulty(victim.disk)
			victim.disk = failingDirectory{victim.disk, failing + "/", faulty}
			c.startAll()
			const partitions = 6
			client := connect(t, c.all[0].Broker, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MetadataMinAge(20*time.Millisecond))
			admin := kadm.NewClient(client)
			if _, err := admin.CreateTopic(t.Context(), partitions, 3, nil, "t"); err != nil {
				t.Fatal(err)
			}
			write := func(value string) {
				for p := range int32(partitions) {
					if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Partition: p, Value: []byte(value)}).FirstErr(); err != nil {
						t.Errorf("%s, partition %d: %v", value, p, err)
					}
				}
			}
			write("before")
			faulty.Add(vfs.Rule{Op: vfs.OpSync, Times: 1, Err: errors.New("bad sector")})
			written := make(chan struct{})
			go func() {
				defer close(written)
				write("while it fails")
			}()
			if failing == "/one" { // as the process does then
				<-victim.Failed()
				_ = victim.Stop(t.Context())
			}
			<-written
			untilRight(t, "no replica in the directory leads", func() error { return c.offline(victim, failing == "/one") })
			write("after")
			_ = victim.Stop(t.Context()) // says that a directory failed
			victim.Broker = nil
		})
	}
}

// failingDirectory has a directory whose files are on a disk of their own.
type failingDirectory struct {
	vfs.FS
	directory string
	other     vfs.FS
}

func (d failingDirectory) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	if strings.HasPrefix(name, d.directory) {
		return d.other.OpenFile(name, flag, perm)
	}
	return d.FS.OpenFile(name, flag, perm)
}

// offline wants node v to lead no partition of topic t whose replica it has lost: none at all if it is all of them, else as
// many as it says that it has.
func (c *nodes) offline(v *testNode, all bool) error {
	image := c.other(v).store.Current()
	lost := 0
	for id, p := range image.Topic("t").Partitions {
		_, err := v.partitions.Get("t", int32(id))
		if all || err != nil {
			lost++
			if p.Leader == v.id || p.Leader < 0 || p.InSync(v.id) {
				return fmt.Errorf("partition %d: leader %d, in sync %v", id, p.Leader, p.ISR)
			}
		}
	}
	if lost == 0 {
		return errors.New("no replica is offline")
	}
	return nil
}
