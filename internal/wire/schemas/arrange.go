package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/wire/schema"
)

// recordFiles names the file of each module's records. A module that is not here is not read:
// kafka-streams, for example, keeps client-side state in this form, which no broker sees.
var recordFiles = map[string]string{
	"kafka-group-coordinator":       "group_records",
	"kafka-transaction-coordinator": "transaction_records",
	"kafka-share-coordinator":       "share_records",
	"kafka-metadata":                "metadata_records",
	"kafka-storage":                 "storage_records",
	"kafka-raft":                    "raft_records",
}

func wanted(module string) bool { return module == "kafka-clients" || recordFiles[module] != "" }

// arrange sorts the messages into files: one per API, one for the headers, one per module of records.
func arrange(all []source) (map[string][]schema.Message, error) {
	names := map[int]string{} // of APIs, by key
	modules := map[string]bool{}
	for _, m := range all {
		modules[m.module] = true
		if m.Kind == schema.Request {
			names[m.Key] = snakeCase(strings.TrimSuffix(m.Name, "Request"))
		}
	}
	for module := range recordFiles {
		if !modules[module] {
			return nil, fmt.Errorf("no schemas of %s", module)
		}
	}
	files := map[string][]schema.Message{}
	for _, m := range all {
		file := recordFiles[m.module]
		switch {
		case m.Kind == schema.Request || m.Kind == schema.Response:
			if names[m.Key] == "" {
				return nil, fmt.Errorf("%s has no request", m.Name)
			}
			file = fmt.Sprintf("%02d_%s", m.Key, names[m.Key])
		case m.Kind == schema.Header:
			file = "headers"
		case strings.HasPrefix(m.Name, "ConsumerProtocol"):
			file = "consumer_protocol"
		case m.Name == "DefaultPrincipalData":
			file = "principal"
		case m.module == "kafka-clients":
			file = "control_records"
		}
		files[file] = append(files[file], m.Message)
	}
	for _, messages := range files {
		slices.SortFunc(messages, func(a, b schema.Message) int {
			return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.Name, b.Name))
		})
	}
	return files, nil
}

// rank puts a request before its response and a record's key before its value.
func rank(k schema.Kind) int {
	if k == schema.Response || k == schema.CoordinatorValue {
		return 1
	}
	return 0
}

func snakeCase(name string) string {
	var b strings.Builder
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// write replaces all texts in dir.
func write(dir string, files map[string][]schema.Message) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	for name, messages := range files {
		text := schema.Format(messages)
		if err := os.WriteFile(filepath.Join(dir, name+".txt"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
