package partition

import (
	"testing"
	"testing/synctest"
	"time"
)

// A throttled replica that catches up gets records only as fast as the rate says; one in sync gets them at once.
func TestThrottledReplicaWaitsUnlessInSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLed(t, 1, 2)
		defer l.close()
		rate := int64(1 << 62)
		l.set.leaderThrottle.rate = func() int64 { return rate }
		for range 3 {
			l.append(l.p, -1, string(make([]byte, 1000)))
		}
		l.durable()
		gets := func(broker int32, some bool) {
			t.Helper()
			if l.mustFetch(broker, 0, 0); l.got > 0 != some {
				t.Errorf("broker %d gets %d bytes", broker, l.got)
			}
		}
		rate = 1000 // bytes per second
		gets(3, true)
		gets(3, true) // it is not named
		l.replay(setting("t", "leader.replication.throttled.replicas", "0:1,0:2"))
		gets(3, true) // some 3,000 bytes
		gets(3, false)
		gets(2, true) // which counts, too
		time.Sleep(4 * time.Second)
		byteRate := l.set.options.Metrics.Gauge("kafka_server_leaderreplication_byte_rate", "")
		if got, want := byteRate.Value(), float64(2*l.got)/4; got != want {
			t.Errorf("%v bytes per second after two answers of %d bytes in 4 s, want %v", got, l.got, want)
		}
		gets(3, false)
		time.Sleep(4 * time.Second)
		gets(3, true)
		gets(3, false)
		l.replay(setting("t", "leader.replication.throttled.replicas", "1:1,0:2"))
		gets(3, true)
	})
}

// What a throttled replica in sync gets counts for the one that catches up, which waits for that no longer than Kafka's window.
func TestTrafficInSyncCountsForTheThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLed(t, 1, 2)
		defer l.close()
		l.set.leaderThrottle.rate = func() int64 { return 1000 }
		l.append(l.p, -1, string(make([]byte, 3000)))
		l.durable()
		gets := func(broker int32, some bool) {
			t.Helper()
			if l.mustFetch(broker, 0, 0); l.got > 0 != some {
				t.Errorf("broker %d gets %d bytes", broker, l.got)
			}
		}
		gets(2, true) // nothing is throttled
		gets(3, true)
		l.replay(setting("t", "leader.replication.throttled.replicas", "*"))
		for range 20 {
			gets(2, true) // some 60,000 bytes: a minute
		}
		gets(3, false)
		time.Sleep(9 * time.Second)
		gets(3, false)
		time.Sleep(2 * time.Second)
		gets(3, true)
		gets(3, false)
		gets(2, true)
	})
}
