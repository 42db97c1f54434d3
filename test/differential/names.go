package differential

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// names replaces what one broker made up by a name that two brokers share: the kind and the order of appearance.
type names struct {
	addr  string   // host:port that the broker advertises
	nodes []string // those of all nodes of a cluster, by id from 1 on; nil for a broker that is alone
	now   time.Time
	given map[string]map[string]string // kind -> what the broker says -> name
	ids   map[string]string            // topic id -> name of the topic, where an answer or the scenario told it
	taken map[string]int               // how many ids a topic's name has had
}

func newNames(addr string, now time.Time) *names {
	return &names{addr: addr, now: now, given: map[string]map[string]string{}, ids: map[string]string{}, taken: map[string]int{}}
}

func (n *names) name(kind, said string) string {
	known := n.given[kind]
	if known == nil {
		known = map[string]string{}
		n.given[kind] = known
	}
	name, ok := known[said]
	if !ok {
		name = fmt.Sprintf("<%s %d>", kind, len(known)+1)
		known[said] = name
	}
	return name
}

// topic tells which topic an id belongs to. A topic that was deleted and created again has several.
func (n *names) topic(id, name string) {
	if _, known := n.ids[id]; known {
		return
	}
	n.taken[name]++
	if again := n.taken[name]; again > 1 {
		name = fmt.Sprintf("%s (%d)", name, again)
	}
	n.ids[id] = name
}

func (n *names) uuid(id kafka.UUID) string {
	if id.IsZero() {
		return "none"
	}
	if name, known := n.ids[id.String()]; known {
		return "<id of " + name + ">"
	}
	return n.name("topic id", id.String())
}

// A member id, or any other id made of a random UUID in its usual text form.
var randomID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// A random UUID in Kafka's own form, which is nothing but it.
func isRandom(s string) bool {
	id, err := kafka.ParseUUID(s)
	return err == nil && len(s) == 22 && id[6]>>4 == 4 && id[8]>>6 == 2
}

// The bounds of the time window in Kafka's words for a timestamp outside of it: they follow the clock.
var window = regexp.MustCompile(`within \[\d+, \d+\]`)

// A producer id in an error's text.
var producerID = regexp.MustCompile(`((?:P|p)roducer(?:Id)? )(\d+)`)

// text is a string with the ids and the present in it replaced.
func (n *names) text(s string) string {
	for i, addr := range n.nodes {
		s = strings.ReplaceAll(s, addr, fmt.Sprintf("<address of %d>", i+1))
	}
	s = strings.ReplaceAll(s, n.addr, "<address>")
	s = window.ReplaceAllString(s, "within <the window>")
	s = randomID.ReplaceAllStringFunc(s, func(id string) string { return n.name("uuid", id) })
	s = producerID.ReplaceAllStringFunc(s, func(text string) string {
		m := producerID.FindStringSubmatch(text)
		if name, known := n.given["producer"][m[2]]; known {
			return m[1] + name
		}
		return text
	})
	if isRandom(s) {
		return n.name("uuid", s)
	}
	for id, name := range n.ids {
		s = strings.ReplaceAll(s, id, "<id of "+name+">")
	}
	for id, name := range n.given["topic id"] {
		s = strings.ReplaceAll(s, id, name)
	}
	return s
}

// nowWindow is how far a time may be from the start of the scenario to count as the present.
const nowWindow = 20 * time.Minute

// isNow tells timestamps that a broker took from its clock from those that a request brought along.
func (n *names) isNow(ms int64) bool {
	d := time.UnixMilli(ms).Sub(n.now)
	return d > -nowWindow && d < nowWindow
}

// portOf is the node of a cluster that has a port, 0 if none has.
func (n *names) portOf(port string) int {
	return 1 + slices.IndexFunc(n.nodes, func(addr string) bool { return strings.HasSuffix(addr, ":"+port) })
}
