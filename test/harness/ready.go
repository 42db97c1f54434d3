package harness

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// apiVersionsV0 is a whole request: length 10, api key 18, version 0, correlation id 7, no client id.
var apiVersionsV0 = []byte{0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff}

// waitReady returns when the broker at addr answers ApiVersions, or an error when it has exited or the limit has passed.
func waitReady(addr string, exited <-chan struct{}, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		err := askVersions(addr, deadline)
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return errors.New("exited before it answered")
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no answer within %v: %w", limit, err)
		}
	}
}

func askVersions(addr string, deadline time.Time) error {
	conn, err := net.DialTimeout("tcp", addr, time.Until(deadline))
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(deadline)
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
