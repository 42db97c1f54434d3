package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A client is what the course needs of a Kafka client.
type client interface {
	create(ctx context.Context, topic string, partitions int) error
	partitions(ctx context.Context, topic string) (int, error)
	grow(ctx context.Context, topic string, total int) error
	configure(ctx context.Context, topic, name, value string) error
	// send sends and waits for all acknowledgements, in order. A message that the broker finds too large is errTooLarge.
	send(ctx context.Context, topic string, messages []message) ([]place, error)
	// join starts a consumer of a group. From the beginning, or from the end, where nothing is committed.
	join(ctx context.Context, topic, group string, fromEnd bool) (member, error)
	// committed returns the group's committed offsets of the topic.
	committed(ctx context.Context, topic, group string) (map[int]int64, error)
}

// A member is one consumer of a group.
type member interface {
	// poll returns records that have come within a short while; none is no error.
	poll(ctx context.Context) ([]received, error)
	commit(ctx context.Context, next map[int]int64) error
	// assigned returns the partitions it holds, and false while that is being negotiated.
	assigned() ([]int, bool)
	leave() error
}

var errTooLarge = errors.New("MESSAGE_TOO_LARGE")

// anyPartition lets the client choose by key.
const anyPartition = -1

type message struct {
	key       string
	value     []byte
	partition int
}

type place struct {
	partition int
	offset    int64
}

type received struct {
	place
	key   string
	order order
}

type order struct {
	ID       int64  `json:"id"`
	Customer string `json:"customer,omitempty"`
	Note     string `json:"note,omitempty"`
}

const (
	orders    = 60
	customers = 12
	largeID   = -1 // the order id of the large message
)

func orderOf(id int64) order {
	return order{ID: id, Customer: fmt.Sprintf("customer-%d", id%customers), Note: "주문"}
}

func decode(partition int, offset int64, key, value []byte) (received, error) {
	r := received{place: place{partition, offset}, key: string(key)}
	if err := json.Unmarshal(value, &r.order); err != nil {
		return r, fmt.Errorf("record at %d@%d: %w", partition, offset, err)
	}
	return r, nil
}

// servers are the addresses of $BOOTSTRAP.
func servers(bootstrap string) []string { return strings.Split(bootstrap, ",") }

// replication is how many replicas topics have.
func replication() int {
	n, err := strconv.Atoi(os.Getenv("REPLICATION"))
	if err != nil {
		return 1
	}
	return n
}
