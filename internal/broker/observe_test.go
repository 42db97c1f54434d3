package broker

import (
	"fmt"
	"testing"

	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/vfs"
)

// addBroker describes another node, which is a broker and no controller.
func (c *nodes) addBroker(id int32, like *testNode) *testNode {
	n := &testNode{id: id, disk: vfs.NewMemory(), sets: like.sets}
	c.all = append(c.all, n)
	return n
}

// A broker that is no controller serves clients from its own copy of the metadata log, follows the active controller wherever
// that goes, and finds what it missed when it comes back: from a snapshot, where the log before it is gone.
func TestABrokerThatIsNoControllerObserves(t *testing.T) {
	t.Parallel()
	c := newNodes(t, 3, "metadata.log.max.record.bytes.between.snapshots=2000")
	observer := c.addBroker(4, c.all[0])
	c.startAll()
	if observer.quorum.Load() != nil {
		t.Fatal("the broker takes part in the quorum")
	}
	knows := func(topic string) {
		t.Helper()
		untilRight(t, "the broker knows "+topic, func() error {
			if observer.store.Current().Topic(topic) == nil {
				return fmt.Errorf("its image of offset %d does not have it", observer.store.Current().Offset())
			}
			return nil
		})
	}
	if err := createThrough(t, observer, "a"); err != nil {
		t.Fatal(err)
	}
	knows("a")
	untilRight(t, "the controller describes the broker as an observer", func() error {
		if o := c.active().quorum.Load().Status().Observers; len(o) != 1 || o[0].NodeID != 4 || o[0].DirectoryID.IsZero() || o[0].LogEndOffset <= 0 || o[0].LastCaughtUp.IsZero() {
			return fmt.Errorf("observers: %+v", o)
		}
		return nil
	})

	old := c.active()
	c.stop(old)
	untilRight(t, "a topic created under another controller", func() error { return createThrough(t, observer, "b") })
	knows("b")
	if err := c.start(old); err != nil {
		t.Fatal(err)
	}

	had := observer.store.Current().Offset()
	c.stop(observer)
	active := c.active()
	for i := range 10 {
		if err := createThrough(t, active, fmt.Sprint("missed-", i)); err != nil {
			t.Fatal(err)
		}
	}
	untilRight(t, "a snapshot beyond what the broker has", func() error {
		for _, n := range c.all[:3] {
			if tail, err := n.quorum.Load().ReadTail(quorum.Voter{NodeID: -1}, had, 0, 1); err == nil && tail.Snapshot != nil {
				return nil
			}
		}
		return fmt.Errorf("the log at offset %d is still there", had)
	})
	if err := c.start(observer); err != nil {
		t.Fatal(err)
	}
	knows("missed-9")
	if err := createThrough(t, observer, "c"); err != nil {
		t.Fatal(err)
	}
}
