package tools

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A durability is what decides how safe the records of a topic are.
type durability struct {
	topic, bootstrap string
	partitions       []describedPartition
	settings         map[string]durabilitySetting
	minInsync        int
	flushMessages    int64 // flush.messages
	flushMs          int64 // flush.ms
	caching          bool  // write.caching
	isOttla          bool  // the broker knows write.caching
}

// A durabilitySetting is the value of a config and where it comes from.
type durabilitySetting struct {
	value  string
	source kmsg.ConfigSource
}

// text says it in plain words.
func (d *durability) text() string {
	var b strings.Builder
	paragraph := func(lines ...string) {
		b.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	}
	fmt.Fprintf(&b, "Topic %s: %s with %s each.\n", d.topic, count(len(d.partitions), "partition"), d.replicasText())
	if faults := d.faults(); faults != nil {
		paragraph(faults...)
	}
	paragraph(
		"When a record is acknowledged:",
		"  acks=all  "+d.acksAll(),
		"  acks=1    "+d.acksOne(),
		"  acks=0    never: the client does not learn of what was refused or lost on its way.")
	paragraph(d.flushing())
	paragraph(append([]string{"What can be lost of what was acknowledged:"}, d.losses()...)...)
	paragraph(d.settingLines()...)
	return b.String()
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// replicas is how many replicas the partition with the fewest, and that with the most, has.
func (d *durability) replicas() (fewest, most int) {
	fewest = math.MaxInt
	for _, p := range d.partitions {
		fewest, most = min(fewest, len(p.replicas)), max(most, len(p.replicas))
	}
	return min(fewest, most), most
}

func (d *durability) replicasText() string {
	fewest, most := d.replicas()
	if fewest != most {
		return fmt.Sprintf("%d to %d replicas", fewest, most)
	}
	return count(fewest, "replica")
}

// caches reports whether acks=all may be answered before the bytes are on stable storage.
func (d *durability) caches() bool { return (d.caching || !d.isOttla) && d.flushMessages > 1 }

func (d *durability) acksAll() string {
	copies := "its only replica"
	if _, most := d.replicas(); most > 1 {
		copies = fmt.Sprintf("every replica in sync, at least %d of them (min.insync.replicas)", min(d.minInsync, most))
	}
	switch {
	case !d.isOttla && d.caches():
		return "when it is in the page cache of " + copies + "."
	case d.caches():
		return "when it is in the page cache of " + copies + ", as Kafka does it (write.caching=true)."
	case d.caching || !d.isOttla:
		return "when it is on stable storage of " + copies + everyFlush
	}
	return "when it is on stable storage of " + copies + "."
}

// everyFlush is what flush.messages=1 does to acknowledgements from the page cache.
const everyFlush = ": flush.messages=1 has every request wait for its flush."

func (d *durability) acksOne() string {
	switch {
	case d.flushMessages <= 1:
		return "when it is on stable storage of the leader" + everyFlush
	case d.flushMessages < math.MaxInt64:
		return fmt.Sprintf("when the leader has it in its page cache; a request that makes it %d records waits for the flush.", d.flushMessages)
	}
	return "when the leader has it in its page cache."
}

// Ottla flushes what nobody waits for within these bounds (internal/commitlog/unsynced.go).
const (
	unaskedTime, unaskedBytes = 100 * time.Millisecond, "256 KiB"
	cachedTime, cachedBytes   = time.Second, "8 MiB"
)

// bounds is how long, and how many bytes, records wait for their flush at most; no bytes for no bound.
func (d *durability) bounds() (within time.Duration, bytes string) {
	within, bytes = time.Duration(math.MaxInt64), ""
	switch {
	case d.isOttla && d.caching:
		within, bytes = cachedTime, cachedBytes
	case d.isOttla:
		within, bytes = unaskedTime, unaskedBytes
	}
	if d.flushMs < within.Milliseconds() {
		within = time.Duration(d.flushMs) * time.Millisecond
	}
	return within, bytes
}

// flushing says when bytes reach stable storage that nobody waits for.
func (d *durability) flushing() string {
	subject := "Records that no acks=all waits for are"
	if d.caches() {
		subject = "Nobody waits for stable storage. Records are"
	}
	if d.flushMessages <= 1 {
		return "Every request is answered after its flush (flush.messages=1), but for acks=0, which nobody waits for."
	}
	if d.flushMs <= 0 {
		return subject + " flushed to stable storage at once (flush.ms=0)."
	}
	within, bytes := d.bounds()
	var bounds []string
	if within < math.MaxInt64 {
		text := "within " + interval(within)
		if within.Milliseconds() == d.flushMs {
			text += " (flush.ms)"
		}
		bounds = append(bounds, text)
	}
	if bytes != "" {
		bounds = append(bounds, "when a partition has "+bytes+" of them")
	}
	if d.flushMessages < math.MaxInt64 {
		bounds = append(bounds, fmt.Sprintf("when a partition has %d of them (flush.messages)", d.flushMessages))
	}
	if bounds == nil {
		return "Neither flush.messages nor flush.ms is set, and this broker does not know write.caching: it is not an Ottla. When records\n" +
			"reach stable storage is up to the operating system, usually within 30 seconds."
	}
	return subject + " flushed to stable storage " + strings.Join(bounds, ", or ") + "."
}

// interval writes a time as settings have it, with a space before the unit.
func interval(d time.Duration) string {
	if ms := d.Milliseconds(); ms < 1000 || ms%1000 != 0 {
		return fmt.Sprintf("%d ms", ms)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// losses is what each misfortune takes.
func (d *durability) losses() []string {
	const indent = "                               "
	fewest, most := d.replicas()
	all, one := "nothing.", "nothing."
	if d.caches() {
		all = d.unflushed() + "."
	}
	if d.flushMessages > 1 {
		one = d.unflushed() + "."
	}
	crash := []string{"nothing: the page cache is the operating system's, and outlives the process."}
	power := []string{"acks=all: " + all, "acks=1:   " + one}
	disk := []string{"everything on it: its partitions have no other replica."}
	if most > 1 {
		const behind = "acks=1:   what no other replica had fetched yet"
		if d.caches() {
			all = "nothing, if one replica in sync keeps its power; if all fail at once, " + all
		}
		crash = []string{"acks=all: nothing.", behind + ": one of them becomes leader."}
		power = []string{"acks=all: " + all, behind + "; if all fail at once, " + one}
		disk = []string{"acks=all: nothing, as long as one of the replicas that were in sync is left.", behind + "."}
		if min(d.minInsync, fewest) <= 1 {
			disk[0] = "acks=all: what no other replica had: with min.insync.replicas=1 one replica alone counts when the others have fallen behind."
		}
	}
	var lines []string
	for _, loss := range []struct {
		title string
		words []string
	}{{"  The process crashes", crash}, {"  Power or the kernel fails", power}, {"  A disk is lost", disk}} {
		lines = append(lines, fmt.Sprintf("%-*s%s", len(indent), loss.title, loss.words[0]))
		for _, more := range loss.words[1:] {
			lines = append(lines, indent+more)
		}
	}
	return lines
}

// unflushed is the most that lies in the page cache alone.
func (d *durability) unflushed() string {
	if d.flushMs <= 0 {
		return "what came while the last flush was running"
	}
	within, bytes := d.bounds()
	var amounts []string
	if bytes != "" {
		amounts = append(amounts, bytes)
	}
	if d.flushMessages < math.MaxInt64 {
		amounts = append(amounts, fmt.Sprintf("%d records", d.flushMessages))
	}
	amount := strings.Join(amounts, " or ") + " of each partition"
	switch {
	case within == math.MaxInt64 && amounts == nil:
		return "all that was not flushed yet, without a bound"
	case within == math.MaxInt64:
		return "up to about " + amount
	case amounts == nil:
		return "up to the last " + interval(within)
	}
	return "up to the last " + interval(within) + ", or about " + amount
}

// faults are what is wrong now.
func (d *durability) faults() (lines []string) {
	var leaderless, short []string
	for _, p := range d.partitions {
		if p.leader < 0 {
			leaderless = append(leaderless, strconv.Itoa(int(p.index)))
		} else if len(p.isr) < min(d.minInsync, len(p.replicas)) {
			short = append(short, strconv.Itoa(int(p.index)))
		}
	}
	if leaderless != nil {
		lines = append(lines, "Nothing is accepted now, for want of a leader, in partition "+strings.Join(leaderless, ", ")+".")
	}
	if short != nil {
		lines = append(lines, fmt.Sprintf("acks=all is refused now (NOT_ENOUGH_REPLICAS), for want of min.insync.replicas=%d replicas in sync, in partition %s.",
			d.minInsync, strings.Join(short, ", ")))
	}
	return lines
}

// settingLines are the settings behind all of this, and how to change them.
func (d *durability) settingLines() []string {
	lines := []string{"The settings behind this:"}
	names := []string{"write.caching", "min.insync.replicas", "flush.messages", "flush.ms"}
	width := len(slices.MaxFunc(names, func(a, b string) int { return cmp.Compare(len(a), len(b)) }))
	for _, name := range names {
		s, ok := d.settings[name]
		if !ok {
			continue
		}
		value := s.value
		if value == strconv.Itoa(math.MaxInt64) {
			value = "no limit"
		}
		words := sourceWords(s.source)
		if fewest, _ := d.replicas(); name == "min.insync.replicas" && d.minInsync > fewest {
			words += fmt.Sprintf("; counts as %d where there are no more replicas", fewest)
		}
		lines = append(lines, fmt.Sprintf("  %-*s  %-8s  %s", width, name, value, words))
	}
	return append(lines, fmt.Sprintf("To change one: ottla kafka-configs --bootstrap-server %s --alter --topic %s --add-config NAME=VALUE", d.bootstrap, d.topic))
}

// sourceWords says where a value comes from.
func sourceWords(s kmsg.ConfigSource) string {
	switch s {
	case kmsg.ConfigSourceDynamicTopicConfig:
		return "set on the topic"
	case kmsg.ConfigSourceDynamicBrokerConfig:
		return "set on the broker, while it ran"
	case kmsg.ConfigSourceDynamicDefaultBrokerConfig:
		return "set on all brokers, while they ran"
	case kmsg.ConfigSourceStaticBrokerConfig:
		return "set in the broker's configuration"
	}
	return "default"
}
