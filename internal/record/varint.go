package record

// The most bytes that the varints of an int32 and an int64 have.
const (
	maxVarint  = 5
	maxVarlong = 10
)

// varint reads a zigzag int32 of at most five bytes from b[at:]. next is 0 if there is none.
func varint(b []byte, at int) (v int32, next int) {
	if at < len(b) && b[at] < 0x80 {
		u := uint32(b[at])
		return int32(u>>1) ^ -int32(u&1), at + 1
	}
	var u uint32
	for shift := 0; shift < 7*maxVarint && at < len(b); shift += 7 {
		c := b[at]
		at++
		u |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return int32(u>>1) ^ -int32(u&1), at
		}
	}
	return 0, 0
}

// varlong reads a zigzag int64 of at most ten bytes from b[at:]. next is 0 if there is none.
func varlong(b []byte, at int) (v int64, next int) {
	var u uint64
	for shift := 0; shift < 7*maxVarlong && at < len(b); shift += 7 {
		c := b[at]
		at++
		u |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return int64(u>>1) ^ -int64(u&1), at
		}
	}
	return 0, 0
}

func appendVarint(b []byte, v int32) []byte { return appendVarlong(b, int64(v)) }

func appendVarlong(b []byte, v int64) []byte {
	u := uint64(v<<1) ^ uint64(v>>63)
	for u >= 0x80 {
		b = append(b, byte(u)|0x80)
		u >>= 7
	}
	return append(b, byte(u))
}

func sizeOfVarint(v int32) int { return sizeOfVarlong(int64(v)) }

func sizeOfVarlong(v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63)
	n := 1
	for u >= 0x80 {
		u >>= 7
		n++
	}
	return n
}
