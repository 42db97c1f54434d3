package record

import (
	"runtime"
	"sync"
)

// decompressing has a place for each processor: more batches decompressed at once than that would be
// no faster and take a window each.
var decompressing = make(chan struct{}, runtime.GOMAXPROCS(0))

// inspectors holds *inspector.
var inspectors sync.Pool

// maxCopy is how many uncompressed bytes an inspector copies for recompression. Of larger batches it is better to
// see all before memory is taken for them: they are decompressed twice.
const maxCopy = 1 << 20

// inspector checks the records of a compressed batch as they come out of the decompressor.
type inspector struct {
	walker
	checker checker
	// copying is whether copied has all that was accepted.
	copying bool
	copied  []byte
}

func (i *inspector) accept(n int) error {
	if i.copying = i.copying && len(i.copied)+n <= maxCopy; i.copying {
		i.copied = append(i.copied, i.window.bytes[i.kept:i.kept+n]...)
	}
	return i.walker.accept(n)
}

func (i *inspector) restart() {
	i.walker.restart()
	i.checker.restart()
	i.copying, i.copied = i.copying || len(i.copied) > 0, i.copied[:0]
}

// validateCompressed is Validate for a compressed batch whose header is in order.
func validateCompressed(b Batch, rules *Rules, now int64) (Validated, error) {
	decompressing <- struct{}{}
	defer func() { <-decompressing }()
	i, _ := inspectors.Get().(*inspector)
	if i == nil {
		i = new(inspector)
	}
	defer inspectors.Put(i)
	defer i.end()
	codec, budget := b.Attributes().Codec(), rules.DecompressionBudget(len(b))
	i.begin(b, rules, now)
	if err := i.output.decompress(i, codec, b.payload(), budget); err != nil {
		return Validated{}, inPartition(err, rules.Partition)
	}
	if err := i.finish(); err != nil {
		return Validated{}, inPartition(err, rules.Partition)
	}
	if err := i.checker.wrong.err(); err != nil {
		return Validated{}, err
	}
	v := accepted(b, i.checker.maxTimestamp, rules, now)
	switch {
	case rules.target(b) == codec:
		return stamped(v, rules), nil
	case i.copying:
		return rebuild(v, i.copied, rules)
	}
	i.window.shrink() // for it may be the large one
	return rebuildLarge(v, i.total, budget, rules)
}

func (i *inspector) begin(b Batch, rules *Rules, now int64) {
	i.checker.begin(b, rules, now)
	i.copying, i.copied = rules.target(b) != b.Attributes().Codec(), i.copied[:0]
	i.walker.begin(b, &i.checker)
	i.walker.cursor.logAppendTime = i.checker.logAppendTime()
}

// end forgets the batch.
func (i *inspector) end() {
	i.walker.end()
	i.checker = checker{}
}
