package config

import (
	"iter"
	"slices"
	"strings"
)

// table holds the rows of one kind of resource.
type table struct {
	rows     []*Row // by name
	byName   map[string]*Row
	defaults []value // parsed, by index
}

// newTable numbers the rows and parses their defaults. It runs while the package's variables are initialised, so a
// broken row stops every test and every start.
func newTable(groups ...[]*Row) *table {
	t := &table{rows: slices.Concat(groups...), byName: make(map[string]*Row)}
	slices.SortFunc(t.rows, func(a, b *Row) int { return strings.Compare(a.Name, b.Name) })
	t.defaults = make([]value, len(t.rows))
	for i, r := range t.rows {
		if t.byName[r.Name] != nil {
			panic("BUG: config: two rows are named " + r.Name)
		}
		r.index = i
		t.byName[r.Name] = r
		if r.Null {
			t.defaults[i] = value{null: true}
			continue
		}
		v, err := parse(r, r.Default)
		if err != nil {
			panic("BUG: config: default of " + r.Name + ": " + err.Error())
		}
		t.defaults[i] = v
	}
	return t
}

func (t *table) all() iter.Seq[*Row] { return slices.Values(t.rows) }

// The tables of all properties, each row in the file of its theme.
var (
	brokerTable = newTable(identityRows, networkRows, topicDefaultRows, logRows, cleanerRows, replicationRows,
		offsetRows, groupRows, shareRows, streamsRows, transactionRows, quorumRows, metadataRows, metricRows, quotaRows,
		remoteRows, tlsRows, saslRows, oauthRows, securityRows, pluginRows, ottlaRows)
	// dynamicTable holds the broker properties that exist only as dynamic ones: no file or variable can set them.
	dynamicTable       = newTable(dynamicOnlyRows)
	topicTable         = newTable(topicRows, topicRemoteRows, topicOttlaRows)
	groupTable         = newTable(groupOverrideRows)
	clientMetricsTable = newTable(clientMetricsRows)
)

// BrokerRows yields the properties of brokers by name, without those that can only be set dynamically.
func BrokerRows() iter.Seq[*Row] { return brokerTable.all() }

// DynamicOnlyRows yields the broker properties that can only be set through the Admin API (replication throttles).
func DynamicOnlyRows() iter.Seq[*Row] { return dynamicTable.all() }

// TopicRows yields the properties of topics by name.
func TopicRows() iter.Seq[*Row] { return topicTable.all() }

// GroupRows yields the properties of groups by name.
func GroupRows() iter.Seq[*Row] { return groupTable.all() }

// ClientMetricsRows yields the properties of client metrics subscriptions by name.
func ClientMetricsRows() iter.Seq[*Row] { return clientMetricsTable.all() }

// brokerRow returns the row of a broker property, also of those that are only dynamic and of those with a listener
// prefix (listener.name.<listener>.<property>), or nil.
func brokerRow(name string) *Row {
	if r := brokerTable.byName[name]; r != nil {
		return r
	}
	if r := dynamicTable.byName[name]; r != nil {
		return r
	}
	if base, ok := listenerBase(name); ok {
		return brokerTable.byName[base]
	}
	return nil
}
