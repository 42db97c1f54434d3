package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
)

// Every message in every version, random values, against the Java classes of Kafka itself: they must
// read our bytes and write the same. It needs a JDK and the folder of a Kafka 4.3 distribution's jars
// in KAFKA_LIBS; without them kmsg and Kafka's log files (record_test.go) stand in.
func TestSameBytesAsKafka(t *testing.T) {
	libs := os.Getenv("KAFKA_LIBS")
	if libs == "" {
		t.Skip("KAFKA_LIBS does not name a folder with Kafka's jars")
	}
	rng := rand.New(rand.NewPCG(7, 8))
	var in bytes.Buffer
	for _, s := range subjects(t) {
		if s.key >= firstOwn {
			continue // Kafka has no class of it
		}
		for version := s.versions.Min; version <= s.versions.Max; version++ {
			for range rounds {
				m := s.make()
				randomize(rng, reflect.ValueOf(m).Elem())
				var w Writer
				m.Encode(&w, int16(version))
				fmt.Fprintf(&in, "%s %d %x;\n", s.name, version, w.Bytes())
			}
		}
	}
	want := bufio.NewScanner(bytes.NewReader(in.Bytes()))
	cmd := exec.Command("java", "-cp", filepath.Join(libs, "*"), "testdata/Reencode.java")
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := bufio.NewScanner(bytes.NewReader(out))
	want.Buffer(nil, 1<<20)
	got.Buffer(nil, 1<<20)
	for want.Scan() {
		if !got.Scan() {
			t.Fatal("Kafka stopped before the end")
		}
		if !bytes.Equal(want.Bytes(), got.Bytes()) {
			t.Errorf("ours\n%s\nKafka's\n%s", want.Bytes(), got.Bytes())
		}
	}
}
