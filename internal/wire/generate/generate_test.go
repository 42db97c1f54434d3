package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The committed Go must be what the committed texts say.
func TestGeneratedFilesAreUpToDate(t *testing.T) {
	want, err := generate("../schema")
	if err != nil {
		t.Fatal(err)
	}
	have, err := filepath.Glob("../*_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range have {
		name := filepath.Base(path)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, want[name]) {
			t.Errorf("%s is not what the text in schema says: run go generate ./internal/wire", name)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is missing: run go generate ./internal/wire", name)
	}
}

func TestGoNames(t *testing.T) {
	for in, want := range map[string]string{
		"TopicId": "TopicID", "timeoutMs": "TimeoutMs", "BrokerIds": "BrokerIDs",
		"ProducerIdBlock": "ProducerIDBlock", "Idempotent": "Idempotent", "group": "Group",
	} {
		if got := goName(in); got != want {
			t.Errorf("goName(%q) = %q, want %q", in, got, want)
		}
	}
}
