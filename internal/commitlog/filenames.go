package commitlog

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// Every name on disk. They are Kafka's (LogFileUtils, LogManager, MetaProperties) but for the redo journal's, which only a
// directory in use has, or one whose last stop was unclean.
const (
	// MetaFile has the identity of a log directory.
	MetaFile             = "meta.properties"
	lockFile             = ".lock"
	cleanShutdownFile    = ".kafka_cleanshutdown"
	recoveryPointFile    = "recovery-point-offset-checkpoint"
	logStartFile         = "log-start-offset-checkpoint"
	highWatermarkFile    = "replication-offset-checkpoint"
	cleanerOffsetFile    = "cleaner-offset-checkpoint"
	partitionFile        = "partition.metadata"
	leaderEpochFile      = "leader-epoch-checkpoint"
	logSuffix            = ".log"
	offsetIndexSuffix    = ".index"
	timeIndexSuffix      = ".timeindex"
	txnIndexSuffix       = ".txnindex"
	snapshotSuffix       = ".snapshot"
	deletedSuffix        = ".deleted"
	cleanedSuffix        = ".cleaned"
	swapSuffix           = ".swap"
	temporarySuffix      = ".tmp"
	deletedFolderSuffix  = "-delete"
	futureFolderSuffix   = "-future"
	strayFolderSuffix    = "-stray"
	journalFile0         = "redo-journal-0"
	journalFile1         = "redo-journal-1"
	maxFolderNameLength  = 255
	offsetDigits         = 20
	deletedFolderIDBytes = 16
)

// segmentSuffixes are the files of one segment.
func segmentSuffixes() []string {
	return []string{logSuffix, offsetIndexSuffix, timeIndexSuffix, txnIndexSuffix}
}

// offsetName is the stem of a segment's or snapshot's file: 20 digits, so that names sort as numbers.
func offsetName(offset int64) string { return fmt.Sprintf("%0*d", offsetDigits, offset) }

// parseOffsetName splits 00000000000000000042.log into 42 and .log.
func parseOffsetName(name string) (offset int64, suffix string, ok bool) {
	if len(name) <= offsetDigits || name[offsetDigits] != '.' {
		return 0, "", false
	}
	n, err := strconv.ParseUint(name[:offsetDigits], 10, 63)
	if err != nil {
		return 0, "", false
	}
	return int64(n), name[offsetDigits:], true
}

// movedFolderName is what a partition's folder is renamed to before its files go, or when it is set aside:
// topic-partition.<32 hexadecimal digits>-delete or -stray, the topic's name cut so that the whole has at most 255 bytes.
func movedFolderName(tp kafka.TopicPartition, id kafka.UUID, suffix string) string {
	end := fmt.Sprintf("-%d.%s%s", tp.Partition, hex.EncodeToString(id[:deletedFolderIDBytes]), suffix)
	return tp.Topic[:min(len(tp.Topic), maxFolderNameLength-len(end))] + end
}

func isDeletedFolder(name string) bool {
	return strings.HasSuffix(name, deletedFolderSuffix) && strings.Contains(name, ".")
}

// isForeignFolder reports folders that hold no partition of ours any more: those that were set aside as stray.
func isForeignFolder(name string) bool { return strings.HasSuffix(name, strayFolderSuffix) }
