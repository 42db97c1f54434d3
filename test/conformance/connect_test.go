package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/test/harness"
)

// connectWorker are the properties of every worker. Its producers are idempotent, which Connect's are not by default: so that a
// record is not there twice when the broker dies before its answer.
const connectWorker = `
bootstrap.servers=%s
listeners=http://%s
plugin.discovery=service_load
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
producer.enable.idempotence=true
consumer.isolation.level=read_committed
consumer.metadata.max.age.ms=1000
offset.flush.interval.ms=500
`

// A connectRun is a worker with Kafka's FileStreamSource, which writes the lines of a file to a topic, and FileStreamSink, which
// writes them to another file.
type connectRun struct {
	t      *testing.T
	tg     target
	dir    string
	rest   string // host:port
	topic  string
	worker *process
	lines  int // written to the source's file
}

func newConnectRun(t *testing.T, tg target) *connectRun {
	t.Helper()
	c := &connectRun{t: t, tg: tg, dir: t.TempDir(), rest: harness.FreeAddr(t), topic: tg.name("file-lines")}
	if _, err := kadm.NewClient(kafkaClient(t, tg)).CreateTopic(t.Context(), 1, tg.replicas(), nil, c.topic); err != nil {
		t.Fatal(err)
	}
	c.write(100)
	return c
}

func (c *connectRun) path(name string) string { return filepath.Join(c.dir, name) }

// file writes a file of properties and returns its path.
func (c *connectRun) file(name, text string) string {
	c.t.Helper()
	if err := os.WriteFile(c.path(name), []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
	return c.path(name)
}

func (c *connectRun) connectors() map[string]map[string]string {
	return map[string]map[string]string{
		"source": {"name": "source", "connector.class": "FileStreamSource", "tasks.max": "1", "file": c.path("in.txt"), "topic": c.topic},
		"sink":   {"name": "sink", "connector.class": "FileStreamSink", "tasks.max": "1", "file": c.path("out.txt"), "topics": c.topic},
	}
}

// write appends n lines to the file that the source reads.
func (c *connectRun) write(n int) {
	c.t.Helper()
	var text bytes.Buffer
	for range n {
		fmt.Fprintf(&text, "line %d\n", c.lines)
		c.lines++
	}
	f, err := os.OpenFile(c.path("in.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(text.Bytes()); err != nil {
		c.t.Fatal(err)
	}
}

// written returns the lines of the sink's file.
func (c *connectRun) written() []string {
	text, err := os.ReadFile(c.path("out.txt"))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// arrive waits until the last line has come out of the sink.
func (c *connectRun) arrive() {
	c.t.Helper()
	last := fmt.Sprintf("line %d", c.lines-1)
	eventually(c.t, stuckLimit, func() string { return fmt.Sprintf("%q in the sink's file, which has %d lines", last, len(c.written())) }, func() bool {
		got := c.written()
		return len(got) > 0 && got[len(got)-1] == last
	})
}

// await waits until the worker says that both connectors and their tasks are RUNNING.
func (c *connectRun) await() {
	c.t.Helper()
	last := ""
	eventually(c.t, stuckLimit, func() string { return "both connectors RUNNING, status is " + last }, func() bool {
		last = ""
		for name := range c.connectors() {
			last += c.status(name) + " "
		}
		return last == "RUNNING,RUNNING RUNNING,RUNNING "
	})
}

// status is the state of a connector and of its tasks, or what is wrong.
func (c *connectRun) status(name string) string {
	answer, err := http.Get("http://" + c.rest + "/connectors/" + name + "/status")
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Sprint(answer.Status, err)
	}
	var status struct {
		Connector struct{ State string }
		Tasks     []struct{ State string }
	}
	if err := json.Unmarshal(text, &status); err != nil {
		return err.Error()
	}
	states := status.Connector.State
	for _, task := range status.Tasks {
		states += "," + task.State
	}
	return states
}

// put makes a connector, or waits until the worker takes it.
func (c *connectRun) put(name string, config map[string]string) {
	c.t.Helper()
	body, _ := json.Marshal(config)
	last := ""
	eventually(c.t, stuckLimit, func() string { return "the connector " + name + ", the answer is " + last }, func() bool {
		request, err := http.NewRequestWithContext(c.t.Context(), http.MethodPut, "http://"+c.rest+"/connectors/"+name+"/config", bytes.NewReader(body))
		if err != nil {
			c.t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			last = err.Error()
			return false
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		last = answer.Status + " " + string(text)
		return answer.StatusCode < 300
	})
}

// checkTopic wants every line once and in order.
func (c *connectRun) checkTopic() {
	c.t.Helper()
	var got []string
	for _, r := range wholeTopic(c.t, c.tg, c.topic)[0] {
		got = append(got, string(r.Value))
	}
	c.checkLines("the topic", got)
}

func (c *connectRun) checkLines(what string, got []string) {
	c.t.Helper()
	for i, line := range got {
		if want := fmt.Sprintf("line %d", i); line != want {
			c.t.Errorf("%s: %q where %q should be", what, line, want)
			return
		}
	}
	if len(got) != c.lines {
		c.t.Errorf("%s has %d lines, want %d", what, len(got), c.lines)
	}
}

// A standalone worker copies a file through a topic while the broker is killed: the files are equal.
func TestConnectStandalone(t *testing.T) {
	t.Parallel()
	tg := newTarget(t)
	c := newConnectRun(t, tg)
	args := []string{c.file("worker.properties", fmt.Sprintf(connectWorker, tg.addr, c.rest)+"offset.storage.file.filename="+c.path("offsets")+"\n")}
	for name, config := range c.connectors() {
		text := ""
		for key, value := range config {
			text += key + "=" + value + "\n"
		}
		args = append(args, c.file(name+".properties", text))
	}
	c.worker = javaProof(t, "org.apache.kafka.connect.cli.ConnectStandalone", args...).start(t, "worker")
	c.await()
	c.arrive()
	for range 2 {
		c.write(200)
		tg.kill()
		c.write(200)
		tg.restart(t)
		c.arrive()
	}
	c.await()
	c.worker.stop(30 * time.Second)
	c.checkTopic()
	c.checkLines("the sink's file", c.written())
}

// A distributed worker, with exactly-once sources, while the broker and the worker are killed: the topic has every line once.
// The sink writes some lines again after it was killed: its file has every line, and for the first time in order.
func TestConnectDistributed(t *testing.T) {
	t.Parallel()
	tg := newTarget(t)
	c := newConnectRun(t, tg)
	properties := fmt.Sprintf(connectWorker, tg.addr, c.rest) + "exactly.once.source.support=enabled\nscheduled.rebalance.max.delay.ms=0\n" +
		"session.timeout.ms=6000\nheartbeat.interval.ms=1000\nadmin.metadata.max.age.ms=1000\ngroup.id=" + tg.name("connect") + "\n"
	for _, storage := range []string{"offset", "config", "status"} {
		properties += fmt.Sprintf("%s.storage.topic=%s\n%s.storage.replication.factor=1\n", storage, tg.name("connect-"+storage), storage)
	}
	c.worker = javaProof(t, "org.apache.kafka.connect.cli.ConnectDistributed", c.file("worker.properties", properties)).start(t, "worker")
	for name, config := range c.connectors() {
		if name == "source" {
			config["exactly.once.support"], config["transaction.boundary"] = "required", "poll"
		}
		c.put(name, config)
	}
	c.await()
	c.arrive()
	for i, fault := range []func(){func() { tg.crash(t) }, func() { c.worker.kill(); c.worker.launch() }, func() { tg.crash(t) }} {
		c.write(200)
		time.Sleep(time.Duration(100*i) * time.Millisecond) // in the middle of the work
		fault()
		c.write(200)
		c.arrive()
	}
	c.await()
	c.worker.stop(30 * time.Second)
	c.checkTopic()
	c.checkLines("the sink's file, without repetitions", firsts(c.written()))
}

// firsts leaves out the lines that were there before.
func firsts(lines []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, line := range lines {
		if !seen[line] {
			out = append(out, line)
		}
		seen[line] = true
	}
	return out
}
