package group

import (
	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/statemachine"
)

// Delete removes a group without members, and its offsets, in one batch: all of it or nothing.
func (c *Coordinator) Delete(from causes.Client, groupID string, answer func(error)) statemachine.Output {
	var out outcome
	err := c.delete(&out, groupID)
	if err == nil {
		c.noteCommitted(&out, groupID, Cause{Kind: GroupDeleted, Member: whoIs(from, "", nil)})
	}
	reply(&out, answer, err, failure)
	return out.Output
}

func (c *Coordinator) delete(out *outcome, groupID string) error {
	g := c.groups[groupID]
	if g == nil {
		return errNoGroup(groupID)
	}
	if err := g.kind.checkDelete(); err != nil {
		return err
	}
	for _, tp := range g.known() {
		out.write(offsetTombstone(g.id, tp))
	}
	g.kind.tombstones(out)
	return nil
}
