package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// A transactional is what the transactions need of a Kafka client. The steps are those of ../python/transactions.py.
type transactional interface {
	// producer takes the transactional id from whoever had it.
	producer(ctx context.Context, transactionalID string) (transactions, error)
	// reader joins a group as a read_committed consumer of the topic.
	reader(ctx context.Context, topic, group string) (committedReader, error)
	// fenced says whether the error means that another producer has taken the transactional id.
	fenced(err error) bool
}

// transactions is a transactional producer that writes to the topic OUT.
type transactions interface {
	begin() error
	send(ctx context.Context, partition int, value string) error
	flush(ctx context.Context) error
	// offsets has the transaction commit them for the group.
	offsets(ctx context.Context, topic, group string, next map[int]int64, r committedReader) error
	commit(ctx context.Context) error
	abort(ctx context.Context) error
}

type committedReader interface {
	poll(ctx context.Context) ([]value, error)
	seek(next map[int]int64)
	leave() error
}

type value struct {
	place
	text string
}

const shippedOrders = 30

type shipping struct {
	client         transactional
	producer       transactions
	in, out, group string
	id             string
}

func runTransactions(ctx context.Context, client transactional) error {
	s := &shipping{client: client, in: os.Getenv("IN"), out: os.Getenv("OUT"), group: os.Getenv("GROUP"), id: os.Getenv("TRANSACTIONAL_ID")}
	var err error
	if s.producer, err = client.producer(ctx, s.id); err != nil {
		return err
	}
	return walk([]step{
		{"commit", func(ctx context.Context) error {
			return errors.Join(s.write(ctx, "paid", 10), s.producer.commit(ctx))
		}},
		{"abort", func(ctx context.Context) error {
			return errors.Join(s.write(ctx, "refused", 10), s.producer.flush(ctx), s.producer.abort(ctx))
		}},
		{"read-process-write", s.readProcessWrite},
		{"zombie-is-fenced", s.zombie},
		{"open-at-crash", s.openAtCrash},
		{"reads-committed", s.readsCommitted},
	})
}

// write begins a transaction with n records.
func (s *shipping) write(ctx context.Context, word string, n int) error {
	if err := s.producer.begin(); err != nil {
		return err
	}
	for i := range n {
		if err := s.producer.send(ctx, i%2, fmt.Sprintf("%s-%d", word, i)); err != nil {
			return err
		}
	}
	return nil
}

func (s *shipping) readProcessWrite(ctx context.Context) error {
	r, err := s.client.reader(ctx, s.in, s.group)
	if err != nil {
		return err
	}
	first := true
	for done := 0; done < shippedOrders; {
		got, err := r.poll(ctx)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return fmt.Errorf("after %d of %d orders: %w", done, shippedOrders, err)
		}
		if len(got) == 0 {
			continue
		}
		if err := s.ship(ctx, r, got, first); err != nil {
			return err
		}
		if !first {
			done += len(got)
		}
		first = false
	}
	return r.leave()
}

// ship writes what was read in one transaction with its offsets. A failing one is aborted, and all of it read again.
func (s *shipping) ship(ctx context.Context, r committedReader, got []value, failing bool) error {
	word := "shipped"
	if failing {
		word = "aborted"
	}
	if err := s.producer.begin(); err != nil {
		return err
	}
	next, start := map[int]int64{}, map[int]int64{}
	for _, v := range got {
		if err := s.producer.send(ctx, v.partition, strings.Replace(v.text, "order", word, 1)); err != nil {
			return err
		}
		next[v.partition], start[v.partition] = v.offset+1, 0
	}
	if err := s.producer.offsets(ctx, s.in, s.group, next, r); err != nil {
		return err
	}
	if !failing {
		return s.producer.commit(ctx)
	}
	err := errors.Join(s.producer.flush(ctx), s.producer.abort(ctx))
	r.seek(start)
	return err
}

func (s *shipping) zombie(ctx context.Context) error {
	zombie, err := s.client.producer(ctx, s.id+"-zombie")
	if err != nil {
		return err
	}
	if err := errors.Join(zombie.begin(), zombie.send(ctx, 0, "zombie"), zombie.flush(ctx)); err != nil {
		return err
	}
	successor, err := s.client.producer(ctx, s.id+"-zombie")
	if err != nil {
		return err
	}
	err = zombie.send(ctx, 1, "zombie")
	if err == nil {
		err = zombie.commit(ctx)
	}
	if err == nil || !s.client.fenced(err) {
		return fmt.Errorf("the zombie's commit: %w", err)
	}
	return errors.Join(successor.begin(), successor.send(ctx, 0, "successor-0"), successor.commit(ctx))
}

func (s *shipping) openAtCrash(ctx context.Context) error {
	if err := errors.Join(s.write(ctx, "open", 6), s.producer.flush(ctx)); err != nil {
		return err
	}
	fmt.Println("crash")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("nobody crashes the broker: %w", err)
	}
	return errors.Join(s.producer.send(ctx, 0, "open-6"), s.producer.commit(ctx))
}

func (s *shipping) readsCommitted(ctx context.Context) error {
	want, got := []string{"successor-0"}, []string{}
	for word, n := range map[string]int{"paid": 10, "shipped": shippedOrders, "open": 7} {
		for i := range n {
			want = append(want, fmt.Sprintf("%s-%d", word, i))
		}
	}
	r, err := s.client.reader(ctx, s.out, s.group+"-audit")
	if err != nil {
		return err
	}
	for len(got) < len(want) {
		some, err := r.poll(ctx)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return fmt.Errorf("after %d of %d records: %w", len(got), len(want), err)
		}
		for _, v := range some {
			got = append(got, v.text)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	return errors.Join(r.leave(), same("records", got, want))
}
