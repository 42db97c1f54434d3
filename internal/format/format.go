package format

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// Options say how to format the directories of a node (org.apache.kafka.metadata.storage.Formatter).
type Options struct {
	FS        vfs.FS
	ClusterID string
	Node      int32
	// Directories are all log directories and that of the metadata log, MetadataDirectory.
	Directories       []string
	MetadataDirectory string
	// Release is the metadata.version of the new cluster, Features the levels that are not those of the release.
	Release  controller.MetadataVersion
	Features map[string]int16
	// Dynamic says that the voters are not fixed by controller.quorum.voters. Voters are the first ones, nil if this node learns of them from
	// others.
	Dynamic bool
	Voters  []quorum.Member
	// Credentials are users that the new cluster knows.
	Credentials []*wire.UserScramCredentialRecord
	// IgnoreFormatted leaves directories that are formatted as they are; else they are an error.
	IgnoreFormatted bool
	// Print gets the lines that tell what is done.
	Print func(line string)
	Now   time.Time
}

// Error is a text that says all there is to say.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

func errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// exception is an error that Kafka's tool does not expect: it prints a stack trace.
func exception(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return errors.New(text)
}

// Run formats the directories that are not formatted. Its errors are *Error where Kafka's tool prints no more than a text.
func Run(o Options) error {
	levels, err := o.levels()
	if err != nil {
		return err
	}
	records := o.bootstrapRecords(levels)
	empty, err := o.emptyDirectories()
	if err != nil {
		return err
	}
	if len(empty) == 0 {
		o.Print("All of the log directories are already formatted.")
		return nil
	}
	bootstrap, err := encodeBootstrap(records, o.Now)
	if err != nil {
		return err
	}
	o.Print("Bootstrap metadata: " + describe(records, o.Release.Level))
	for _, dir := range empty {
		if err := o.formatDirectory(dir, bootstrap); err != nil {
			return err
		}
	}
	return nil
}

// emptyDirectories are those that are not formatted.
func (o *Options) emptyDirectories() (empty []string, err error) {
	formatted := ""
	directories := slices.Compact(slices.Sorted(slices.Values(o.Directories)))
	for _, dir := range directories {
		meta, found, err := commitlog.ReadMeta(o.FS, dir)
		if err != nil {
			return nil, err
		}
		if !found {
			empty = append(empty, dir)
			continue
		}
		if formatted == "" {
			formatted = dir
		}
		file := filepath.Join(dir, commitlog.MetaFile)
		if meta.ClusterID != o.ClusterID {
			return nil, exception("Invalid cluster.id in: %s. Expected %s, but read %s", file, o.ClusterID, meta.ClusterID)
		}
		if meta.NodeID != o.Node {
			return nil, exception("Stored node id %d doesn't match previous node id %d in %s. If you moved your data, make sure your configured node id matches. If you intend to create a new node, you should remove all data in your data directories.", meta.NodeID, o.Node, file)
		}
	}
	if formatted != "" && !o.IgnoreFormatted {
		return nil, errorf("Log directory %s is already formatted. Use --ignore-formatted to ignore this directory and format the others.", formatted)
	}
	return empty, nil
}

// formatDirectory writes what is in a formatted directory, meta.properties last.
func (o *Options) formatDirectory(dir string, bootstrap []byte) error {
	id, kind := kafka.NewUUID(), "data directory"
	voter := slices.IndexFunc(o.Voters, func(m quorum.Member) bool { return m.NodeID == o.Node })
	switch {
	case dir != o.MetadataDirectory:
	case len(o.Voters) == 0:
		kind = "metadata directory"
	case voter < 0:
		kind = "dynamic metadata directory"
	default:
		kind, id = "dynamic metadata voter directory", o.Voters[voter].DirectoryID
	}
	o.Print(fmt.Sprintf("Formatting %s %s with metadata.version %s.", kind, dir, o.Release))
	if err := o.FS.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := o.FS.SyncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := commitlog.ReplaceFile(o.FS, filepath.Join(dir, bootstrapName), bootstrap); err != nil {
		return err
	}
	if dir == o.MetadataDirectory && len(o.Voters) > 0 {
		if err := o.writeVoters(dir); err != nil {
			return err
		}
	}
	meta := commitlog.Meta{ClusterID: o.ClusterID, NodeID: o.Node, DirectoryID: id}
	return commitlog.WriteMeta(o.FS, dir, meta, "formatted "+o.Now.UTC().Format(time.RFC3339))
}

// writeVoters writes the snapshot from which a quorum of dynamic voters starts.
func (o *Options) writeVoters(dir string) error {
	snapshot, err := quorum.BootstrapSnapshot(o.Voters, o.Now)
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, kafka.MetadataTopic+"-0")
	if err := o.FS.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := commitlog.ReplaceFile(o.FS, filepath.Join(folder, quorum.BootstrapSnapshotName), snapshot); err != nil {
		return err
	}
	return o.FS.SyncDir(dir)
}
