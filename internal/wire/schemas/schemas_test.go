package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/wire/schema"
)

const fetchJSON = `// licence
{
  "apiKey": 1, // in the middle
  "type": "request",
  "listeners": ["broker"],
  "name": "FetchRequest",
  "validVersions": "4-18",
  "flexibleVersions": "12+",
  "latestVersionUnstable": true,
  "fields": [
    { "name": "A", "type": "string", "versions": "0+", "nullableVersions": "3+", "default": "null",
      "about": "see http://example.org // not a comment \" nor this" },
    { "name": "B", "type": "[]int32", "versions": "0+", "nullableVersions": "0+", "taggedVersions": "0+", "tag": 2, "default": null },
    { "name": "C", "type": "int64", "taggedVersions": "12+", "tag": 0, "default": -1 },
    { "name": "D", "type": "bool", "versions": "5", "default": "false", "mapKey": true, "ignorable": true, "entityType": "brokerId" },
    { "name": "E", "type": "[]S", "versions": "0+", "fields": [
      { "name": "F", "type": "string", "versions": "0+", "flexibleVersions": "none" } ]}
  ],
  "commonStructs": [ { "name": "T", "versions": "4+", "fields": [ { "name": "G", "type": "int8", "versions": "4+" } ] } ]
}`

const fetchText = `request 1 FetchRequest versions 4-18 flexible 12+ listeners broker unstable
  A string  null 3+ default null
  B []int32 null tag 2
  C int64   12+ tag 0 default -1
  D bool    5 key ignorable entity brokerId
  E []S
    F string classic
  struct T 4+
    G int8 4+
`

// A jar and a folder give the same, and only Kafka's own modules are read.
func TestReadAll(t *testing.T) {
	dir := t.TempDir()
	writeJar(t, filepath.Join(dir, "kafka-clients-4.3.1.jar"), "common/message/FetchRequest.json")
	writeJar(t, filepath.Join(dir, "kafka-metadata-4.3.1.jar"), "common/metadata/TopicRecord.json")
	writeJar(t, filepath.Join(dir, "kafka-streams-4.3.1.jar"), "common/message/Other.json")
	writeJar(t, filepath.Join(dir, "kafka-raft-4.3.1.jar"), "elsewhere/Other.json")
	folder := filepath.Join(dir, "kafka-storage")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "X.json"), []byte(fetchJSON), 0o644); err != nil {
		t.Fatal(err)
	}
	all, err := readAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, s := range all {
		modules = append(modules, s.module)
		if diff := cmp.Diff(fetchText, schema.Format([]schema.Message{s.Message})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.module, diff)
		}
	}
	if diff := cmp.Diff([]string{"kafka-clients", "kafka-metadata", "kafka-storage"}, modules); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
}

func writeJar(t *testing.T, path, entry string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	jar := zip.NewWriter(f)
	w, err := jar.Create(entry)
	if err == nil {
		_, err = w.Write([]byte(fetchJSON))
	}
	if err == nil {
		err = jar.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Half a set of jars must not wipe out what is committed.
func TestArrangeWantsEveryModule(t *testing.T) {
	if _, err := arrange([]source{{module: "kafka-clients"}}); err == nil {
		t.Error("arranged files although modules are missing")
	}
}
