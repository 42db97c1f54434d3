package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/ottla/ottla/internal/broker"
	"github.com/ottla/ottla/internal/config"
)

// stopTimeout is how long a stopping broker waits for slow clients to take their answers.
const stopTimeout = 30 * time.Second

// serve is the command: it reads its options and runs a broker.
func serve(args []string, stdout, stderr io.Writer) int {
	sources, err := parseServe(args)
	if err != nil {
		fmt.Fprintln(stderr, "ottla serve:", err)
		return 1
	}
	return runBroker(sources, stdout, stderr)
}

// runBroker runs a broker until a signal or a failure ends it.
func runBroker(sources config.Sources, stdout, stderr io.Writer) int {
	c, notices, err := loadConfig(sources)
	if err != nil {
		fmt.Fprintln(stderr, "ottla serve:", err)
		return 1
	}
	tuneGC()
	level := new(slog.LevelVar)
	log := newLogger(stderr, level)
	for _, n := range notices {
		log.Warn(n.String())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	start := time.Now()
	b, err := broker.Start(ctx, broker.Options{Config: c, Logger: log, LogLevel: level, Version: version})
	if err != nil {
		fmt.Fprintln(stderr, "ottla serve:", err)
		return 1
	}
	greet(stdout, b, time.Since(start))
	code := 0
	select {
	case <-ctx.Done():
		log.Info("stopping; a second signal ends the wait for clients")
	case err := <-b.Failed():
		log.Error("the broker cannot go on", "error", err)
		code = 1
	}
	stop() // from now on a signal ends the process as usual
	ended, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := b.Stop(ended); err != nil {
		log.Error("the stop was not clean", "error", err)
		return 1
	}
	log.Info("stopped")
	return code
}

// gcPercent lets the heap grow to five times what is live before it is collected: what is live is a few megabytes, so that
// the default would collect several times a second for nothing.
const gcPercent = 400

func tuneGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// parseServe reads the options of serve.
func parseServe(args []string) (config.Sources, error) {
	sources := config.Sources{Environ: os.Environ()}
	for len(args) > 0 {
		name, value, inline := strings.Cut(args[0], "=")
		if name != "--config" && name != "--set" {
			return sources, fmt.Errorf("unknown option %s: there are --config FILE and --set KEY=VALUE", args[0])
		}
		args = args[1:]
		if !inline {
			if len(args) == 0 {
				return sources, fmt.Errorf("%s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		if name == "--config" {
			sources.File = value
		} else {
			sources.Sets = append(sources.Sets, value)
		}
	}
	return sources, nil
}

// newLogger logs text to a terminal and JSON to everything else.
func newLogger(w io.Writer, level *slog.LevelVar) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// greet says where everything is, and what to try. The lines with "Kafka Server started" and "RECOVERY to RUNNING" are
// what start scripts and Testcontainers wait for.
func greet(w io.Writer, b *broker.Broker, took time.Duration) {
	fmt.Fprintf(w, "Ottla %s, node %d of cluster %s, started in %d ms\n", version, b.Node(), b.ClusterID(), took.Milliseconds())
	bootstrap := ""
	for _, l := range b.Listeners() {
		fmt.Fprintf(w, "  Kafka     %s\n", l)
		if bootstrap == "" {
			bootstrap = reachable(l.Address())
		}
	}
	for _, l := range b.ControllerListeners() {
		fmt.Fprintf(w, "  control   %s\n", l)
	}
	if address := b.HTTPAddress(); address != "" {
		fmt.Fprintf(w, "  HTTP      http://%s/healthz /readyz /metrics\n", reachable(address))
	}
	for _, dir := range b.Directories() {
		state := ""
		if err := dir.Failed(); err != nil {
			state = fmt.Sprintf(" is OFFLINE: %v", err)
		}
		fmt.Fprintf(w, "  data      %s%s\n", dir.Path(), state)
	}
	if bootstrap != "" { // no client is sent to a controller alone
		suggest(w, bootstrap)
	}
	fmt.Fprint(w, "\nTransitioning from RECOVERY to RUNNING\nKafka Server started\n")
}

// suggest says what to try.
func suggest(w io.Writer, bootstrap string) {
	fmt.Fprintf(w, `
Try, in another terminal:
  %[1]s kafka-topics --bootstrap-server %[2]s --create --topic greetings --partitions 3
  echo hello | %[1]s kafka-console-producer --bootstrap-server %[2]s --topic greetings
  %[1]s kafka-console-consumer --bootstrap-server %[2]s --topic greetings --from-beginning --max-messages 1
`, callableAs(os.Args[0], os.Environ()), bootstrap)
}

// reachable is the address by which a program on this machine reaches a listener: localhost for one on all interfaces.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return address
}
