package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// A runner polls a member in a goroutine of its own, as each consumer of a group does in its own process.
type runner struct {
	member
	stop context.CancelFunc
	done sync.WaitGroup
	err  error // read after done
}

func startRunner(ctx context.Context, c client, topic, group string) (*runner, error) {
	m, err := c.join(ctx, topic, group, false)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	r := &runner{member: m, stop: stop}
	r.done.Go(func() {
		for ctx.Err() == nil {
			if _, err := m.poll(ctx); err != nil && ctx.Err() == nil {
				r.err = err
				return
			}
		}
	})
	return r, nil
}

func (r *runner) end() error {
	r.stop()
	r.done.Wait()
	return errors.Join(r.err, r.leave())
}

// sharePartitions: three members hold one of three partitions each, a fourth idles, one leaves and its partition moves.
func (c *course) sharePartitions(ctx context.Context) (err error) {
	var members []*runner
	defer func() {
		for _, m := range members {
			err = errors.Join(err, m.end())
		}
	}()
	enter := func() error {
		m, err := startRunner(ctx, c.client, c.topic, c.group+"-shared")
		if err == nil {
			members = append(members, m)
		}
		return err
	}
	for range 3 {
		if err := enter(); err != nil {
			return err
		}
	}
	if err := settle(ctx, &members, 1, 1, 1); err != nil {
		return err
	}
	if err := enter(); err != nil {
		return err
	}
	if err := settle(ctx, &members, 0, 1, 1, 1); err != nil {
		return err
	}
	leaver := slices.IndexFunc(members, func(m *runner) bool {
		held, _ := m.assigned()
		return len(held) > 0
	})
	m := members[leaver]
	members = slices.Delete(members, leaver, leaver+1)
	if err := m.end(); err != nil {
		return err
	}
	return settle(ctx, &members, 1, 1, 1)
}

// settle waits until the members hold that many partitions, and together each of the three once.
func settle(ctx context.Context, members *[]*runner, sizes ...int) error {
	var last string
	err := until(ctx, func() (bool, error) {
		var counts, all []int
		last = ""
		for _, m := range *members {
			held, settled := m.assigned()
			last += fmt.Sprint(held, settled, " ")
			if !settled {
				return false, nil
			}
			counts, all = append(counts, len(held)), append(all, held...)
		}
		slices.Sort(counts)
		slices.Sort(all)
		return slices.Equal(counts, sizes) && slices.Equal(all, []int{0, 1, 2}), nil
	})
	if err != nil {
		return fmt.Errorf("partitions shared %v, is %s: %w", sizes, last, err)
	}
	return nil
}
