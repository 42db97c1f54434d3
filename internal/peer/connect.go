package peer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// run makes the connection, again and again, until Close.
func (c *Client) run() {
	pause, wasUp, shortLived := firstPause, false, 0
	for c.ctx.Err() == nil {
		conn, versions, err := c.connect()
		if c.ctx.Err() == nil && (wasUp || Refused(err)) && c.options.OnDown != nil {
			c.options.OnDown(Refused(err))
		}
		wasUp = err == nil
		if err != nil {
			c.failQueue(err)
			c.rest(&pause)
			continue
		}
		began := time.Now()
		reason := c.exchange(conn, versions)
		c.failFlight(reason)
		if c.ctx.Err() == nil {
			c.log.Debug("connection to a peer is lost", "address", conn.RemoteAddr(), "reason", reason)
		}
		if time.Since(began) > firstPause {
			pause, shortLived = firstPause, 0
		} else if shortLived++; shortLived > 1 {
			c.rest(&pause) // a peer that ends every connection at once is not asked in a loop
		}
	}
	c.failQueue(errClosed)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.alarm != nil {
		c.mu.alarm.Stop()
	}
}

// rest waits before the next attempt, longer each time.
func (c *Client) rest(pause *time.Duration) {
	select {
	case <-c.ctx.Done():
	case <-c.retry:
	case <-time.After(*pause/2 + rand.N(*pause/2)):
	}
	*pause = min(2**pause, maxPause)
}

// connect opens a connection and asks for the peer's versions.
func (c *Client) connect() (net.Conn, versions, error) {
	ctx, cancel := context.WithTimeout(c.ctx, c.options.ConnectTimeout)
	defer cancel()
	address, err := c.options.Address()
	if err != nil {
		return nil, nil, err
	}
	c.mu.Lock()
	c.mu.address = address
	c.mu.Unlock()
	conn, err := c.options.Dial(ctx, address)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot connect to %s: %w", address, err)
	}
	c.mu.Lock()
	c.mu.conn, c.mu.broken = conn, nil
	c.mu.Unlock()
	if c.ctx.Err() != nil { // Close may have seen no connection
		c.drop(conn)
		return nil, nil, errClosed
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	versions, err := c.askVersions(conn)
	if err != nil {
		c.drop(conn)
		return nil, nil, fmt.Errorf("connection to %s: %w", address, err)
	}
	conn.SetDeadline(time.Time{})
	return conn, versions, nil
}

// drop closes a connection and returns why this side did so before, if it did.
func (c *Client) drop(conn net.Conn) error {
	conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.conn, c.mu.out = nil, nil
	return c.mu.broken
}

// wsaConnRefused is what Windows says when nobody listens.
const wsaConnRefused = syscall.Errno(10061)

// Refused reports whether an attempt to connect failed because nobody listens at the address: its machine answers, and the
// process that listened there is gone.
func Refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, wsaConnRefused)
}

// failQueue fails what was not sent, for lack of a connection.
func (c *Client) failQueue(reason error) {
	c.mu.Lock()
	queue := c.mu.queue
	c.mu.queue = nil
	c.mu.Unlock()
	for _, x := range queue {
		x.Done(unavailable(reason))
	}
}

// unavailable says that a request was not sent.
func unavailable(reason error) error {
	if kafka.CodeOf(reason) == kafka.NetworkException {
		return reason
	}
	return &Failure{Code: kafka.BrokerNotAvailable, Reason: reason}
}

// failFlight fails what was sent on a connection that is gone.
func (c *Client) failFlight(reason error) {
	now := time.Now()
	c.mu.Lock()
	flight := c.mu.flight
	c.mu.flight = nil
	c.mu.Unlock()
	for _, x := range flight {
		if !now.Before(x.deadline) {
			x.Done(timedOut(x))
			continue
		}
		x.Done(&Failure{Code: kafka.NetworkException, Reason: reason})
	}
}

// Failure is why a request has no response. Its Code tells whether the peer may have seen it (NETWORK_EXCEPTION) or has
// not (BROKER_NOT_AVAILABLE); errors.Is finds the code as well as the reason.
type Failure struct {
	Code   kafka.ErrorCode
	Reason error
}

func (f *Failure) Error() string   { return f.Reason.Error() }
func (f *Failure) Unwrap() []error { return []error{f.Code, f.Reason} }
