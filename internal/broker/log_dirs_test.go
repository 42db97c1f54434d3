package broker

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/vfs"
)

func TestMoveSmoke(t *testing.T) {
	b := start(t, vfs.NewMemory(), "log.dirs=/one,/two,/three")
	defer stop(t, b)
	createTopic(t, b, "t", 1)
	p, err := b.partitions.Get("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(p.Dir().Path(), b.moveThreads())
	for range 3 {
		if err := connect(t, b).ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("kept")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	admin := kadm.NewClient(connect(t, b))
	rq := kadm.AlterReplicaLogDirsReq{}
	rq.Add("/three", kadm.TopicsSet{"t": map[int32]struct{}{0: {}}})
	if _, err := admin.AlterAllReplicaLogDirs(t.Context(), rq); err != nil {
		t.Fatal(err)
	}
	eventually(t, "moved", func() bool { return p.Dir().Path() == "/three" })
}
