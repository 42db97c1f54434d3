package config

import (
	"fmt"
	"slices"
	"strings"
)

// NoticeKind says why a user should hear of a property.
type NoticeKind int8

const (
	// UnknownProperty has no meaning; Kafka logs it and goes on.
	UnknownProperty NoticeKind = iota
	// NotYetEnforced is accepted and comes with a later version.
	NotYetEnforced
	// WithoutEffect is accepted and has nothing to act on here.
	WithoutEffect
	// ZooKeeperNotNeeded is said once, however many zookeeper properties there are.
	ZooKeeperNotNeeded
	// RemovedProperty was one of older Kafka versions.
	RemovedProperty
	// UnreachableListener warns of an advertised address that nobody listens on from outside.
	UnreachableListener
	// IgnoredDynamic is a stored dynamic property that cannot be applied.
	IgnoredDynamic
)

// Notice is one line for the start-up output.
type Notice struct {
	Kind NoticeKind
	Name string // the property
	Text string // one printable line, without secrets
}

// String returns the line.
func (n Notice) String() string { return n.Text }

func notice(kind NoticeKind, name, format string, args ...any) Notice {
	text := fmt.Sprintf(format, args...)
	return Notice{Kind: kind, Name: name, Text: strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '?'
		}
		return c
	}, text)}
}

// noticesFor comments on what the user has set, in the order of names.
func noticesFor(static map[string]string, values, defaults []value) []Notice {
	var all []Notice
	zookeeper := false
	for _, name := range sortedKeys(static) {
		r := brokerTable.byName[name]
		switch {
		case r != nil:
			if sameValue(r, values[r.index], defaults[r.index]) {
				continue
			}
			if n, ok := statusNotice(r, values[r.index]); ok {
				all = append(all, n)
			}
		case strings.HasPrefix(name, "zookeeper."):
			if !zookeeper {
				all = append(all, notice(ZooKeeperNotNeeded, name, "%s: ZooKeeper is not needed; the broker keeps the cluster's metadata itself", name))
			}
			zookeeper = true
		default:
			if n, ok := strangerNotice(name); ok {
				all = append(all, n)
			}
		}
	}
	return all
}

func statusNotice(r *Row, v value) (Notice, bool) {
	shown := r.Name
	if !r.Sensitive() && !v.null {
		shown += "=" + v.format(r.Type)
	}
	switch r.Status {
	case Later:
		return notice(NotYetEnforced, r.Name, "%s is accepted and has no effect in this version: it comes with %s", shown, r.Why), true
	case NoEffect:
		return notice(WithoutEffect, r.Name, "%s is accepted and has no effect here: %s", shown, r.Why), true
	}
	return Notice{}, false
}

// strangerNotice comments on a name that is no broker property.
func strangerNotice(name string) (Notice, bool) {
	if why, ok := removed[name]; ok {
		return notice(RemovedProperty, name, "%s has no effect: %s", name, why), true
	}
	if dynamicTable.byName[name] != nil {
		return notice(WithoutEffect, name, "%s has no effect here: it can only be set through kafka-configs", name), true
	}
	if r := brokerRow(name); r != nil {
		return statusNotice(&Row{Name: name, Type: Password, Status: r.Status, Why: r.Why}, value{})
	}
	if slices.ContainsFunc(companions, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
		return Notice{}, false
	}
	if near := nearestName(name); near != "" {
		return notice(UnknownProperty, name, "%s is not a known property and has no effect; did you mean %s?", name, near), true
	}
	return notice(UnknownProperty, name, "%s is not a known property and has no effect", name), true
}

// nearestName finds the property that differs from name in at most two letters.
func nearestName(name string) string {
	best, distance := "", 3
	for r := range BrokerRows() {
		if d := editDistance(name, r.Name, distance); d < distance {
			best, distance = r.Name, d
		}
	}
	return best
}

// editDistance counts the letters to change, add or drop; at least limit when there are that many.
func editDistance(a, b string, limit int) int {
	if len(a) > 200 || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before := make([]int, len(b)+1)
	for j := range before {
		before[j] = j
	}
	for i := range len(a) {
		now := make([]int, len(b)+1)
		now[0] = i + 1
		for j := range len(b) {
			change := before[j]
			if a[i] != b[j] {
				change++
			}
			now[j+1] = min(change, before[j+1]+1, now[j]+1)
		}
		before = now
	}
	return before[len(b)]
}

// companions begin the names that belong to another property.
var companions = []string{"config.providers.", "super.users", "allow.everyone.if.no.acl.found", "rsm.config.", "rlmm.config.", "remote.log.metadata."}
