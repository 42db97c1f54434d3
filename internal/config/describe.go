package config

import (
	"maps"
	"slices"
	"strconv"

	"github.com/ottla/ottla/internal/kafka"
)

// Entry is one property in an answer to DescribeConfigs.
type Entry struct {
	Name      string
	Value     *string // nil for null and for what must not be shown
	Source    Source
	Type      Type
	Sensitive bool
	ReadOnly  bool
	Doc       *string        // nil unless asked for
	Synonyms  []SynonymEntry // empty unless asked for
}

// SynonymEntry is a setting that gives, or would give, a property its value, highest precedence first.
type SynonymEntry struct {
	Name   string
	Value  *string
	Source Source
}

// describe builds one entry the way Kafka's ConfigHelper does: the source is that of the first synonym, which is the
// default when there is none.
func describe(r *Row, v value, synonyms []SynonymEntry, withSynonyms, withDoc bool) Entry {
	e := Entry{Name: r.Name, Source: DefaultConfig, Type: r.Type, Sensitive: r.Sensitive()}
	if !v.null && !e.Sensitive {
		text := v.format(r.Type)
		e.Value = &text
	}
	if len(synonyms) > 0 {
		e.Source = synonyms[0].Source
	}
	if withSynonyms {
		e.Synonyms = synonyms
	}
	if withDoc && r.Doc != "" {
		e.Doc = &r.Doc
	}
	return e
}

// wanted reports whether a name was asked for; no names mean all.
func wanted(names []string, name string) bool {
	return len(names) == 0 || slices.Contains(names, name)
}

// own prepends the resource's own setting to the synonyms.
func own(r *Row, v value, source Source, synonyms []SynonymEntry) []SynonymEntry {
	if v.source != source {
		return synonyms
	}
	text := v.format(r.Type)
	return append([]SynonymEntry{{Name: r.Name, Value: &text, Source: source}}, synonyms...)
}

// Describe returns the topic's properties by name: those in names, or all. Internal ones appear only when set.
func (t *Topic) Describe(names []string, withSynonyms, withDocs bool) []Entry {
	var entries []Entry
	for r := range TopicRows() {
		v := t.values[r.index]
		if !wanted(names, r.Name) || r.Internal && v.source != TopicConfig {
			continue
		}
		var synonyms []SynonymEntry
		if len(r.Synonyms) > 0 {
			synonyms = t.broker.synonyms(r.Synonyms[0].Row.Name, false)
		}
		entries = append(entries, describe(r, v, own(r, v, TopicConfig, synonyms), withSynonyms, withDocs))
	}
	return entries
}

// Describe returns the group's properties by name: those in names, or all.
func (g *Group) Describe(names []string, withSynonyms, withDocs bool) []Entry {
	var entries []Entry
	for r := range GroupRows() {
		if !wanted(names, r.Name) {
			continue
		}
		v := g.values[r.index]
		var synonyms []SynonymEntry
		if len(r.Synonyms) > 0 {
			synonyms = g.broker.synonyms(r.Synonyms[0].Row.Name, false)
		} else {
			synonyms = []SynonymEntry{{Name: r.Name, Value: &r.Default, Source: DefaultConfig}}
		}
		entries = append(entries, describe(r, v, own(r, v, GroupConfig, synonyms), withSynonyms, withDocs))
	}
	return entries
}

// Describe returns the subscription's properties by name: those in names, or all.
func (m *ClientMetrics) Describe(names []string, withSynonyms, withDocs bool) []Entry {
	var entries []Entry
	for r := range ClientMetricsRows() {
		if wanted(names, r.Name) {
			v := m.values[r.index]
			entries = append(entries, describe(r, v, own(r, v, ClientMetricsConfig, nil), withSynonyms, withDocs))
		}
	}
	return entries
}

// Describe returns the properties of the broker resource with this name: the broker's id, or empty for what is set
// dynamically for all brokers. Errors are INVALID_REQUEST.
func (b *Broker) Describe(resource string, names []string, withSynonyms, withDocs bool) ([]Entry, error) {
	if resource == "" {
		return b.describeDefaults(names, withSynonyms, withDocs), nil
	}
	id, err := strconv.ParseInt(resource, 10, 32)
	if err != nil {
		return nil, kafka.Errorf(kafka.InvalidRequest, "Broker id must be an integer, but it is: %s", resource)
	}
	if int(id) != b.Int(NodeID) {
		return nil, kafka.Errorf(kafka.InvalidRequest, "Unexpected broker id, expected %d or empty string, but received %s", b.Int(NodeID), resource)
	}
	var entries []Entry
	for _, name := range b.describable() {
		if wanted(names, name) {
			r, text := b.described(name)
			entries = append(entries, brokerEntry(name, r, text, b.synonyms(name, r.Sensitive()), withSynonyms, withDocs))
		}
	}
	return entries, nil
}

func (b *Broker) describeDefaults(names []string, withSynonyms, withDocs bool) []Entry {
	var entries []Entry
	for _, name := range sortedKeys(b.cluster) {
		if !wanted(names, name) {
			continue
		}
		r, _ := b.described(name)
		text := b.cluster[name]
		synonyms := slices.DeleteFunc(b.synonyms(name, r.Sensitive()), func(s SynonymEntry) bool { return s.Source != DynamicDefaultConfig })
		entries = append(entries, brokerEntry(name, r, &text, synonyms, withSynonyms, withDocs))
	}
	return entries
}

// brokerEntry describes a broker property, which may bear a listener's prefix or be unknown.
func brokerEntry(name string, r *Row, text *string, synonyms []SynonymEntry, withSynonyms, withDocs bool) Entry {
	e := describe(r, value{null: true}, synonyms, withSynonyms, withDocs)
	e.Name, e.ReadOnly = name, !isDynamic(name)
	if !e.Sensitive {
		e.Value = text
	}
	if r == strangerRow {
		e.Type = UnknownType
	}
	return e
}

// describable returns the names that a description of the broker shows: all rows but internal ones that nobody set,
// and everything else that somebody set.
func (b *Broker) describable() []string {
	names := make(map[string]bool)
	for r := range BrokerRows() {
		names[r.Name] = !r.Internal
	}
	for _, l := range b.layers() {
		for name := range l.texts {
			names[name] = true
		}
	}
	maps.DeleteFunc(names, func(_ string, shown bool) bool { return !shown })
	return sortedKeys(names)
}

// strangerRow describes what is not known: it may be a secret of a plug-in.
var strangerRow = &Row{Type: Password}

// described returns the row of a name, or a stand-in for unknown names, and the text of its effective value.
func (b *Broker) described(name string) (*Row, *string) {
	if r := brokerTable.byName[name]; r != nil {
		if b.values[r.index].null {
			return r, nil
		}
		text := b.values[r.index].format(r.Type)
		return r, &text
	}
	text, _ := b.lookUp(name)
	if r := brokerRow(name); r != nil {
		return r, &text
	}
	return strangerRow, &text
}

// synonyms returns the settings behind a broker property in Kafka's order: layer by layer, and within a layer by the
// precedence of names. As in Kafka, what stands before the first one with the property's own name is left out.
func (b *Broker) synonyms(name string, hidden bool) []SynonymEntry {
	names := brokerSynonyms(name)
	var all []SynonymEntry
	for _, l := range b.layers() {
		for _, n := range names {
			if text, ok := l.texts[n]; ok {
				all = append(all, SynonymEntry{n, shown(text, hidden), l.source})
			}
		}
	}
	for _, n := range names {
		if r := brokerTable.byName[n]; r != nil && !b.defaults[r.index].null && !(r.Required && len(all) > 0) {
			all = append(all, SynonymEntry{n, shown(b.defaults[r.index].format(r.Type), hidden), DefaultConfig})
		}
	}
	for len(all) > 0 && all[0].Name != name {
		all = all[1:]
	}
	return all
}

func shown(text string, hidden bool) *string {
	if hidden {
		return nil
	}
	return &text
}

// brokerSynonyms returns the names that set the same thing as a broker property, highest precedence first.
func brokerSynonyms(name string) []string {
	families := [][]string{
		{"log.roll.ms", "log.roll.hours"},
		{"log.roll.jitter.ms", "log.roll.jitter.hours"},
		{"log.retention.ms", "log.retention.minutes", "log.retention.hours"},
	}
	for _, family := range families {
		if slices.Contains(family, name) {
			return family
		}
	}
	if name == "log.flush.interval.ms" {
		return []string{name, "log.flush.scheduler.interval.ms"}
	}
	if base, ok := listenerBase(name); ok {
		return []string{name, base}
	}
	return []string{name}
}
