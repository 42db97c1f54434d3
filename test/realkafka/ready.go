package realkafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

// apiVersionsV0 is a whole request: length 10, api key 18, version 0, correlation id 7, no client id.
var apiVersionsV0 = []byte{0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff}

// metadataV1 is a whole request: length 14, api key 3, version 1, correlation id 7, no client id, no topics.
var metadataV1 = []byte{0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 7, 0xff, 0xff, 0, 0, 0, 0}

// waitReady returns when the node at addr answers ApiVersions without an error, or when it has exited or ctx is done.
func waitReady(ctx context.Context, addr string, exited <-chan struct{}) error {
	for {
		err := askVersions(addr)
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("exited before it answered on %s", addr)
		case <-ctx.Done():
			return fmt.Errorf("no answer on %s: %w (last: %v)", addr, ctx.Err(), err)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func askVersions(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Write(apiVersionsV0); err != nil {
		return err
	}
	var head [10]byte // length, correlation id, error code
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	if code := int16(binary.BigEndian.Uint16(head[8:])); code != 0 {
		return fmt.Errorf("ApiVersions answered with error code %d", code)
	}
	return nil
}

// waitBrokers returns when the node at addr knows as many brokers as that, or when ctx is done.
func waitBrokers(ctx context.Context, addr string, brokers int) error {
	for {
		n, err := countBrokers(addr)
		if err == nil && n >= brokers {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s knows %d of %d brokers: %w (last: %v)", addr, n, brokers, ctx.Err(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// countBrokers asks the node at addr how many brokers are alive.
func countBrokers(addr string) (int, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Write(metadataV1); err != nil {
		return 0, err
	}
	var head [12]byte // length, correlation id, number of brokers
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return 0, err
	}
	return int(binary.BigEndian.Uint32(head[8:])), nil
}

// freePorts returns n ports of loopback on which nobody listens. They are below the range from which operating systems take
// the ports of outgoing connections, and above those of package harness: a JVM takes seconds until it listens.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range 100 * n {
		port := 31000 + rand.IntN(1700)
		l, err := net.Listen("tcp", fmt.Sprintf("localhost:%d", port))
		if err != nil {
			continue
		}
		defer l.Close() // only at the end, so that no port comes twice
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("found only %d of %d free ports", len(ports), n)
}
