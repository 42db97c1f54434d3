package record

// sink takes what a codec decompresses, piece by piece, in order.
type sink interface {
	// space returns n bytes to decompress into, which are valid until the next call.
	space(n int) []byte
	// accept takes the first n bytes of the last space. An error ends the decompression.
	accept(n int) error
	// restart forgets what was accepted: the codec begins again.
	restart()
}

// output is a sink with the budget of one stream.
type output struct {
	to       sink
	maxBytes int
	left     int
}

// maxPiece is how much the codecs that have a choice decompress at a time.
const maxPiece = 32 << 10

// piece returns memory for a piece of at most n bytes: one more than the budget has left tells that it is exceeded.
func (o *output) piece(n int) []byte { return o.to.space(min(n, o.left+1)) }

// accept passes n bytes on, or returns errBudget.
func (o *output) accept(n int) error {
	if n > o.left {
		return errBudget
	}
	o.left -= n
	return o.to.accept(n)
}

func (o *output) restart() {
	o.left = o.maxBytes
	o.to.restart()
}

// buffer is the sink that keeps everything: behind what was there when it began.
type buffer struct {
	bytes []byte
	start int
	limit int // the budget, which it grows to and little more
}

func newBuffer(dst []byte, maxBytes int) buffer { return buffer{dst, len(dst), maxBytes} }

func (b *buffer) space(n int) []byte {
	at := len(b.bytes)
	if cap(b.bytes)-at < n {
		size := max(at+n, min(2*cap(b.bytes), b.start+b.limit+1))
		next := make([]byte, at, size)
		copy(next, b.bytes)
		b.bytes = next
	}
	return b.bytes[at : at+n]
}

func (b *buffer) accept(n int) error {
	b.bytes = b.bytes[:len(b.bytes)+n]
	return nil
}

func (b *buffer) restart() { b.bytes = b.bytes[:b.start] }
