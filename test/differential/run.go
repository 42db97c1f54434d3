package differential

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// A Step is one answer in a transcript.
type Step struct {
	Line    int
	Asked   string // API, version, request as text
	API     string
	Version int16
	Leaves  []Leaf
}

// A run is one scenario on one broker.
type run struct {
	addr    string
	nodes   *nodes // nil where there is one broker
	now     time.Time
	names   *names
	vars    map[string]string
	batches map[string][]byte
	conns   map[string]*conn
	on      string // the connection in use
	last    outcome
	steps   []Step
}

// play runs a scenario on the broker at addr. now is the present that both sides agree on. The steps so far are returned
// with an error too.
func play(s *Scenario, addr string, now time.Time) ([]Step, error) {
	return playOn(s, nil, addr, now)
}

// playOn is play on a cluster of which addr is one node.
func playOn(s *Scenario, all *nodes, addr string, now time.Time) ([]Step, error) {
	r := &run{
		addr: addr, nodes: all, now: now, names: newNames(addr, now), vars: map[string]string{}, batches: map[string][]byte{},
		conns: map[string]*conn{}, on: "main",
	}
	if all != nil {
		r.names.nodes = all.addrs
	}
	defer func() {
		for _, c := range r.conns {
			c.Close()
		}
	}()
	err := r.all(s.Commands)
	return r.steps, err
}

func (r *run) all(commands []Command) error {
	for _, c := range commands {
		if err := r.command(c); err != nil {
			return fmt.Errorf("line %d: %s: %w", c.Line, c.Verb, err)
		}
	}
	return nil
}

func (r *run) command(c Command) error {
	rest := r.expand(c.Rest)
	words := strings.Fields(rest)
	switch c.Verb {
	case "topic":
		return r.topic(words)
	case "produce":
		return r.produce(words)
	case "group":
		return r.awaitCoordinator(rest)
	case "txn":
		return r.awaitTransactionCoordinator(rest)
	case "batch":
		batch, err := buildBatch(words[1:], r.now)
		r.batches[words[0]] = batch
		return err
	case "ended":
		return r.awaitEnd(rest)
	case "let":
		name, value, _ := strings.Cut(rest, " ")
		r.vars[name] = value
		return nil
	case "on":
		r.on = rest
		return nil
	case "close":
		if c := r.conns[r.connectionName()]; c != nil {
			c.Close()
			delete(r.conns, r.connectionName())
		}
		return nil
	case "at", "stop", "kill", "start":
		return r.onNode(c.Verb, rest)
	case "placed":
		return r.placed(words)
	case "set":
		return r.set(words[0], words[1])
	case "took":
		return r.took(words[0], words[1])
	case "tick":
		nextMillisecond()
		return nil
	case "each":
		return r.each(c)
	case "ask", "send", "post", "quiet", "cut", "trail":
		return r.versions(c)
	case "recv":
		return r.receive(c)
	case "wait":
		return r.wait(c)
	case "unserved":
		return r.unserved(c, words)
	case "raw":
		return r.raw(c, rest)
	}
	return fmt.Errorf("no such command")
}

// expand replaces $name by the variable's text; $now and $now-8d are times in milliseconds.
func (r *run) expand(text string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		n := 0
		for n < len(after) && (after[n] == '_' || after[n] >= '0' && after[n] <= '9' || after[n]|0x20 >= 'a' && after[n]|0x20 <= 'z') {
			n++
		}
		name := after[:n]
		if name == "now" {
			out.WriteString(strconv.FormatInt(r.now.UnixMilli(), 10))
		} else if value, ok := r.vars[name]; ok {
			out.WriteString(value)
		} else {
			out.WriteString("$" + name) // each sets $v later
		}
		text = after[n:]
	}
}

// each runs its body for every version of a list (of the API named, or plain numbers) with the version in $v.
func (r *run) each(c Command) error {
	words := strings.Fields(c.Rest)
	api := wire.API{Max: 1 << 14}
	if len(words) == 2 {
		var err error
		if api, err = apiNamed(words[0]); err != nil {
			return err
		}
	}
	versions, err := versionsOf(api, words[len(words)-1])
	if err != nil {
		return err
	}
	for _, v := range versions {
		r.vars["v"] = strconv.Itoa(int(v))
		if err := r.all(c.Body); err != nil {
			return fmt.Errorf("%d: %w", v, err)
		}
	}
	delete(r.vars, "v")
	return nil
}
