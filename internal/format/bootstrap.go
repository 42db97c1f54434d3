package format

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// bootstrapName is the file with the records that the metadata log of a new cluster begins with
// (org.apache.kafka.metadata.bootstrap.BootstrapDirectory).
const bootstrapName = "bootstrap.checkpoint"

// maxBootstrapBytes bounds that file: it has a few features and users.
const maxBootstrapBytes = 64 << 20

// bootstrapRecords are the features, metadata.version first, then the users. kraft.version is no matter of the log's records.
func (o *Options) bootstrapRecords(levels map[string]int16) []wire.Message {
	records := []wire.Message{&wire.FeatureLevelRecord{Name: kafka.MetadataVersionFeature, FeatureLevel: o.Release.Level}}
	for _, name := range slices.Sorted(maps.Keys(levels)) {
		if name != kafka.MetadataVersionFeature && name != kafka.KRaftVersionFeature && levels[name] > 0 {
			records = append(records, &wire.FeatureLevelRecord{Name: name, FeatureLevel: levels[name]})
		}
	}
	for _, c := range o.Credentials {
		records = append(records, c)
	}
	return records
}

func encodeBootstrap(records []wire.Message, now time.Time) ([]byte, error) {
	var values [][]byte
	for _, m := range records {
		value, err := wire.EncodeMetadataRecord(m, metadata.RecordVersion(m))
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return quorum.EncodeRecordsFile(slices.Values(values), now)
}

// ReadBootstrap returns the records of a directory's bootstrap.checkpoint, nil if it has none: the cluster begins with the
// defaults then.
func ReadBootstrap(fsys vfs.FS, dir string) ([]wire.Message, error) {
	path := filepath.Join(dir, bootstrapName)
	content, err := commitlog.ReadFile(fsys, path, maxBootstrapBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var records []wire.Message
	for value, err := range quorum.DecodeRecordsFile(content) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		m, _, err := wire.DecodeMetadataRecord(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		records = append(records, m)
	}
	return records, nil
}

// describe is how Kafka prints the records (BootstrapMetadata.toString).
func describe(records []wire.Message, level int16) string {
	var texts []string
	for _, m := range records {
		v := reflect.ValueOf(m).Elem()
		var fields []string
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "UnknownTags" {
				fields = append(fields, strings.ToLower(name[:1])+name[1:]+"="+javaText(v.Field(i)))
			}
		}
		texts = append(texts, fmt.Sprintf("ApiMessageAndVersion(%s(%s) at version %d)", v.Type().Name(), strings.Join(fields, ", "), metadata.RecordVersion(m)))
	}
	return fmt.Sprintf("BootstrapMetadata(records=[%s], metadataVersionLevel=%d, source=format command)", strings.Join(texts, ", "), level)
}

// javaText is a field as Java prints it: bytes are numbers from -128 to 127.
func javaText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case string:
		return "'" + x + "'"
	case []byte:
		var numbers []string
		for _, b := range x {
			numbers = append(numbers, fmt.Sprint(int8(b)))
		}
		return "[" + strings.Join(numbers, ", ") + "]"
	default:
		return fmt.Sprint(x)
	}
}
