package tools

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func runTool(stdin string, args ...string) (stdout, stderr string, exit int) {
	var out, err bytes.Buffer
	exit = Main(args[0], args[1:], strings.NewReader(stdin), &out, &err)
	return out.String(), err.String(), exit
}

func TestLookup(t *testing.T) {
	for name, want := range map[string]string{"kafka-topics": "kafka-topics", "kafka-topics.sh": "kafka-topics", "/opt/kafka/bin/kafka-topics.sh": "kafka-topics",
		`C:\kafka\kafka-topics.bat`: "kafka-topics", "ottla": "", "topics": ""} {
		if got, ok := Lookup(name); got.Name != want || ok != (want != "") {
			t.Errorf("%s is %q, %t", name, got.Name, ok)
		}
	}
}

// argparseTools are those that Kafka writes with argparse4j, and how they exit after --help.
var argparseTools = map[string]int{"kafka-transactions": 1, "kafka-metadata-quorum": 0, "kafka-features": 0, "kafka-cluster": 1, "kafka-storage": 0}

func TestEveryToolHasHelpAndVersion(t *testing.T) {
	for _, name := range Names() {
		if out, _, exit := runTool("", name, "--version"); out != "4.3.1\n" || exit != 0 {
			t.Errorf("%s --version prints %q, exit %d", name, out, exit)
		}
		out, err, exit := runTool("", name, "--help")
		if helpExit, ok := argparseTools[name]; ok {
			if exit != helpExit || !strings.Contains(out, "commands:") || err != "" {
				t.Errorf("%s --help prints %q and %q, exit %d", name, out, err, exit)
			}
			continue
		}
		if out != "" || exit != 1 || !strings.Contains(err, "--bootstrap-server") && !strings.Contains(err, "--files") || !strings.Contains(err, "Description") {
			t.Errorf("%s --help prints %q and %q, exit %d", name, out, err, exit)
		}
	}
}

// A security setting that is not supported must not be ignored: the connection would be plain.
func TestUnsupportedSecurityIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "client.properties")
	if err := os.WriteFile(file, []byte("security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"kafka-topics", "--list"}, {"kafka-get-offsets"}, {"kafka-configs", "--describe", "--topic", "t"}, {"kafka-groups", "--list"},
		{"kafka-console-producer", "--topic", "t"}, {"kafka-console-consumer", "--topic", "t"}, {"kafka-consumer-groups", "--list"},
	} {
		_, stderr, exit := runTool("", append(args, "--bootstrap-server", "localhost:1", "--command-config", file)...)
		if args[0] != "kafka-consumer-groups" && exit != 1 || !strings.Contains(stderr, "security.protocol=SASL_SSL is not supported") {
			t.Errorf("%v: exit %d, %s", args, exit, stderr)
		}
	}
}

func TestWrongClientPropertiesAreNamed(t *testing.T) {
	for property, want := range map[string]string{
		"acks=7":              "org.apache.kafka.common.config.ConfigException: Invalid value 7 for configuration acks: String must be one of: all, -1, 0, 1\n",
		"linger.ms=soon":      "org.apache.kafka.common.config.ConfigException: Invalid value soon for configuration linger.ms: Not a number of type LONG\n",
		"max.request.size=-1": "org.apache.kafka.common.config.ConfigException: Invalid value -1 for configuration max.request.size: Value must be at least 0\n",
	} {
		_, stderr, exit := runTool("", "kafka-console-producer", "--bootstrap-server", "localhost:1", "--topic", "t", "--command-property", property)
		if exit != 1 || stderr != want {
			t.Errorf("%s: exit %d, %s", property, exit, stderr)
		}
	}
}

func TestLinks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bin")
	binary := filepath.Join(t.TempDir(), "ottla")
	for range 2 { // the second time replaces the links of the first
		if err := Links(dir, binary, []string{"kafka-topics"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"kafka-topics", "kafka-topics.sh"} {
		if target, err := os.Readlink(filepath.Join(dir, name)); err != nil || target != binary {
			t.Errorf("%s leads to %q, %v", name, target, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "kafka-configs"), []byte("mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Links(dir, binary, []string{"kafka-configs"}); err == nil || !strings.Contains(err.Error(), "is not a link") {
		t.Errorf("a file in the way gives %v", err)
	}
}
