package partition

import "github.com/ottla/ottla/internal/kafka"

// DeleteBefore makes offset the first one of the log (DeleteRecords); -1 stands for the high watermark. It returns the
// low watermark: the log start of the replica that is furthest behind. Errors: OFFSET_OUT_OF_RANGE above the high
// watermark, POLICY_VIOLATION on a topic whose cleanup.policy has no delete.
func (p *Partition) DeleteBefore(offset int64) (low int64, err error) {
	if _, err := p.Leading(AnyEpoch); err != nil {
		return -1, err
	}
	if settings := p.settings.Load(); !settings.Log.CleanupDelete && settings.Log.CleanupCompact {
		return -1, kafka.Errorf(kafka.PolicyViolation,
			"records of %s cannot be deleted: its cleanup.policy is compact, which keeps the last record of each key; add delete to it", p.name)
	}
	hw := p.Log().HighWatermark()
	if offset == -1 {
		offset = hw
	}
	if offset < 0 || offset > hw {
		return -1, kafka.Errorf(kafka.OffsetOutOfRange, "records of %s can be deleted up to its high watermark %d, not up to %d", p.name, hw, offset)
	}
	p.leadership.RLock() // the replica does not move to another directory meanwhile
	defer p.leadership.RUnlock()
	if err := p.Log().AdvanceStart(offset); err != nil {
		return -1, err
	}
	return p.Log().StartOffset(), nil
}
