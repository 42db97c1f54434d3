package txn

import "time"

// maxSwept bounds how many transactional ids one step of a sweep looks at: requests wait meanwhile.
const maxSwept = 20_000

// sweep is the expiry of transactional ids, which goes through all of them every
// transaction.remove.expired.transaction.cleanup.interval.ms, some a step.
type sweep struct {
	next time.Time      // of its next step
	left []*transaction // that this round has not come to
}

// expire forgets transactional ids that nobody has used for transactional.id.expiration.ms. One with an open transaction
// stays.
func (c *Coordinator) expire(out *outcome, now time.Time) {
	settings := c.options.Settings()
	if len(c.expiry.left) == 0 {
		c.expiry.left = sorted(c.transactions)
	}
	var expired []string
	limit := now.Add(-settings.IDExpiration).UnixMilli()
	for seen := 0; len(c.expiry.left) > 0 && !out.full() && seen < maxSwept; seen++ {
		t := c.expiry.left[0]
		c.expiry.left = c.expiry.left[1:]
		if c.transactions[t.id] == t && t.state.idle() && t.updated <= limit {
			c.forget(out, t.id)
			expired = append(expired, t.id)
		}
	}
	c.noteExpired(out, expired, settings.IDExpiration)
	c.expiry.next = now
	if len(c.expiry.left) == 0 {
		c.expiry = sweep{next: now.Add(settings.ExpiryInterval)}
	}
}

// noteExpired keeps that transactional ids are forgotten, once they are.
func (c *Coordinator) noteExpired(out *outcome, ids []string, limit time.Duration) {
	if len(ids) == 0 {
		return
	}
	out.then(func(err error) {
		if err != nil {
			return
		}
		c.again(func(_ *outcome, now time.Time) {
			for _, id := range ids {
				c.causes.Note(now, id, Cause{Kind: IDExpired, Setting: settingExpiration, Limit: limit.Milliseconds()})
			}
		})
	})
}
