package recordjson

import (
	"strings"
	"unicode/utf8"
)

// Text decodes UTF-8 as Java's String does: where bytes are no text, there is one replacement character for as many of them as
// could have begun a character, and one for the three bytes of a surrogate.
func Text[T string | []byte](encoded T) string {
	s := string(encoded)
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			size = malformed(s)
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// malformed is how many of the first bytes, which begin no character, Java replaces together.
func malformed(s string) int {
	continues := func(i int, low, high byte) bool { return i < len(s) && low <= s[i] && s[i] <= high }
	first, low, high := s[0], byte(0x80), byte(0xbf)
	switch {
	case first == 0xe0:
		low = 0xa0
	case first == 0xf0:
		low = 0x90
	case first == 0xf4:
		high = 0x8f
	case first < 0xe0 || first > 0xf4:
		return 1
	}
	n := 1
	if continues(1, low, high) {
		n = 2
		if continues(2, 0x80, 0xbf) {
			n = 3
		}
	}
	return n
}
