package differential

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// versions does what an asking command says for each version of its list: "ask API VERSIONS {request}".
func (r *run) versions(c Command) error {
	name, rest, _ := strings.Cut(c.Rest, " ")
	list, text, _ := strings.Cut(strings.TrimSpace(rest), " ")
	api, err := apiNamed(name)
	if err != nil {
		return err
	}
	versions, err := versionsOf(api, r.expand(list))
	if err != nil {
		return err
	}
	for _, v := range versions {
		if err := r.oneVersion(c, api, v, text); err != nil {
			return fmt.Errorf("%s version %d: %w", name, v, err)
		}
	}
	return nil
}

// request builds a request from its text; $v in it is the version, unless a block (each) says otherwise.
func (r *run) request(api wire.API, version int16, text string) (wire.Message, string, error) {
	if _, inBlock := r.vars["v"]; !inBlock {
		r.vars["v"] = strconv.Itoa(int(version))
		defer delete(r.vars, "v")
	}
	text = r.expand(text)
	rq := wire.NewRequest(api.Key)
	rq.Reset()
	if text == "" {
		return rq, text, nil
	}
	return rq, text, fill(rq, text, r.batches)
}

func (r *run) oneVersion(c Command, api wire.API, version int16, text string) error {
	rq, text, err := r.request(api, version, text)
	if err != nil {
		return err
	}
	connection, err := r.connection()
	if err != nil {
		return err
	}
	frame, err := connection.frame(version, rq)
	if err != nil {
		return err
	}
	step := Step{Line: c.Line, Asked: text, API: api.Name, Version: version}
	switch c.Verb {
	case "cut":
		return r.cuts(step, frame, api)
	case "trail":
		frame = append(frame, 0, 1, 2, 3)
	}
	if err := connection.write(frame, api.Key, version, c.Verb != "post"); err != nil {
		return err
	}
	switch c.Verb {
	case "ask":
		r.record(step, connection.read(patience))
	case "trail":
		r.record(step, connection.read(quietTime))
	case "quiet":
		r.last = connection.read(patience)
	case "send":
		connection.pending[len(connection.pending)-1].step = step
	}
	return nil
}

// cuts sends a request's bytes in ever shorter forms: without the last byte, half of the body, no body.
func (r *run) cuts(step Step, frame []byte, api wire.API) error {
	header := len(frame) - bodySize(frame, api, step.Version)
	for _, keep := range []int{len(frame) - 1, (header + len(frame)) / 2, header} {
		connection, err := r.connection()
		if err != nil {
			return err
		}
		connection.correlation++
		short := append([]byte(nil), frame[:keep]...)
		copy(short[4:], []byte{byte(connection.correlation >> 24), byte(connection.correlation >> 16), byte(connection.correlation >> 8), byte(connection.correlation)})
		if err := connection.write(short, api.Key, step.Version, true); err != nil {
			return err
		}
		cut := step
		cut.Asked = fmt.Sprintf("the first %d of %d bytes of %s", keep, len(frame), step.Asked)
		r.record(cut, connection.read(quietTime))
	}
	return nil
}

func bodySize(frame []byte, api wire.API, version int16) int {
	reader := wire.NewReader(frame)
	var header wire.RequestHeader
	header.Decode(reader, wire.RequestHeaderVersion(api.Key, version))
	return len(reader.Remaining())
}

// connection returns the connection in use, a new one if there is none.
func (r *run) connection() (*conn, error) {
	name := r.connectionName()
	if c := r.conns[name]; c != nil {
		return c, nil
	}
	c, err := dial(r.addr)
	if err == nil {
		r.conns[name] = c
	}
	return c, err
}

// connectionName names the connection in use. Those to another node are others.
func (r *run) connectionName() string {
	if r.nodes == nil {
		return r.on
	}
	return r.addr + " " + r.on
}

// record keeps an outcome as a step of the transcript. A connection that the broker closed, or on which an answer is owed,
// is not used again.
func (r *run) record(step Step, o outcome) {
	r.last = o
	if o.says != "" {
		step.Leaves = append(step.Leaves, Leaf{"", o.says, o.says})
		r.conns[r.connectionName()].Close()
		delete(r.conns, r.connectionName())
	}
	if o.answer != nil {
		step.Leaves = append(step.Leaves, leaves(o.answer, r.names)...)
	}
	r.steps = append(r.steps, step)
}

// receive records the answer to the oldest request sent with send.
func (r *run) receive(c Command) error {
	connection := r.conns[r.connectionName()]
	if connection == nil || len(connection.pending) == 0 {
		return fmt.Errorf("nothing was sent on connection %s", r.on)
	}
	step := connection.pending[0].step
	step.Line = c.Line
	r.record(step, connection.read(patience))
	return nil
}

// set keeps the value at a path of the last answer in a variable.
func (r *run) set(name, path string) error {
	value, err := r.lookup(path)
	r.vars[name] = value
	return err
}

func (r *run) lookup(path string) (string, error) {
	if r.last.answer == nil {
		return "", fmt.Errorf("no answer but %q", r.last.says)
	}
	found := leaves(r.last.answer, newNames(r.addr, r.now))
	for _, leaf := range found {
		if leaf.Path == path {
			return leaf.Raw, nil
		}
	}
	return "", fmt.Errorf("no %s in the answer: %v", path, found)
}

// took fails unless the last answer came within bounds.
func (r *run) took(low, high string) error {
	from, err := time.ParseDuration(low)
	if err != nil {
		return err
	}
	to, err := time.ParseDuration(high)
	if err != nil {
		return err
	}
	if r.last.took < from || r.last.took > to {
		return fmt.Errorf("the answer took %v, want %v to %v", r.last.took, from, to)
	}
	return nil
}

// unserved sends requests of versions and API keys that are not served: "unserved KEY VERSION".
func (r *run) unserved(c Command, words []string) error {
	key, err := strconv.Atoi(words[0])
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	return r.unservedVersion(c, int16(key), int16(version))
}

func (r *run) unservedVersion(c Command, key, version int16) error {
	connection, err := r.connection()
	if err != nil {
		return err
	}
	connection.correlation++
	var w wire.Writer
	id := clientID
	header := wire.RequestHeader{RequestApiKey: key, RequestApiVersion: version, CorrelationID: connection.correlation, ClientID: &id}
	header.Encode(&w, wire.RequestHeaderVersion(key, version))
	if err := connection.write(w.Bytes(), key, version, true); err != nil {
		return err
	}
	api, _ := wire.FindAPI(key)
	r.record(Step{Line: c.Line, API: api.Name, Version: version, Asked: fmt.Sprintf("key %d", key)}, connection.read(quietTime))
	return nil
}

// raw sends bytes as they are, "raw HEX", on a connection of their own and records what the broker does with it. Bytes that
// come back are no answer to anything and not decoded.
func (r *run) raw(c Command, rest string) error {
	bytes, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
	if err != nil {
		return err
	}
	connection, err := dial(r.addr)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := connection.Write(bytes); err != nil {
		return err
	}
	connection.SetReadDeadline(time.Now().Add(quietTime))
	says := "connection closed"
	if n, err := connection.Read(make([]byte, 1)); n > 0 {
		says = "an answer"
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		says = "waits for more"
	}
	r.steps = append(r.steps, Step{Line: c.Line, Asked: rest, Leaves: []Leaf{{"", says, says}}})
	return nil
}
