package commitlog

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// Kafka's small text files have no checksum: a flipped bit in a digit makes another offset, or another topic. Ottla adds one
// where Kafka's readers do not look. What was written by Kafka has none and is taken as it is.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errChecksum = errors.New("the checksum is wrong: the file is damaged, or was edited without removing its checksum")

// A checkpoint carries its CRC-32C in blanks at the end of its last line: a space and 32 spaces (0) and tabs (1), highest
// bit first. Kafka splits lines at blanks and drops those at the end.
const blankChecksum = 1 + 32

func appendBlankChecksum(b []byte) []byte {
	sum := crc32.Checksum(b, castagnoli)
	b = append(b[:len(b)-1], ' ')
	for bit := 31; bit >= 0; bit-- {
		b = append(b, " \t"[sum>>bit&1])
	}
	return append(b, '\n')
}

// checkBlanks returns the text without its checksum, and an error if that is wrong.
func checkBlanks(text string) (string, error) {
	line, ended := strings.CutSuffix(text, "\n")
	content := strings.TrimRight(line, " \t")
	blanks := line[len(content):]
	if len(blanks) == 0 {
		return text, nil
	}
	if !ended || len(blanks) != blankChecksum || blanks[0] != ' ' {
		return "", errChecksum
	}
	var sum uint32
	for _, c := range []byte(blanks[1:]) {
		sum <<= 1
		if c == '\t' {
			sum |= 1
		}
	}
	content += "\n"
	if crc32.Checksum([]byte(content), castagnoli) != sum {
		return "", errChecksum
	}
	return content, nil
}

// A file of properties carries its CRC-32C in a line of its own, beginning with prefix, which is not part of the sum.
func checksumLine(prefix, content string) string {
	return fmt.Sprintf("%s%08x\n", prefix, crc32.Checksum([]byte(content), castagnoli))
}

// checkLine checks the line that begins with prefix, if there is one.
func checkLine(prefix, text string) error {
	at := strings.Index(text, prefix)
	if at < 0 {
		return nil
	}
	end := strings.IndexByte(text[at:], '\n') + 1
	if end == 0 {
		end = len(text) - at
	}
	if checksumLine(prefix, text[:at]+text[at+end:]) != strings.TrimSuffix(text[at:at+end], "\n")+"\n" {
		return errChecksum
	}
	return nil
}
