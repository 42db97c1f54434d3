package format

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

const clusterID = "0ttlaYardst1ckKafka4w"

func newest() controller.MetadataVersion {
	all := controller.MetadataVersions()
	return all[len(all)-1]
}

func testOptions(fsys vfs.FS, lines *[]string) Options {
	voters, err := ParseVoters("1@localhost:9093:AAAAAAAAAAAAAAAAAAAAAQ", "CONTROLLER")
	if err != nil {
		panic(err)
	}
	return Options{
		FS: fsys, ClusterID: clusterID, Node: 1, Directories: []string{"/a", "/b"}, MetadataDirectory: "/a", Release: newest(),
		Dynamic: true, Voters: voters, Print: func(line string) { *lines = append(*lines, line) }, Now: time.UnixMilli(1795424022000),
	}
}

func TestFormat(t *testing.T) {
	disk, lines := vfs.NewMemory(), []string{}
	o := testOptions(disk, &lines)
	if err := Run(o); err != nil {
		t.Fatal(err)
	}
	want := []string{"Formatting dynamic metadata voter directory /a with metadata.version 4.3-IV0.", "Formatting data directory /b with metadata.version 4.3-IV0."}
	if len(lines) != 3 || lines[1] != want[0] || lines[2] != want[1] || !strings.HasPrefix(lines[0], "Bootstrap metadata: BootstrapMetadata(records=[ApiMessageAndVersion(FeatureLevelRecord(name='metadata.version', featureLevel=30) at version 0), ") {
		t.Errorf("it said %q", lines)
	}
	ids := map[kafka.UUID]bool{}
	for _, dir := range o.Directories {
		meta, found, err := commitlog.ReadMeta(disk, dir)
		if err != nil || !found || meta.ClusterID != clusterID || meta.NodeID != 1 {
			t.Fatalf("%s: %+v %v %v", dir, meta, found, err)
		}
		ids[meta.DirectoryID] = true
		records, err := ReadBootstrap(disk, dir)
		if err != nil || len(records) != 6 {
			t.Errorf("%s begins with %d records, %v", dir, len(records), err)
		}
	}
	if len(ids) != 2 || !ids[o.Voters[0].DirectoryID] {
		t.Errorf("directory ids %v", ids)
	}
	snapshot, err := commitlog.ReadFile(disk, "/a/__cluster_metadata-0/"+quorum.BootstrapSnapshotName, 1<<20)
	if err != nil || !bytes.Contains(snapshot, []byte("localhost")) {
		t.Errorf("the first voters are not in %q, %v", snapshot, err)
	}
	if _, err := commitlog.ReadFile(disk, "/b/__cluster_metadata-0/"+quorum.BootstrapSnapshotName, 1<<20); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory without the metadata log has voters: %v", err)
	}
	if err := Run(o); err == nil || err.Error() != "Log directory /a is already formatted. Use --ignore-formatted to ignore this directory and format the others." {
		t.Errorf("formatted again: %v", err)
	}
	o.IgnoreFormatted, o.Directories, lines = true, append(o.Directories, "/c"), nil
	if err := Run(o); err != nil || len(lines) != 2 || !strings.Contains(lines[1], "data directory /c") {
		t.Errorf("one more: %v, %q", err, lines)
	}
	o.Node = 2
	if err := Run(o); err == nil || !strings.Contains(err.Error(), "Stored node id 1 doesn't match previous node id 2") {
		t.Errorf("another node: %v", err)
	}
	o.ClusterID = "AAAAAAAAAAAAAAAAAAAAAQ"
	if err := Run(o); err == nil || err.Error() != "Invalid cluster.id in: "+filepath.Join("/a", "meta.properties")+". Expected AAAAAAAAAAAAAAAAAAAAAQ, but read "+clusterID {
		t.Errorf("another cluster: %v", err)
	}
}

// A crash leaves directories that are formatted and whole, and others that are formatted by the next run.
func TestFormatSurvivesCrashes(t *testing.T) {
	for after := int64(1); ; after++ {
		memory, lines := vfs.NewMemory(), []string{}
		stop := errors.New("the power is gone")
		var rules []vfs.Rule
		for _, op := range []vfs.Op{vfs.OpWrite, vfs.OpSync, vfs.OpRename, vfs.OpSyncDir} {
			rules = append(rules, vfs.Rule{Op: op, From: int(after), Err: stop})
		}
		failed := Run(testOptions(vfs.Faulty(memory, rules...), &lines))
		disk := memory.Crash(vfs.Loss{})
		for _, dir := range []string{"/a", "/b"} {
			_, found, err := commitlog.ReadMeta(disk, dir)
			if err != nil {
				t.Fatalf("after %d: %v", after, err)
			}
			if !found {
				continue
			}
			if records, err := ReadBootstrap(disk, dir); err != nil || len(records) != 6 {
				t.Fatalf("after %d: %s is formatted and begins with %d records, %v", after, dir, len(records), err)
			}
			if dir == "/a" {
				if _, err := commitlog.ReadFile(disk, "/a/__cluster_metadata-0/"+quorum.BootstrapSnapshotName, 1<<20); err != nil {
					t.Fatalf("after %d: it is formatted, and its voters are not there: %v", after, err)
				}
			}
		}
		again := testOptions(disk, &lines)
		again.IgnoreFormatted = true
		if err := Run(again); err != nil {
			t.Fatalf("after %d: the next run: %v", after, err)
		}
		if failed == nil {
			if after < 5 {
				t.Errorf("nothing failed at operation %d", after)
			}
			return
		}
	}
}

func TestFeatures(t *testing.T) {
	for _, c := range []struct {
		features map[string]int16
		dynamic  bool
		want     string // of the error
	}{
		{nil, true, ""},
		{map[string]int16{"group.version": 0}, true, ""},
		{map[string]int16{"nosuch": 1}, true, "Unsupported feature: nosuch. Supported features are: eligible.leader.replicas.version, group.version, kraft.version, share.version, streams.version, transaction.version"},
		{map[string]int16{"group.version": 9}, true, "No feature:group.version with feature level 9"},
		{map[string]int16{"kraft.version": 0}, true, "Cannot set kraft.version to 0 if controller.quorum.voters is empty"},
		{map[string]int16{"kraft.version": 1}, false, "Cannot set kraft.version to 1 unless controller.quorum.voters is empty"},
		{map[string]int16{"metadata.version": 7}, true, "Use --release-version instead of --feature metadata.version=X to avoid ambiguity."},
	} {
		lines := []string{}
		o := testOptions(vfs.NewMemory(), &lines)
		o.Features, o.Dynamic = c.features, c.dynamic
		if !c.dynamic {
			o.Voters = nil
		}
		err := Run(o)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%v: %v", c.features, err)
		}
		if c.want == "" && strings.Contains(lines[0], "group.version") != (c.features == nil) {
			t.Errorf("%v: %s", c.features, lines[0])
		}
	}
}

// The keys are those that kafka-storage of Kafka 4.3.1 made of the same words.
func TestParseCredential(t *testing.T) {
	c, err := ParseCredential(`SCRAM-SHA-256=[name=alice,password=secret,iterations=4096,salt="c2FsdHNhbHRzYWx0"]`)
	if err != nil {
		t.Fatal(err)
	}
	stored, server := base64.StdEncoding.EncodeToString(c.StoredKey), base64.StdEncoding.EncodeToString(c.ServerKey)
	if c.Name != "alice" || c.Mechanism != 1 || c.Iterations != 4096 || stored != "UdmKRUjfgm0U6mfMFFn/tGaEoriNY2YlrUES5w+4kaA=" || server != "ZH6upP+u0RFc4kNZYflxg+txwr3oIlzDM/JXePM5XCY=" {
		t.Errorf("%+v %s %s", c, stored, server)
	}
	for text, want := range map[string]string{
		"SCRAM-SHA-256":                                      "Failed to find equals sign in SCRAM argument 'SCRAM-SHA-256'",
		"MD5=[name=a]":                                       "The add-scram mechanism MD5 is not supported.",
		"SCRAM-SHA-512=name=a,password=b":                    "Expected configuration string to start with [",
		"SCRAM-SHA-512=[name=a,password=b":                   "Expected configuration string to end with ]",
		"SCRAM-SHA-512=[password=b]":                         "You must supply 'name' to add-scram",
		"SCRAM-SHA-512=[name=a]":                             "You must supply one of 'password' or 'saltedpassword' to add-scram",
		"SCRAM-SHA-512=[name=a,saltedpassword=YCE=]":         "You must supply 'salt' with 'saltedpassword' to add-scram",
		"SCRAM-SHA-512=[name=a,password=b,iterations=5]":     "The 'iterations' value must be >= 4096 for add-scram using SCRAM_SHA_512",
		"SCRAM-SHA-512=[name=a,password=b,iterations=20000]": "The 'iterations' value must be <= 16384 for add-scram using SCRAM_SHA_512",
		"SCRAM-SHA-512=[name=a,password=b,iterations=x]":     "Failed to parse iterations count: x",
		"SCRAM-SHA-512=[name=a,password=b,color=red]":        "Unknown SCRAM configurations: color",
		"SCRAM-SHA-512=[name]":                               "No equals sign found in SCRAM component: name",
		"SCRAM-SHA-512=[name=a,salt=!,password=b]":           "Failed to decode given salt: !",
		"SCRAM-SHA-512=[name=a,salt=YCE=,saltedpassword=*]":  "Failed to decode given saltedPassword: *",
	} {
		if _, err := ParseCredential(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestParseVoters(t *testing.T) {
	const id = ":AAAAAAAAAAAAAAAAAAAAAQ"
	voters, err := ParseVoters("3@[::1]:9093"+id+",1@host:9094"+id, "CTRL")
	if err != nil || len(voters) != 2 || voters[0].NodeID != 3 || voters[0].Endpoints[0] != (quorum.Endpoint{Listener: "CTRL", Host: "::1", Port: 9093}) || voters[1].Endpoints[0].Host != "host" {
		t.Errorf("%+v %v", voters, err)
	}
	for text, want := range map[string]string{
		"":                           "No voters given.",
		"bad":                        "No @ found in dynamic voter string.",
		"@h:1" + id:                  "Invalid @ at beginning of dynamic voter string.",
		"x@h:1" + id:                 "Failed to parse node id in dynamic voter string.",
		"-1@h:1" + id:                "Invalid negative node id -1 in dynamic voter string.",
		"1@":                         "No hostname found after node id.",
		"1@[::1:1" + id:              "Hostname began with left bracket, but no right bracket was found.",
		"1@[::1]9" + id:              "Port section must start with a colon.",
		"1@host":                     "No colon following hostname could be found.",
		"1@host:9093":                "No colon following port could be found.",
		"1@host:x" + id:              "Failed to parse port in dynamic voter string.",
		"1@host:70000" + id:          "Invalid port 70000 in dynamic voter string.",
		"1@host:9093:short":          "Failed to parse directory ID in dynamic voter string.",
		"1@h:1" + id + ",1@i:2" + id: "Node id 1 was specified more than once.",
	} {
		if _, err := ParseVoters(text, "CTRL"); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Kafka's own file, and files that are damaged.
func TestReadBootstrap(t *testing.T) {
	content, err := os.ReadFile("testdata/bootstrap.checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	disk := vfs.NewMemory()
	if err := disk.MkdirAll("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	if records, err := ReadBootstrap(disk, "/d"); records != nil || err != nil {
		t.Errorf("without the file: %v, %v", records, err)
	}
	write := func(content []byte) {
		if err := commitlog.ReplaceFile(disk, "/d/bootstrap.checkpoint", content); err != nil {
			t.Fatal(err)
		}
	}
	write(content)
	records, err := ReadBootstrap(disk, "/d")
	if err != nil || len(records) != 7 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	first, last := records[0].(*wire.FeatureLevelRecord), records[6].(*wire.UserScramCredentialRecord)
	if first.Name != "metadata.version" || first.FeatureLevel != 30 || last.Name != "alice" {
		t.Errorf("%+v ... %+v", first, last)
	}
	for at := range content {
		damaged := bytes.Clone(content)
		damaged[at] ^= 0x40
		write(damaged)
		if records, err := ReadBootstrap(disk, "/d"); err == nil && len(records) != 7 {
			t.Fatalf("byte %d: %d records without an error", at, len(records))
		}
		write(content[:at])
		if _, err := ReadBootstrap(disk, "/d"); err == nil {
			t.Fatalf("cut at %d: no error", at)
		}
	}
}
