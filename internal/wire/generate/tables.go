package main

import (
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/wire/schema"
)

// tables prints what lists messages: the APIs and the constructors by key.
func (p *printer) tables(all []*message) {
	p.line("// APIs are the APIs of Kafka 4.3 in the order of their keys.")
	p.line("var APIs = []API{")
	for _, m := range of(all, schema.Request, "") {
		high := m.Versions.Max
		if m.Unstable {
			high--
		}
		flexible := "neverFlexible"
		if !m.Flexible.Empty() {
			flexible = m.Flexible.String()[:len(m.Flexible.String())-1]
		}
		p.line("{Key: %d, Name: %q, Min: %d, Max: %d, Flexible: %s, Broker: %v, Controller: %v},",
			m.Key, strings.TrimSuffix(m.Name, "Request"), m.Versions.Min, high, flexible,
			slices.Contains(m.Listeners, "broker"), slices.Contains(m.Listeners, "controller"))
	}
	p.line("}\n")
	p.constructor(all, schema.Request, "", "NewRequest", "an empty request of the API")
	p.constructor(all, schema.Response, "", "NewResponse", "an empty response of the API")
	p.constructor(all, schema.Metadata, "metadata_records", "NewMetadataRecord", "an empty record of the cluster metadata log")
	p.constructor(all, schema.Metadata, "storage_records", "NewRemoteLogRecord", "an empty record of __remote_log_metadata")
	for _, log := range []struct{ file, name, topic string }{
		{"group_records", "Group", "__consumer_offsets"},
		{"transaction_records", "Transaction", "__transaction_state"},
		{"share_records", "Share", "__share_group_state"},
	} {
		p.constructor(all, schema.CoordinatorKey, log.file, "New"+log.name+"Key", "an empty key of a record of "+log.topic)
		p.constructor(all, schema.CoordinatorValue, log.file, "New"+log.name+"Value", "an empty value of a record of "+log.topic)
	}
}

// of selects messages by kind and, unless it is empty, by file, in the order of their keys.
func of(all []*message, kind schema.Kind, file string) []*message {
	var some []*message
	for _, m := range all {
		if m.Kind == kind && (file == "" || m.file == file) {
			some = append(some, m)
		}
	}
	slices.SortFunc(some, func(a, b *message) int { return a.Key - b.Key })
	return some
}

func (p *printer) constructor(all []*message, kind schema.Kind, file, name, what string) {
	p.line("// %s returns %s, or nil for a key that Kafka 4.3 does not have.", name, what)
	p.line("func %s(key int16) Message {", name)
	p.line("switch key {")
	for _, m := range of(all, kind, file) {
		p.line("case %d:\nreturn new(%s)", m.Key, m.Name)
	}
	p.line("}\nreturn nil\n}\n")
}
