package broker

import (
	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
)

// startCleaner has logs compacted from now on: what their topics' settings are is known.
func (b *Broker) startCleaner() {
	if !b.config.Load().Bool(config.LogCleanerEnable) {
		b.log.Warn("log.cleaner.enable=false: topics with cleanup.policy=compact, __consumer_offsets among them, are not compacted and grow")
		return
	}
	b.cleaner.Store(commitlog.StartCleaner(b.dirs, cleanerSettings(b.config.Load()), b.log))
	b.configureCleaner() // the settings may have changed meanwhile
	b.exportCleaner()
}

// configureCleaner puts changed settings in force.
func (b *Broker) configureCleaner() {
	if cleaner := b.cleaner.Load(); cleaner != nil {
		cleaner.Configure(cleanerSettings(b.config.Load()))
	}
}

// stopCleaner ends compactions where they are.
func (b *Broker) stopCleaner() {
	if cleaner := b.cleaner.Swap(nil); cleaner != nil {
		cleaner.Stop()
	}
}

func cleanerSettings(c *config.Broker) commitlog.CleanerSettings {
	return commitlog.CleanerSettings{
		Threads:        c.Int(config.LogCleanerThreads),
		DedupeBytes:    c.Long(config.LogCleanerDedupeBufferSize),
		LoadFactor:     c.Double(config.LogCleanerIOBufferLoadFactor),
		BufferBytes:    c.Int(config.LogCleanerIOBufferSize),
		BytesPerSecond: c.Double(config.LogCleanerIOMaxBytesPerSecond),
		Backoff:        c.Duration(config.LogCleanerBackoffMs),
	}
}

// exportCleaner exports how far compaction is behind.
func (b *Broker) exportCleaner() {
	b.gauge("kafka.log", "LogCleanerManager", "max-dirty-percent", "Share of the dirtiest compacted log that waits for compaction, in percent.", func() int {
		if cleaner := b.cleaner.Load(); cleaner != nil {
			return cleaner.MaxDirtyPercent()
		}
		return 0
	})
	b.gauge("kafka.log", "LogCleanerManager", "uncleanable-partitions-count", "Logs that are not compacted any more because they cannot be read.", func() (n int) {
		for _, dir := range b.dirs {
			n += dir.Uncleanable()
		}
		return n
	})
}
