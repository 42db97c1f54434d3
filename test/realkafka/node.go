package realkafka

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	stopLimit = 30 * time.Second
	logTail   = 4 << 10 // bytes of the log that an error shows
)

//go:embed log4j2.yaml
var logging []byte

// A Node is one Kafka process, or, after Stop or Kill, what it left on disk.
type Node struct {
	ID   int
	Addr string // host:port of the listener for clients
	Dir  string // server.properties, the log file, and data (log.dirs)
	PID  int    // 0 while it does not run
	// Ready is how long the last start took, from the start of the process to the first answered request.
	Ready time.Duration

	libs, controllerAddr string
	launched             time.Time
	process              *os.Process
	exited               chan struct{} // closed when the process has ended
}

// Start starts a formatted, stopped or killed node (again): same ports, same data. It returns when the node answers.
func (n *Node) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := n.launch(); err != nil {
		return err
	}
	if err := n.await(ctx); err != nil {
		n.Kill()
		return err
	}
	return nil
}

// Stop ends the node with SIGTERM; if that takes longer than 30 seconds it is killed, which is an error.
func (n *Node) Stop() error {
	if n.PID == 0 {
		return nil
	}
	n.process.Signal(syscall.SIGTERM)
	select {
	case <-n.exited:
		n.PID = 0
		return nil
	case <-time.After(stopLimit):
		n.Kill()
		return fmt.Errorf("node %d of real Kafka did not stop within %v", n.ID, stopLimit)
	}
}

// Kill ends the node with SIGKILL.
func (n *Node) Kill() {
	if n.PID == 0 {
		return
	}
	n.process.Kill()
	<-n.exited
	n.PID = 0
}

// Log returns what the node has printed, over all its starts.
func (n *Node) Log() string {
	text, err := os.ReadFile(n.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (n *Node) launch() error {
	out, err := os.OpenFile(n.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := n.java(context.Background(), "kafka.Kafka", n.propertiesPath())
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = dieWithParent()
	n.launched = time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start node %d of real Kafka: %w", n.ID, err)
	}
	exited := make(chan struct{})
	n.process, n.PID, n.exited = cmd.Process, cmd.Process.Pid, exited
	go func() {
		cmd.Wait()
		close(exited)
	}()
	return nil
}

func (n *Node) await(ctx context.Context) error {
	if err := waitReady(ctx, n.Addr, n.exited); err != nil {
		log := []byte(n.Log())
		if len(log) > logTail {
			log = log[len(log)-logTail:]
			log = log[bytes.IndexByte(log, '\n')+1:]
		}
		return fmt.Errorf("node %d of real Kafka: %w\n%s", n.ID, err, log)
	}
	n.Ready = time.Since(n.launched)
	return nil
}

func (n *Node) propertiesPath() string { return filepath.Join(n.Dir, "server.properties") }
func (n *Node) logPath() string        { return filepath.Join(n.Dir, "log") }
func (n *Node) loggingPath() string    { return filepath.Join(n.Dir, "log4j2.yaml") }

// java is the command that runs a main class of Kafka's jars with the JVM flags of Kafka's start script.
func (n *Node) java(ctx context.Context, class string, args ...string) *exec.Cmd {
	heap := os.Getenv("KAFKA_HEAP_OPTS")
	if heap == "" {
		heap = "-Xmx1G -Xms1G"
	}
	flags := append(strings.Fields(heap),
		"-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent",
		"-Djava.awt.headless=true", "-Dlog4j2.configurationFile="+n.loggingPath(), "-cp", filepath.Join(n.libs, "*"), class)
	return exec.CommandContext(ctx, "java", append(flags, args...)...)
}
