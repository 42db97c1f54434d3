package broker

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/vfs"
)

// While a start reads through the metadata log, nothing that is no longer true has an effect: a topic that was deleted
// and created again keeps the records of its second life, and groups keep their offsets in it.
func TestStartDoesNotActOnThePast(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	b := start(t, disk)
	admin := kadm.NewClient(connect(t, b))
	for i := range 40 {
		createTopic(t, b, "t", 1)
		createTopic(t, b, fmt.Sprint("other-", i), 3)
		if i < 39 {
			if _, err := admin.DeleteTopic(t.Context(), "t"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := connect(t, b).ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("kept")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	offsets := kadm.Offsets{}
	offsets.AddOffset("t", 0, 1, -1)
	if err := admin.CommitAllOffsets(t.Context(), "g", offsets); err != nil {
		t.Fatal(err)
	}
	stop(t, b)
	for range 5 {
		b = start(t, disk.Crash(vfs.KeepUnsynced()))
		ends, err := kadm.NewClient(connect(t, b)).ListEndOffsets(t.Context(), "t")
		if end, _ := ends.Lookup("t", 0); err != nil || end.Offset != 1 {
			t.Fatalf("the topic ends at %d after a restart, %v", end.Offset, err)
		}
		eventually(t, "the group has its offset", func() bool {
			got, err := kadm.NewClient(connect(t, b)).FetchOffsets(t.Context(), "g")
			at, _ := got.Lookup("t", 0)
			return err == nil && at.At == 1
		})
		stop(t, b)
	}
}
