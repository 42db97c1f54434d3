package tools

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

const (
	// stormRebalances within stormWindow are a storm.
	stormRebalances = 5
	stormWindow     = 10 * time.Minute
	// shortSession is a session timeout that a pause of a garbage collector or a busy machine outlasts.
	shortSession = 10 * time.Second
	// lopsided is the share of the lag in one partition from which on the partition is the trouble.
	lopsided = 0.8
	manyLate = 1000 // records of lag that are worth a word
)

// advice tells of the known pits that the group is in, and the way out of each. Each pit's text is a paragraph a line.
func (w *why) advice() []string {
	var all []string
	for _, pit := range []func(*why) string{
		(*why).unstored, (*why).waiting, (*why).slowPolls, (*why).silentMembers, (*why).idleMembers, (*why).storm, (*why).sameInstance,
		(*why).fenced, (*why).refused, (*why).lostOffsets, (*why).outOfRange, (*why).uncommitted, (*why).abandoned, (*why).unevenLag,
	} {
		if text := pit(w); text != "" {
			all = append(all, strings.Split(text, "\n")...)
		}
	}
	return all
}

// times is how often something of the given kinds happened.
func (w *why) times(kinds ...string) (n int) {
	for _, c := range w.all(kinds...) {
		n += c.Times
	}
	return n
}

func (w *why) all(kinds ...string) (found []whyCause) {
	if w.causes == nil {
		return nil
	}
	for _, c := range w.causes.Causes {
		if slices.Contains(kinds, c.Kind) {
			found = append(found, c)
		}
	}
	return found
}

// unstored: assignments that the broker could not write down.
func (w *why) unstored() string {
	failed := w.all("assignment-failed")
	if len(failed) == 0 {
		return ""
	}
	return fmt.Sprintf("The broker could not store the group's assignments, %s, last at %s: see its log and its /readyz; a full disk is the most common reason. The members wait, and go on by themselves once there is room.",
		timesText(w.times("assignment-failed")), w.time(failed[len(failed)-1].Last))
}

// waiting: a rebalance that does not end.
func (w *why) waiting() string {
	if w.causes == nil {
		return ""
	}
	var awaited []string
	for _, m := range w.causes.Members {
		if m.Awaited {
			awaited = append(awaited, m.MemberID)
		}
	}
	if len(awaited) == 0 {
		return ""
	}
	if w.causes.Type != "classic" {
		return fmt.Sprintf("%s has not come to its part of the assignment yet: it still has to give up partitions, or its application to call poll(). The others go on.", some(awaited))
	}
	until := ""
	if !w.causes.Until.IsZero() {
		until = fmt.Sprintf(" until %s at most (max.poll.interval.ms of the slowest)", w.time(w.causes.Until))
	}
	return fmt.Sprintf("The rebalance waits for %s%s: nobody reads meanwhile. A member comes when its application calls poll() again; one that hangs can be ended now.", some(awaited), until)
}

// slowPolls: records that take longer than the application may take between two polls.
func (w *why) slowPolls() string {
	late := w.all("poll-interval-exceeded", "rebalance-timeout")
	if len(late) == 0 {
		return ""
	}
	last := late[len(late)-1]
	return fmt.Sprintf("Members took longer than max.poll.interval.ms (%s) between two polls, %s: their application is slow or hangs. Have it get fewer "+
		"records at a time (max.poll.records), process them on other threads, or raise max.poll.interval.ms of the consumers.",
		limitText(last.Limit), timesText(w.times("poll-interval-exceeded", "rebalance-timeout")))
}

// silentMembers: sessions that ran out.
func (w *why) silentMembers() string {
	expired := w.all("session-expired", "sync-timeout")
	if len(expired) == 0 {
		return ""
	}
	last := expired[len(expired)-1]
	limit := time.Duration(last.Limit) * time.Millisecond
	text := fmt.Sprintf("Members were not heard of for their session timeout (%s), %s: their process was killed without a chance to leave, it paused, or the network was down.", limit, timesText(w.times("session-expired", "sync-timeout")))
	if limit > 0 && limit < shortSession && last.Setting == "session.timeout.ms" {
		text += fmt.Sprintf(" %s is short: session.timeout.ms is 45s by default, with a heartbeat.interval.ms of 3s.", limit)
	}
	return text + " Stop consumers with SIGTERM and close() them; for restarts use group.instance.id (static members)."
}

// idleMembers: more consumers than partitions, or an assignor that gives some members everything.
func (w *why) idleMembers() string {
	if w.described == nil || w.described.state != "Stable" {
		return ""
	}
	idle, most, partitions := 0, 0, 0
	for _, m := range w.described.members {
		if len(m.assigned) == 0 {
			idle++
		}
		most, partitions = max(most, len(m.assigned)), partitions+len(m.assigned)
	}
	switch {
	case idle == 0 || partitions == 0:
		return ""
	case most == 1:
		return fmt.Sprintf("%s no partition: there are %s for %d members, and a partition goes to one member. Stop %d of them, or add partitions (kafka-topics --alter --topic NAME --partitions N; keys then move to other partitions).", have(idle, "member"), count(partitions, "partition"), len(w.described.members), idle)
	case strings.HasPrefix(w.described.assignor, "range"):
		return fmt.Sprintf("%s no partition, though others have up to %d: assignor range deals out each topic by itself, to the same members first. Use cooperative-sticky (partition.assignment.strategy), or uniform with group.protocol=consumer.", have(idle, "member"), most)
	}
	return fmt.Sprintf("%s no partition, though others have up to %d: do all members subscribe to the same topics?", have(idle, "member"), most)
}

// storm: rebalances in a row.
func (w *why) storm() string {
	epochs := map[int32]bool{}
	causes := map[string]int{}
	for _, c := range w.all("member-joined", "member-rejoined", "subscription-changed", "member-left", "session-expired", "poll-interval-exceeded", "rebalance-timeout", "topics-changed") {
		if !c.Rebalance || w.now.Sub(c.Last) > stormWindow {
			continue
		}
		for e := max(c.Epoch, c.Next-int32(c.Times)); e < max(c.Next, c.Epoch+1); e++ {
			epochs[e] = true
		}
		causes[c.Kind] += c.Times
	}
	if len(epochs) < stormRebalances {
		return ""
	}
	top := ""
	for _, kind := range []string{"member-joined", "member-left", "member-rejoined", "subscription-changed", "session-expired", "poll-interval-exceeded", "rebalance-timeout", "topics-changed"} {
		if top == "" || causes[kind] > causes[top] {
			top = kind
		}
	}
	text := fmt.Sprintf("It rebalanced %d times within the last %s, mostly because of %s (%s).", len(epochs), limitText(stormWindow.Milliseconds()), strings.ReplaceAll(top, "-", " "), timesText(causes[top]))
	switch top {
	case "member-joined", "member-left":
		return text + " Members that come and go (a crash loop, a rolling restart, autoscaling) cost the others least as static members (group.instance.id), with cooperative-sticky, or with group.protocol=consumer."
	}
	return text + " Its members' logs say more."
}

// sameInstance: two processes with one group.instance.id.
func (w *why) sameInstance() string {
	fenced := map[string]int{}
	for _, c := range w.all("request-fenced") {
		if c.Error == kafka.FencedInstanceID.String() || c.Error == kafka.UnreleasedInstanceID.String() {
			fenced[c.Member.InstanceID] += c.Times
		}
	}
	var ids []string
	for id, n := range fenced {
		if n > 0 && id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	slices.Sort(ids)
	return fmt.Sprintf("More than one process uses group.instance.id %s: each fences the other. Give each process one of its own.", strings.Join(ids, ", "))
}

// fenced: members that did not know that they were out.
func (w *why) fenced() string {
	n := 0
	for _, c := range w.all("request-fenced") {
		if c.Error != kafka.FencedInstanceID.String() && c.Error != kafka.UnreleasedInstanceID.String() {
			n += c.Times
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s refused because the sender was not a member, or of an older generation. What it had read and not committed was read again by another. One or two around a rebalance are nothing.", were(n, "request"))
}

// refused: members that cannot join.
func (w *why) refused() string {
	var texts []string
	for _, c := range w.all("join-refused") {
		text := ""
		switch c.Error {
		case kafka.GroupMaxSizeReached.String():
			text = fmt.Sprintf("The group is full (group.max.size = %d): raise it, or start fewer members.", c.Limit)
		case kafka.InconsistentGroupProtocol.String():
			text = "Some members have no assignor in common with the others (partition.assignment.strategy), or are no consumers. To change the assignor, first give all members both, then take out the old one."
		case kafka.InvalidSessionTimeout.String():
			text = "session.timeout.ms of some clients is outside group.min.session.timeout.ms and group.max.session.timeout.ms of the broker."
		default:
			text = c.Text
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "\n")
}

// lostOffsets: offsets that expired or were deleted, after which auto.offset.reset decides.
func (w *why) lostOffsets() string {
	expired, n := w.all("offsets-expired"), int64(0)
	for _, c := range expired {
		n += c.Value
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d committed offsets expired, last at %s. A consumer without one begins where auto.offset.reset says: `latest` skips what came meanwhile, `earliest` reads all again. Raise offsets.retention.minutes (%d) above the longest time that the group is stopped.",
		n, w.time(expired[len(expired)-1].Last), expired[len(expired)-1].Limit)
}

// outOfRange: offsets of records that are gone, or that are not there yet.
func (w *why) outOfRange() string {
	var gone, ahead []string
	var records int64
	for _, o := range w.offsets {
		switch {
		case o.committed < 0:
		case o.start > o.committed:
			gone, records = append(gone, o.partition.String()), records+o.start-o.committed
		case o.end >= 0 && o.end < o.committed:
			ahead = append(ahead, o.partition.String())
		}
	}
	var texts []string
	if len(gone) > 0 {
		texts = append(texts, fmt.Sprintf("%s deleted in %s before the group read them (retention.ms, retention.bytes): it goes on as auto.offset.reset says, and `latest` skips also what is still there.", were(int(records), "record"), some(gone)))
	}
	if len(ahead) > 0 {
		texts = append(texts, fmt.Sprintf("The offsets of %s are beyond the end of the log: the topic was made anew. Reset them (kafka-consumer-groups --reset-offsets --group %s --to-earliest --all-topics --execute, while no member runs).", some(ahead), w.group))
	}
	return strings.Join(texts, "\n")
}

// uncommitted: partitions that members have, and for which nothing is committed.
func (w *why) uncommitted() string {
	if w.described == nil || len(w.described.members) == 0 {
		return ""
	}
	var none []string
	for _, o := range w.offsets {
		if o.committed < 0 && o.end > 0 {
			none = append(none, o.partition.String())
		}
	}
	if len(none) == 0 {
		return ""
	}
	return fmt.Sprintf("Nothing is committed for %s, though it has records: its member has not come to a commit (enable.auto.commit, auto.commit.interval.ms), or reads from the end on (auto.offset.reset=latest) and no record has come since.", some(none))
}

// abandoned: records that nobody reads.
func (w *why) abandoned() string {
	if w.described == nil || len(w.described.members) > 0 {
		return ""
	}
	behind := int64(0)
	for _, o := range w.offsets {
		behind += max(o.lag(), 0)
	}
	if behind == 0 {
		return ""
	}
	return "Nobody is in the group, so it falls behind: start its consumers. If it is not needed any more, delete it (kafka-consumer-groups --delete --group " + w.group + ")."
}

// unevenLag: one partition that is far behind the others.
func (w *why) unevenLag() string {
	var total, worst int64
	var at string
	known := 0
	for _, o := range w.offsets {
		if o.lag() < 0 {
			continue
		}
		known++
		total += o.lag()
		if o.lag() > worst {
			worst, at = o.lag(), o.partition.String()
		}
	}
	if known < 3 || worst < manyLate || float64(worst) < lopsided*float64(total) {
		return ""
	}
	return fmt.Sprintf("Most of the lag is in %s: a key that has most of the records, or a record that its member cannot get past.", at)
}

func timesText(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func have(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " has"
	}
	return fmt.Sprintf("%d %ss have", n, noun)
}

func were(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " was"
	}
	return fmt.Sprintf("%d %ss were", n, noun)
}

// some names the first few.
func some(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}
