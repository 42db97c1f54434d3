package storagecheck

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// Ottla adds CRC-32Cs to Kafka's text files where Kafka does not look: to checkpoints as 33 blanks behind the last entry (a
// space, then 32 bits as spaces and tabs), to meta.properties and partition.metadata as a line. Kafka's own have none.

var errSum = errors.New("its checksum is wrong: bits have flipped, or it was edited")

func sumOf(text string) uint32 {
	return crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli))
}

// checkBlanks returns the text without a checksum in blanks.
func checkBlanks(text string) (string, error) {
	entries := strings.TrimRight(text, " \t\n")
	blanks := strings.Trim(text[len(entries):], "\n")
	if blanks == "" {
		return text, nil
	}
	bits := strings.NewReplacer(" ", "0", "\t", "1").Replace(blanks[1:])
	if fmt.Sprintf("0%032b", sumOf(entries+"\n")) != "0"+bits || blanks[0] != ' ' {
		return "", errSum
	}
	return entries, nil
}

// checkSumLine checks the line that begins with prefix, of all others.
func checkSumLine(text, prefix string) error {
	sum, found, others := "", false, ""
	for line := range strings.Lines(text) {
		if s, is := strings.CutPrefix(line, prefix); is && !found {
			sum, found = strings.TrimSuffix(s, "\n"), true
		} else {
			others += line
		}
	}
	if found && fmt.Sprintf("%08x", sumOf(others)) != sum {
		return errSum
	}
	return nil
}
