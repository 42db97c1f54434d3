package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	startLimit = 30 * time.Second
	stopLimit  = 30 * time.Second
)

// Ottla is the built binary with its default settings.
type Ottla struct {
	Binary string
	// Variant tells processes with other Properties apart; "" has the default settings.
	Variant    string
	Properties []string

	environment     []string // beyond that of this process
	dir, addr, http string
	cmd             *exec.Cmd
	exited          chan struct{}
}

// Name returns "ottla", and the variant.
func (b *Ottla) Name() string { return strings.TrimSpace("ottla " + b.Variant) }

// Start starts the binary on an empty directory.
func (b *Ottla) Start(ctx context.Context, dir string) (Started, error) {
	var err error
	if b.addr, err = freeAddr(); err != nil {
		return Started{}, err
	}
	if b.http, err = freeAddr(); err != nil {
		return Started{}, err
	}
	b.dir = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Started{}, err
	}
	launched := time.Now()
	if err := b.Again(ctx); err != nil {
		return Started{}, err
	}
	s := Started{FirstAnswer: time.Since(launched)}
	err = acknowledgeOne(ctx, b.addr)
	s.FirstRecord = time.Since(launched)
	return s, err
}

// Again starts the binary where it was stopped or killed.
func (b *Ottla) Again(ctx context.Context) error {
	logPath := filepath.Join(b.dir, "log")
	out, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	args := []string{"serve"}
	for _, p := range append([]string{"listeners=PLAINTEXT://" + b.addr, "log.dirs=" + filepath.Join(b.dir, "data"), "http.address=" + b.http}, slices.Concat(properties, b.Properties)...) {
		args = append(args, "--set", p)
	}
	cmd := exec.Command(b.Binary, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "KAFKA_") || strings.HasPrefix(pair, "CLUSTER_ID=")
	})
	cmd.Env = append(cmd.Env, b.environment...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s (make build makes it): %w", b.Binary, err)
	}
	b.cmd, b.exited = cmd, make(chan struct{})
	go func(exited chan struct{}) {
		cmd.Wait()
		close(exited)
	}(b.exited)
	if err := awaitAnswer(ctx, b.addr, b.exited, startLimit); err != nil {
		b.Kill()
		text, _ := os.ReadFile(logPath)
		return fmt.Errorf("%s: %w\n%s", b.Binary, err, text)
	}
	return nil
}

// Stop ends the process with SIGTERM, or after 30 seconds with SIGKILL, which is an error.
func (b *Ottla) Stop() error {
	if b.cmd == nil {
		return nil
	}
	resume(b.PID())
	b.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-b.exited:
		b.cmd = nil
		return nil
	case <-time.After(stopLimit):
		b.Kill()
		return fmt.Errorf("%s did not stop within %v of SIGTERM", b.Binary, stopLimit)
	}
}

// PID returns the process id.
func (b *Ottla) PID() int { return b.cmd.Process.Pid }

// Addr returns the listener for clients.
func (b *Ottla) Addr() string { return b.addr }

// HTTP returns the address of metrics and profiles.
func (b *Ottla) HTTP() string { return b.http }

// Size returns the size of the binary.
func (b *Ottla) Size() (int64, error) {
	info, err := os.Stat(b.Binary)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Kill ends the process with SIGKILL.
func (b *Ottla) Kill() {
	if b.cmd == nil {
		return
	}
	b.cmd.Process.Kill()
	<-b.exited
	b.cmd = nil
}
