package broker

import (
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/metrics"
)

const (
	// spaceInterval is how often the broker looks at the room in its log directories; appends look more often by themselves.
	spaceInterval = time.Second
	// shortageSweepInterval is how often retention runs while a directory is short of room: it is the way out.
	shortageSweepInterval = 10 * time.Second
)

// setReserves puts log.dir.reserve.bytes in force.
func (b *Broker) setReserves(c *config.Broker) {
	for _, dir := range b.allDirectories() {
		dir.SetReserve(c.Long(config.LogDirReserveBytes))
	}
}

// watchSpace notes when log directories run short of room, and when they have some again, though nobody appends. While one
// is short, retention runs every few seconds.
func (b *Broker) watchSpace() {
	var swept time.Time
	b.every(func() time.Duration { return spaceInterval }, func(now time.Time) {
		short := false
		for _, dir := range b.allDirectories() {
			if dir.Failed() != nil {
				continue
			}
			if _, err := dir.LookAtSpace(); err != nil {
				b.log.Warn("the room in a log directory is unknown", "dir", dir.Path(), "error", err)
			}
			short = short || dir.Shortage() != nil
		}
		if short && now.Sub(swept) >= shortageSweepInterval {
			swept = now
			b.sweep(now)
		}
	})
}

// exportHealth exports what there is room for in each log directory, and what is wrong with it.
func (b *Broker) exportHealth() {
	for _, dir := range b.allDirectories() {
		b.dirGauge(dir, "LogDirectoryOffline", "1 for a log directory that failed.", func() float64 { return truth(dir.Failed() != nil) })
		b.dirGauge(dir, "LogDirectoryFull", "1 for a log directory that takes no records for lack of room (log.dir.reserve.bytes).", func() float64 { return truth(dir.Shortage() != nil) })
		b.dirGauge(dir, "DamagedLogCount", "Logs in a log directory in which damage was found since the start; /readyz names them.", func() float64 { return float64(len(dir.Damages())) })
		b.dirGauge(dir, "LogDirectoryFreeBytes", "Free bytes of a log directory's volume.", func() float64 {
			free, _, err := dir.Space()
			if err != nil {
				return -1
			}
			return float64(free)
		})
		b.dirGauge(dir, "LogDirectoryReserveBytes", "Free bytes below which a log directory takes no records (log.dir.reserve.bytes).", func() float64 {
			return float64(dir.Reserve())
		})
	}
}

func (b *Broker) dirGauge(dir *commitlog.Dir, name, help string, value func() float64) {
	b.metrics.Gauges(metrics.Name("kafka.log", "LogManager", name), help, "logDirectory").With(dir.Path()).Func(value)
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
