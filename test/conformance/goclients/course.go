package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

type course struct {
	client       client
	topic, group string
	handled      map[int64]bool // orders that the group has read before it was restarted
	state        struct {
		Acknowledged [][3]int64    `json:"acknowledged"` // partition, offset, order id
		Committed    map[int]int64 `json:"committed"`
	}
}

func (c *course) before() []step {
	return []step{
		{"create-topic", c.createTopic},
		{"produce-json-with-keys", c.produceJSON},
		{"same-key-same-partition-in-order", c.keepOrder},
		{"group-reads-and-commits", c.readAndCommit},
		{"restart-resumes-at-commit", c.resume},
		{"second-group-reads-everything", func(ctx context.Context) error {
			_, err := c.readAll(ctx, c.group+"-audit", orders)
			return err
		}},
		{"members-share-partitions", c.sharePartitions},
		{"partitions-grow", c.growPartitions},
		{"latest-skips-what-was-there", c.latest},
		{"large-message-needs-a-larger-limit", c.large},
	}
}

func (c *course) after() []step {
	return []step{
		{"acknowledged-survives", func(ctx context.Context) error {
			got, err := c.readAll(ctx, c.group+"-check", len(c.state.Acknowledged))
			return errors.Join(err, same("records", rows(got), c.acknowledged()))
		}},
		{"committed-survives", func(ctx context.Context) error {
			got, err := c.client.committed(ctx, c.topic, c.group)
			return errors.Join(err, same("committed offsets", got, c.state.Committed))
		}},
		{"group-goes-on", c.goOn},
	}
}

func (c *course) createTopic(ctx context.Context) error {
	if err := c.client.create(ctx, c.topic, 3); err != nil {
		return err
	}
	return c.awaitPartitions(ctx, 3)
}

func (c *course) awaitPartitions(ctx context.Context, want int) error {
	return until(ctx, func() (bool, error) {
		n, err := c.client.partitions(ctx, c.topic)
		return n == want, err
	})
}

func (c *course) produceJSON(ctx context.Context) error {
	var ids []int64
	for id := range int64(orders) {
		ids = append(ids, id)
	}
	return c.sendOrders(ctx, ids, nil)
}

func (c *course) sendOrders(ctx context.Context, ids []int64, partitions []int) error {
	var messages []message
	for i, id := range ids {
		value, err := json.Marshal(orderOf(id))
		if err != nil {
			return err
		}
		m := message{orderOf(id).Customer, value, anyPartition}
		if partitions != nil {
			m.partition = partitions[i]
		}
		messages = append(messages, m)
	}
	places, err := c.client.send(ctx, c.topic, messages)
	if err != nil {
		return err
	}
	for i, p := range places {
		c.state.Acknowledged = append(c.state.Acknowledged, [3]int64{int64(p.partition), p.offset, ids[i]})
	}
	return same("acknowledgements", len(places), len(ids))
}

func (c *course) keepOrder(ctx context.Context) error {
	got, err := c.readAll(ctx, c.group+"-order", orders)
	if err != nil {
		return err
	}
	partition, last := map[string]int{}, map[string]int64{}
	for _, r := range got {
		if r.order != orderOf(r.order.ID) || r.key != r.order.Customer {
			return fmt.Errorf("changed record: %+v", r)
		}
		if p, seen := partition[r.key]; seen && (p != r.partition || last[r.key] > r.order.ID) {
			return fmt.Errorf("%s: order %d in partition %d after order %d in partition %d", r.key, r.order.ID, r.partition, last[r.key], p)
		}
		partition[r.key], last[r.key] = r.partition, r.order.ID
	}
	return errors.Join(same("keys", len(partition), customers), same("records", rows(got), c.acknowledged()))
}

func (c *course) readAndCommit(ctx context.Context) error {
	m, err := c.client.join(ctx, c.topic, c.group, false)
	if err != nil {
		return err
	}
	got, err := take(ctx, m, 20)
	if err != nil {
		return err
	}
	got = got[:20] // what came beyond is not handled, as if the program had died
	c.state.Committed, c.handled = nexts(got), map[int64]bool{}
	for _, r := range got {
		c.handled[r.order.ID] = true
	}
	return errors.Join(m.commit(ctx, c.state.Committed), m.leave())
}

func (c *course) resume(ctx context.Context) error {
	m, err := c.client.join(ctx, c.topic, c.group, false)
	if err != nil {
		return err
	}
	got, err := take(ctx, m, orders-len(c.handled))
	if err != nil {
		return err
	}
	for _, r := range got {
		if c.handled[r.order.ID] {
			return fmt.Errorf("order %d was handled twice", r.order.ID)
		}
		c.handled[r.order.ID] = true
	}
	next := nexts(got)
	maps.Copy(c.state.Committed, next)
	if len(next) > 0 {
		err = m.commit(ctx, next)
	}
	if err := errors.Join(err, m.leave(), same("orders handled", len(c.handled), orders)); err != nil {
		return err
	}
	committed, err := c.client.committed(ctx, c.topic, c.group)
	return errors.Join(err, same("committed offsets", committed, c.state.Committed))
}

func (c *course) growPartitions(ctx context.Context) error {
	if err := c.client.grow(ctx, c.topic, 6); err != nil {
		return err
	}
	if err := c.awaitPartitions(ctx, 6); err != nil {
		return err
	}
	if err := c.sendOrders(ctx, []int64{orders, orders + 1, orders + 2}, []int{3, 4, 5}); err != nil {
		return err
	}
	var got []int64
	for _, a := range c.state.Acknowledged[orders:] {
		got = append(got, a[0])
	}
	return same("new partitions", got, []int64{3, 4, 5})
}

func (c *course) latest(ctx context.Context) error {
	m, err := c.client.join(ctx, c.topic, c.group+"-late", true)
	if err != nil {
		return err
	}
	var got []received
	id := int64(1000)
	err = until(ctx, func() (bool, error) {
		sent := c.sendOrders(ctx, []int64{id}, nil)
		id++
		some, err := m.poll(ctx)
		got = append(got, some...)
		return len(got) > 0, errors.Join(sent, err)
	})
	for _, r := range got {
		if r.order.ID < 1000 {
			err = errors.Join(err, fmt.Errorf("old order %d was read", r.order.ID))
		}
	}
	return errors.Join(err, m.leave())
}

func (c *course) large(ctx context.Context) error {
	value := fmt.Appendf(nil, `{"id":%d,"body":"%s"}`, largeID, strings.Repeat("x", 1_500_000))
	send := func() (place, error) {
		places, err := c.client.send(ctx, c.topic, []message{{"large", value, anyPartition}})
		if err != nil {
			return place{}, err
		}
		return places[0], nil
	}
	if _, err := send(); !errors.Is(err, errTooLarge) {
		return fmt.Errorf("answer to 1.5 MB: %v, want %v", err, errTooLarge)
	}
	if err := c.client.configure(ctx, c.topic, "max.message.bytes", "3000000"); err != nil {
		return err
	}
	return until(ctx, func() (bool, error) {
		p, err := send()
		if errors.Is(err, errTooLarge) {
			return false, nil
		}
		c.state.Acknowledged = append(c.state.Acknowledged, [3]int64{int64(p.partition), p.offset, largeID})
		return true, err
	})
}

func (c *course) goOn(ctx context.Context) error {
	want := []int64{2000}
	for _, a := range c.state.Acknowledged {
		if a[1] >= c.state.Committed[int(a[0])] {
			want = append(want, a[2])
		}
	}
	if err := c.sendOrders(ctx, []int64{2000}, nil); err != nil {
		return err
	}
	records, err := c.readAll(ctx, c.group, len(want))
	var got []int64
	for _, r := range records {
		got = append(got, r.order.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	return errors.Join(err, same("orders read on", got, want))
}

// readAll reads n records as the only member of a group.
func (c *course) readAll(ctx context.Context, group string, n int) ([]received, error) {
	m, err := c.client.join(ctx, c.topic, group, false)
	if err != nil {
		return nil, err
	}
	got, err := take(ctx, m, n)
	return got, errors.Join(err, m.leave())
}

func (c *course) acknowledged() [][3]int64 {
	return slices.SortedFunc(slices.Values(c.state.Acknowledged), compareRows)
}

func rows(records []received) [][3]int64 {
	var out [][3]int64
	for _, r := range records {
		out = append(out, [3]int64{int64(r.partition), r.offset, r.order.ID})
	}
	slices.SortFunc(out, compareRows)
	return out
}

func compareRows(a, b [3]int64) int { return slices.Compare(a[:], b[:]) }

func nexts(records []received) map[int]int64 {
	next := map[int]int64{}
	for _, r := range records {
		next[r.partition] = max(next[r.partition], r.offset+1)
	}
	return next
}

func take(ctx context.Context, m member, n int) ([]received, error) {
	var got []received
	for len(got) < n {
		some, err := m.poll(ctx)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, fmt.Errorf("after %d of %d records: %w", len(got), n, err)
		}
		got = append(got, some...)
	}
	return got, nil
}

func same(what string, got, want any) error {
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		return fmt.Errorf("%s: got %s, want %s", what, g, w)
	}
	return nil
}

// until asks until the answer is yes, an error, or the context's end.
func until(ctx context.Context, ask func() (bool, error)) error {
	for {
		ok, err := ask()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
