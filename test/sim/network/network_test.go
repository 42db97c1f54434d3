package network

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const hop = 10 * time.Millisecond

// connected gives a connection from host a to host b, both ends.
func connected(t *testing.T, n *Network) (a, b *Host, here, there net.Conn) {
	t.Helper()
	a, b = n.Host("a", "10.0.0.1"), n.Host("b", "10.0.0.2")
	l, err := b.Listen("tcp", "10.0.0.2:9092")
	if err != nil {
		t.Fatal(err)
	}
	here, err = a.Dial(t.Context(), "tcp", "10.0.0.2:9092")
	if err != nil {
		t.Fatal(err)
	}
	there, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return a, b, here, there
}

func read(t *testing.T, c net.Conn, want string) time.Duration {
	t.Helper()
	start := time.Now()
	p := make([]byte, len(want))
	if _, err := io.ReadFull(c, p); err != nil || string(p) != want {
		t.Fatalf("read %q, %v; want %q", p, err, want)
	}
	return time.Since(start)
}

func TestBytesArriveInOrderAfterTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, here, there := connected(t, New(1, Delay{Base: hop, Jitter: hop}))
		for _, text := range []string{"one", "two", "three"} {
			here.Write([]byte(text))
		}
		if took := read(t, there, "onetwothree"); took < hop || took > 2*hop {
			t.Errorf("took %v", took)
		}
		here.Close()
		if _, err := there.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the close: %v", err)
		}
	})
}

func TestACutHoldsBackOneDirection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1, Delay{Base: hop})
		_, _, here, there := connected(t, n)
		n.Cut("a", "b")
		here.Write([]byte("x"))
		there.Write([]byte("y"))
		read(t, here, "y")
		there.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := there.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("over a cut link: %v", err)
		}
		there.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Second, func() { n.Heal("a", "b") })
		if took := read(t, there, "x"); took != time.Second {
			t.Errorf("arrived after %v", took)
		}
		n.Cut("a", "b")
		here.Write([]byte("x"))
		time.Sleep(2 * Retransmission)
		n.Heal("a", "b")
		if _, err := there.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after a long cut: %v", err)
		}
	})
}

func TestDeathIsToldAndPowerFailureIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1, Delay{Base: hop})
		a, b, here, _ := connected(t, n)
		b.Kill()
		if _, err := here.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after a kill: %v", err)
		}
		start := time.Now()
		if _, err := a.Dial(t.Context(), "tcp", "10.0.0.2:9092"); !errors.Is(err, syscall.ECONNREFUSED) || time.Since(start) != 2*hop {
			t.Errorf("dial: %v after %v", err, time.Since(start))
		}
		b.Start()
		l, _ := b.Listen("tcp", "10.0.0.2:9092")
		here, err := a.Dial(t.Context(), "tcp", "10.0.0.2:9092")
		if err != nil {
			t.Fatal(err)
		}
		l.Accept()
		b.PowerOff()
		here.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := here.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("without power: %v", err)
		}
		here.SetReadDeadline(time.Time{})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := a.Dial(ctx, "tcp", "10.0.0.2:9092"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial without power: %v", err)
		}
		b.Start()
		if _, err := here.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("with power again: %v", err)
		}
	})
}

func TestAPausedHostHearsAllLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, b, here, there := connected(t, New(1, Delay{Base: hop}))
		b.Pause()
		here.Write([]byte("x"))
		there.Write([]byte("y"))
		time.AfterFunc(time.Second, b.Resume)
		if took := read(t, here, "y"); took != time.Second {
			t.Errorf("left the paused host after %v", took)
		}
		read(t, there, "x")
	})
}
