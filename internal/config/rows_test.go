package config

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tsv reads a table of testdata; the first line is a comment.
func tsv(t *testing.T, name string, columns int) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows [][]string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		row := strings.Split(lines.Text(), "\t")
		if len(row) != columns {
			t.Fatalf("%s: %d columns in %q, want %d", name, len(row), lines.Text(), columns)
		}
		rows = append(rows, row)
	}
	return rows
}

// ourDefaults are the deliberate differences to Kafka's defaults: a broker starts without configuration, on localhost, and
// one that falls silent is noticed within 3 s.
var ourDefaults = map[string]string{
	"listeners":                    "PLAINTEXT://localhost:9092",
	"log.dir":                      "./data",
	"node.id":                      "1",
	"process.roles":                "broker,controller",
	"controller.listener.names":    "<null>",
	"broker.heartbeat.interval.ms": "500",
	"broker.session.timeout.ms":    "2500",

	"controller.quorum.fetch.timeout.ms": "1000",
}

// oursAlone are properties that Kafka does not have.
var oursAlone = map[string]bool{"http.address": true, "log.dir.reserve.bytes": true, "redo.journal.bytes": true, "write.caching": true, "write.caching.default": true}

func TestRowsAreKafkas(t *testing.T) {
	tables := map[string]*table{"broker": brokerTable, "brokerquota": dynamicTable, "topic": topicTable, "group": groupTable, "client-metrics": clientMetricsTable}
	known := make(map[*Row]bool)
	for _, k := range tsv(t, "kafka_properties.tsv", 8) {
		kind, name, typ, def, importance, internal, mode, valid := k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7]
		r := tables[kind].byName[name]
		if r == nil {
			t.Errorf("%s property %s is missing", kind, name)
			continue
		}
		known[r] = true
		if ours, ok := ourDefaults[name]; ok && kind == "broker" {
			def = ours
		}
		got := r.Default
		if r.Null {
			got = "<null>"
		} else if kind != "broker" || ourDefaults[name] == "" {
			got = tables[kind].defaults[r.index].format(r.Type)
		}
		if got != def {
			t.Errorf("%s: default %q, want %q", name, got, def)
		}
		if r.Type.String() != typ {
			t.Errorf("%s: type %s, want %s", name, r.Type, typ)
		}
		if strings.ToUpper(r.Importance.String()) != importance {
			t.Errorf("%s: importance %s, want %s", name, r.Importance, importance)
		}
		if r.Internal != (internal == "true") {
			t.Errorf("%s: internal %v", name, r.Internal)
		}
		if strings.HasPrefix(kind, "broker") && r.Update.String() != mode {
			t.Errorf("%s: update mode %s, want %s", name, r.Update, mode)
		}
		if kind == "group" {
			synonym := "Optional.empty"
			if len(r.Synonyms) > 0 {
				synonym = "Optional[" + r.Synonyms[0].Row.Name + "]"
			}
			if synonym != mode {
				t.Errorf("%s: synonym %s, want %s", name, synonym, mode)
			}
		}
		if r.Valid != nil && r.Valid.String() != valid || r.Valid == nil && valid != "" && valid != "non-null string" {
			t.Errorf("%s: valid values %v, want %q", name, r.Valid, valid)
		}
	}
	for kind, table := range tables {
		for r := range table.all() {
			if !known[r] && !oursAlone[r.Name] {
				t.Errorf("%s property %s is not Kafka's", kind, r.Name)
			}
		}
	}
}

func TestRowsAreComplete(t *testing.T) {
	for _, table := range []*table{brokerTable, dynamicTable, topicTable, groupTable, clientMetricsTable} {
		for r := range table.all() {
			if !strings.HasSuffix(r.Doc, ".") || strings.Count(r.Doc, ". ") > 0 || strings.Contains(r.Doc, "<code>") {
				t.Errorf("%s: doc is not one sentence: %q", r.Name, r.Doc)
			}
			if (r.Status == Enforced) != (r.Why == "") {
				t.Errorf("%s: status %s with reason %q", r.Name, r.Status, r.Why)
			}
			for _, s := range r.Synonyms {
				if s.Row.Unit != r.Unit && s.Factor == 1 || s.Factor <= 0 {
					t.Errorf("%s: synonym %s has unit %s and factor %d", r.Name, s.Row.Name, s.Row.Unit, s.Factor)
				}
				if goType(s.Row.Type) != goType(r.Type) && !(r.Type == Long && s.Row.Type == Int) {
					t.Errorf("%s: synonym %s has type %s", r.Name, s.Row.Name, s.Row.Type)
				}
			}
		}
	}
}

// TestKeysHaveTheTypeOfTheirRows reads the source, since the table holds rows without their keys.
func TestKeysHaveTheTypeOfTheirRows(t *testing.T) {
	files, err := filepath.Glob("rows_*.go")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(\w+)\{&Row\{\s*Name: "([^"]+)", Type: (\w+)`)
	keys := map[string]string{"bool": "Bool", "int": "Int", "int64": "Long", "float64": "Double", "string": "String", "[]string": "List"}
	types := map[string]Type{"Boolean": Boolean, "String": String, "Int": Int, "Short": Short, "Long": Long, "Double": Double, "List": List,
		"Class": Class, "Password": Password}
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range row.FindAllStringSubmatch(string(text), -1) {
			found++
			if want := keys[goType(types[m[3]])]; !strings.HasSuffix(m[1], want) {
				t.Errorf("%s: key %s for type %s", m[2], m[1], m[3])
			}
		}
	}
	if rows := len(brokerTable.rows) + len(dynamicTable.rows) + len(topicTable.rows) + len(groupTable.rows) + len(clientMetricsTable.rows); found != rows {
		t.Errorf("%d rows in the source, %d in the tables", found, rows)
	}
}

// goType names the kind of Go value that a type has.
func goType(t Type) string {
	switch t {
	case Boolean:
		return "bool"
	case Int, Short:
		return "int"
	case Long:
		return "int64"
	case Double:
		return "float64"
	case List:
		return "[]string"
	}
	return "string"
}
