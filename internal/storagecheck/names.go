package storagecheck

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Names on disk are Kafka's (LogFileUtils, LogManager, MetaPropertiesEnsemble, LogCleanerManager, Snapshots).
const (
	lockFile          = ".lock"
	cleanShutdownFile = ".kafka_cleanshutdown"
	metaFile          = "meta.properties"
	bootstrapFile     = "bootstrap.checkpoint"
	recoveryPointFile = "recovery-point-offset-checkpoint"
	logStartFile      = "log-start-offset-checkpoint"
	highWatermarkFile = "replication-offset-checkpoint"
	cleanerFile       = "cleaner-offset-checkpoint"
	partitionFile     = "partition.metadata"
	leaderEpochFile   = "leader-epoch-checkpoint"
	quorumStateFile   = "quorum-state"

	// journalPrefix begins the names of Ottla's redo journal.
	journalPrefix = "redo-journal-"

	logSuffix         = ".log"
	offsetIndexSuffix = ".index"
	timeIndexSuffix   = ".timeindex"
	txnIndexSuffix    = ".txnindex"
	snapshotSuffix    = ".snapshot"
	checkpointSuffix  = ".checkpoint"
	deletedSuffix     = ".deleted"
	cleanedSuffix     = ".cleaned"
	swapSuffix        = ".swap"
	temporarySuffix   = ".tmp"
	partSuffix        = ".part"
	cutInfix          = ".log.cut-"

	deletedFolderSuffix = "-delete"
	futureFolderSuffix  = "-future"
	strayFolderSuffix   = "-stray"

	offsetDigits = 20
	epochDigits  = 10
)

func offsetName(offset int64) string { return fmt.Sprintf("%0*d", offsetDigits, offset) }

// parseOffsetName splits 00000000000000000042.log into 42 and .log.
func parseOffsetName(name string) (offset int64, suffix string, ok bool) {
	if len(name) <= offsetDigits || name[offsetDigits] != '.' {
		return 0, "", false
	}
	n, err := strconv.ParseUint(name[:offsetDigits], 10, 63)
	return int64(n), name[offsetDigits:], err == nil
}

// parseCheckpointName splits the name of a metadata snapshot into offset and epoch.
func parseCheckpointName(name string) (offset int64, epoch int32, ok bool) {
	stem, ok := strings.CutSuffix(name, checkpointSuffix)
	if !ok || len(stem) != offsetDigits+1+epochDigits || stem[offsetDigits] != '-' {
		return 0, 0, false
	}
	o, err := strconv.ParseUint(stem[:offsetDigits], 10, 63)
	e, err2 := strconv.ParseUint(stem[offsetDigits+1:], 10, 31)
	return int64(o), int32(e), err == nil && err2 == nil
}

func isJournal(name string) bool { return strings.HasPrefix(name, journalPrefix) }

// leftoverOf says what a file was that work which was cut short left behind; "" for a file that is none.
func leftoverOf(name string) (what string, severity Severity) {
	switch {
	case strings.Contains(name, cutInfix):
		return "what a recovery cut off a log because it was incomplete or wrong: if records of it are missed, look here, else remove it", Leftover
	case strings.HasSuffix(name, deletedSuffix):
		return "deleted by retention, compaction or truncation, not removed yet", Leftover
	case strings.HasSuffix(name, cleanedSuffix):
		return "the unfinished result of a compaction", Leftover
	case strings.HasSuffix(name, swapSuffix):
		return "the result of a compaction on its way to replace a segment", Rebuilt
	case strings.HasSuffix(name, temporarySuffix), strings.HasSuffix(name, partSuffix):
		return "a file that was being written when the process ended", Leftover
	}
	return "", Leftover
}

// leftovers are such files of one folder, those of a kind together.
type leftovers []leftover

type leftover struct {
	what     string
	severity Severity
	first    string
	files    int
	bytes    int64
}

func (l *leftovers) add(what string, severity Severity, name string, bytes int64) {
	i := slices.IndexFunc(*l, func(x leftover) bool { return x.what == what })
	if i < 0 {
		i = len(*l)
		*l = append(*l, leftover{what: what, severity: severity, first: name})
	}
	(*l)[i].files++
	(*l)[i].bytes += bytes
}

func (l leftovers) enter(p *partition) {
	for _, x := range l {
		p.add(x.severity, p.in(x.first), "The next start removes or finishes it.", "%s: %d files of that kind, %d bytes", x.what, x.files, x.bytes)
	}
}
