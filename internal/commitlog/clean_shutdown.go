package commitlog

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/ottla/ottla/internal/vfs"
)

// The clean-shutdown file is written last when a Dir closes and removed first when it opens (Kafka's
// CleanShutdownFileHandler). It carries the broker epoch of that run (KIP-966), -1 if unknown.
type cleanShutdown struct {
	Version     int   `json:"version"`
	BrokerEpoch int64 `json:"brokerEpoch"`
}

const noBrokerEpoch = -1

func writeCleanShutdown(fsys vfs.FS, path string, brokerEpoch int64) error {
	content, err := json.Marshal(cleanShutdown{BrokerEpoch: brokerEpoch})
	if err != nil {
		return err
	}
	return ReplaceFile(fsys, filepath.Join(path, cleanShutdownFile), content)
}

// takeCleanShutdown reports whether the last stop was clean, and the broker epoch of that run. The file is
// gone, durably, when it returns.
func takeCleanShutdown(fsys vfs.FS, path string) (clean bool, brokerEpoch int64, err error) {
	name := filepath.Join(path, cleanShutdownFile)
	content, err := ReadFile(fsys, name, maxMetaBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return false, noBrokerEpoch, nil
	}
	if err != nil {
		return false, noBrokerEpoch, err
	}
	if err := fsys.Remove(name); err != nil {
		return false, noBrokerEpoch, err
	}
	if err := fsys.SyncDir(path); err != nil {
		return false, noBrokerEpoch, err
	}
	// Kafka takes any content for a clean stop: the epoch alone is lost when it cannot be read.
	file := cleanShutdown{BrokerEpoch: noBrokerEpoch}
	if json.Unmarshal(content, &file) != nil {
		return true, noBrokerEpoch, nil
	}
	return true, file.BrokerEpoch, nil
}
