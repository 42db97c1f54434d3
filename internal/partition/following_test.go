package partition

import (
	"fmt"
	"sync"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// Two fetchers may have asked for the same records, when num.replica.fetchers changes: the answer that comes second is told that
// it is late, not that its leader has sent nonsense.
func TestTheSameAnswerTwice(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(topic("t", 1, 1, 2, self)...)
	p := w.get("t", 0)
	epoch := p.State().LeaderEpoch
	for offset := range int64(300) {
		var both sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			fetched := batch(t, fmt.Sprint(offset))
			record.Batch(fetched).SetBaseOffset(offset)
			record.Batch(fetched).SetLeaderEpoch(epoch)
			both.Go(func() {
				_, errs[i] = p.AppendFetched(Received{LeaderEpoch: epoch, Offset: offset, Records: fetched})
			})
		}
		both.Wait()
		late := errs[0]
		if late == nil {
			late = errs[1]
		}
		if (errs[0] == nil) == (errs[1] == nil) || kafka.CodeOf(late) != kafka.OffsetOutOfRange {
			t.Fatalf("the same answer at offset %d twice: %v, %v", offset, errs[0], errs[1])
		}
	}
}
