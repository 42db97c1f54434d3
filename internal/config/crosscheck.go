package config

import (
	"fmt"
	"slices"
	"strings"
)

// requirement is an error of a rule between settings. Where Kafka answers requests it puts "requirement failed: "
// before such texts.
type requirement string

func (r requirement) Error() string { return string(r) }

// rule is a condition that must hold, and Kafka's text when it does not.
type rule struct {
	holds bool
	text  string
}

// require checks rules that Kafka writes as require(...).
func require(rules ...rule) error {
	if broken, ok := firstBroken(rules); ok {
		return requirement(broken.text)
	}
	return nil
}

// check checks rules whose break Kafka reports in the plain words.
func check(rules ...rule) error {
	if broken, ok := firstBroken(rules); ok {
		return valueError(broken.text)
	}
	return nil
}

func firstBroken(rules []rule) (rule, bool) {
	at := slices.IndexFunc(rules, func(r rule) bool { return !r.holds })
	if at < 0 {
		return rule{}, false
	}
	return rules[at], true
}

// finish fills in what is computed from several settings, and checks the rules between settings that Kafka checks
// when it starts (KafkaConfig.validateValues).
func (b *Broker) finish() error {
	steps := []func() error{b.parseEndpoints, b.checkIdentity, b.checkLog, b.checkReplication, b.checkRoles, b.checkEndpoints,
		b.checkConnections, b.checkGroups, b.checkShareGroups}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	b.topic = newBaseTopic(b)
	b.group = newBaseGroup(b)
	return checkCompactionLag(b.topic)
}

func (b *Broker) checkIdentity() error {
	if b.Source(BrokerID) == DefaultConfig {
		b.values[BrokerID.index].number = int64(b.Int(NodeID))
	}
	return check(rule{b.Int(NodeID) == b.Int(BrokerID), "You must set `node.id` to the same value as `broker.id`."})
}

func (b *Broker) checkLog() error {
	positive := func(k BrokerLong, least int64) bool { return b.IsNull(k) || b.Long(k) >= least }
	retention := b.Long(LogRetentionMs)
	if err := require(
		rule{positive(LogRollMs, 1), "log.roll.ms must be greater than or equal to 1"},
		rule{positive(LogRollJitterMs, 0), "log.roll.jitter.ms must be greater than or equal to 0"},
		rule{b.retentionNotZero() && (b.IsNull(LogRetentionMs) || retention != 0), "log.retention.ms must be unlimited (-1) or, greater than or equal to 1"},
		rule{b.Int(LogCleanerThreads) > 0 && b.Long(LogCleanerDedupeBufferSize)/int64(b.Int(LogCleanerThreads)) > 1024*1024,
			"log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread."},
	); err != nil {
		return err
	}
	return b.checkCordoned()
}

// retentionNotZero checks the setting that log.retention.ms falls back to.
func (b *Broker) retentionNotZero() bool {
	switch {
	case !b.IsNull(LogRetentionMs):
		return true
	case !b.IsNull(LogRetentionMinutes):
		return b.Int(LogRetentionMinutes) != 0
	default:
		return b.Int(LogRetentionHours) != 0
	}
}

func (b *Broker) checkCordoned() error {
	cordoned := b.List(CordonedLogDirs)
	if slices.Contains(cordoned, "*") {
		return require(rule{len(cordoned) == 1, "When cordoned.log.dirs is set to *, it must not contain other values"})
	}
	missing := slices.DeleteFunc(cordoned, func(dir string) bool { return slices.Contains(b.LogDirs(), dir) })
	return require(rule{len(missing) == 0, "All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : " + strings.Join(missing, ", ")})
}

func (b *Broker) checkReplication() error {
	wait := b.Int(ReplicaFetchWaitMaxMs)
	return require(
		rule{wait <= b.Int(ReplicaSocketTimeoutMs), "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts"},
		rule{int64(wait) <= b.Long(ReplicaLagTimeMaxMs), "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR"},
	)
}

func (b *Broker) checkConnections() error {
	limits, bad := parseOverrides(b.Text(MaxConnectionsPerIPOverrides))
	if bad != "" {
		return fmt.Errorf("max.connections.per.ip.overrides: %s is not of the form host:number", bad)
	}
	var strange []string
	for _, host := range sortedKeys(limits) {
		if strings.ContainsFunc(host, func(c rune) bool {
			return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.ContainsRune("-%._:", c))
		}) {
			strange = append(strange, host)
		}
	}
	idle, delay := b.Long(ConnectionsMaxIdleMs), b.Int(ConnectionFailedAuthenticationDelayMs)
	return require(
		rule{b.Long(QueuedMaxRequestBytes) <= 0 || b.Long(QueuedMaxRequestBytes) >= int64(b.Int(SocketRequestMaxBytes)),
			"queued.max.request.bytes must be larger or equal to socket.request.max.bytes"},
		rule{b.Int(MaxConnectionsPerIP) != 0 || len(limits) > 0,
			"max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set."},
		rule{len(strange) == 0, "max.connections.per.ip.overrides contains invalid addresses : " + strings.Join(strange, ",")},
		rule{idle < 0 || int64(delay) < idle, fmt.Sprintf("connection.failed.authentication.delay.ms=%d should always be less than "+
			"connections.max.idle.ms=%d to prevent failed authentication responses from timing out", delay, idle)},
	)
}
