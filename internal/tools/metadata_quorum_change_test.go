package tools

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDescribedController(t *testing.T) {
	folder := t.TempDir()
	meta := "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=3\ndirectory.id=_jkdKxXyQmCT9w4XMPZ2Lg\n"
	if err := os.WriteFile(filepath.Join(folder, "meta.properties"), []byte(meta), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := map[string]string{
		"node.id": "3", "process.roles": "broker,controller", "log.dirs": folder + ",/other", "controller.listener.names": "controller,SECOND",
		"listeners":            "PLAINTEXT://:9092,CONTROLLER://:9093,SECOND://[::1]:9094",
		"advertised.listeners": "PLAINTEXT://node3:9092,CONTROLLER://node3:9193",
	}
	c, err := describedController(whole)
	if err != nil || c.id != 3 || c.directory.String() != "_jkdKxXyQmCT9w4XMPZ2Lg" || len(c.endpoints) != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	if e := c.endpoints[0]; e.Name != "CONTROLLER" || e.Host != "node3" || e.Port != 9193 {
		t.Errorf("the advertised listener comes first: %+v", e)
	}
	if e := c.endpoints[1]; e.Host != "::1" || e.Port != 9094 {
		t.Errorf("%+v", e)
	}
	for want, change := range map[string][2]string{
		"node.id not found in configuration file. Is this a valid controller configuration file?":          {"node.id"},
		"node.id was negative in configuration file. Is this a valid controller configuration file?":       {"node.id", "-1"},
		"process.roles did not contain 'controller' in configuration file.":                                {"process.roles", "broker"},
		"Neither metadata.log.dir nor log.dirs were found. Is this a valid controller configuration file?": {"log.dirs"},
		"Unable to read meta.properties from /no/such/folder":                                              {"metadata.log.dir", "/no/such/folder"},
		"controller.listener.names was not found. Is this a valid controller configuration file?":          {"controller.listener.names"},
		"Cannot find information about controller listener name: ELSEWHERE":                                {"controller.listener.names", "elsewhere"},
		"Unable to parse nonsense to a broker endpoint":                                                    {"listeners", "nonsense"},
	} {
		values := maps.Clone(whole)
		values[change[0]] = change[1]
		if change[1] == "" {
			delete(values, change[0])
		}
		if _, err := describedController(values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", change, err, want)
		}
	}
}

func TestUUIDFault(t *testing.T) { // texts of Kafka's Uuid.fromString
	for text, want := range map[string]string{
		"!!!!":                          "Illegal base64 character 21",
		"abc":                           "Input string `abc` decoded as 2 bytes, which is not equal to the expected 16 bytes of a base64-encoded UUID",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaa": "Input string with prefix `aaaaaaaaaaaaaaaaaaaaaaaa` is too long to be decoded as a base64 UUID",
	} {
		if got := uuidFault(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}
