package group

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// maxSweptOffsets bounds how many offsets one step of a sweep looks at: requests wait meanwhile.
const maxSweptOffsets = 20_000

// sweep is the expiry of offsets, which goes through all groups every offsets.retention.check.interval.ms, a few groups
// a step.
type sweep struct {
	next time.Time // of its next step
	left []*group  // groups that this round has not come to
}

// expireOffsets removes what offsets.retention.minutes has passed for, and groups of which nothing is left (KIP-211).
func (c *Coordinator) expireOffsets(out *outcome, now time.Time) {
	settings := c.options.Settings()
	if len(c.expiry.left) == 0 {
		c.expiry.left = c.sorted()
	}
	for seen := 0; len(c.expiry.left) > 0 && !out.full() && seen < maxSweptOffsets; {
		g := c.expiry.left[0]
		if c.groups[g.id] == g {
			seen += 1 + len(g.offsets)
			if !c.expire(out, now, g, settings.OffsetsRetention) {
				break // the rest of its offsets has the next step
			}
		}
		c.expiry.left = c.expiry.left[1:]
	}
	if len(out.Records) > 0 {
		out.then(func(err error) {
			if err != nil {
				c.options.Logger.Error("offsets whose retention is over could not be removed", "error", err)
			}
		})
	}
	c.expiry.next = now
	if len(c.expiry.left) == 0 {
		c.expiry = sweep{next: now.Add(settings.ExpiryInterval)}
	}
}

// expire writes tombstones for the group's expired offsets and, if nothing is left of it, for the group. It returns false
// if the step is full before it is through.
func (c *Coordinator) expire(out *outcome, now time.Time, g *group, retention time.Duration) bool {
	var expired []kafka.TopicPartition
	for tp, o := range g.offsets {
		if len(g.pending[tp]) == 0 && g.expired(tp.Topic, o, now.UnixMilli(), retention.Milliseconds()) {
			expired = append(expired, tp)
		}
	}
	slices.SortFunc(expired, comparePartitions)
	written := len(out.Records)
	for _, tp := range expired {
		if out.full() {
			break
		}
		out.write(offsetTombstone(g.id, tp))
	}
	written = len(out.Records) - written
	if written > 0 {
		c.noteCommitted(out, g.id, Cause{Kind: OffsetsExpired, Setting: settingRetention, Limit: int64(retention.Minutes()), Value: int64(written)})
	}
	if written < len(expired) {
		return false
	}
	if len(expired) == len(g.offsets) && len(g.pending) == 0 && g.kind.abandoned() {
		c.noteCommitted(out, g.id, Cause{Kind: GroupDeleted, Reason: "it had neither members nor offsets"})
		g.kind.tombstones(out)
	}
	return true
}

// expired reports whether an offset has outlived its retention.
func (g *group) expired(topic string, o committed, now, retention int64) bool {
	since, expires := g.kind.expirySince(topic, o)
	switch {
	case !expires:
		return false
	case o.expires >= 0:
		return now >= o.expires
	}
	return now-since >= retention
}
