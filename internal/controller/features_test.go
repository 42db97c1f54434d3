package controller

import (
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// The names and levels are those that kafka-features version-mapping of Kafka 4.3.1 prints.
func TestMetadataVersions(t *testing.T) {
	for name, want := range map[string]struct {
		level int16
		full  string
	}{
		"4.3": {30, "4.3-IV0"}, "4.3.1": {30, "4.3-IV0"}, "4.0": {25, "4.0-IV3"}, "4.0-IV1": {23, "4.0-IV1"}, "3.7": {19, "3.7-IV4"}, "3.7-IV2": {17, "3.7-IV2"}, "3.3-IV3": {7, "3.3-IV3"},
	} {
		v, err := ParseMetadataVersion(name)
		if err != nil || v.Level != want.level || v.String() != want.full {
			t.Errorf("%s: %v (level %d), %v", name, v, v.Level, err)
		}
		if at, ok := MetadataVersionAt(want.level); !ok || at != v && !strings.Contains(name, "IV") {
			t.Errorf("level %d is %v", want.level, at)
		}
	}
	for _, name := range []string{"", "2.0", "4.4", "4.3-IV1", "x", "."} {
		if v, err := ParseMetadataVersion(name); err == nil || !strings.HasSuffix(err.Error(), "4.2-IV1, 4.3-IV0") {
			t.Errorf("%q: %v, %v", name, v, err)
		}
	}
	last := MetadataVersions()
	if v := last[len(last)-1]; v.Level != 30 {
		t.Errorf("the last one has level %d", v.Level)
	}
}

func TestFeatureLevelsOfARelease(t *testing.T) {
	want := map[int16]string{ // kraft, transaction, group, eligible leader replicas, share, streams
		19: "0 0 0 0 0 0", 21: "1 0 0 0 0 0", 25: "1 2 1 0 0 0", 27: "1 2 1 1 0 0", 30: "1 2 1 1 1 1",
	}
	for metadata, levels := range want {
		var got []string
		for _, name := range []string{kafka.KRaftVersionFeature, "transaction.version", "group.version", elrVersion, "share.version", "streams.version"} {
			f, _ := FeatureNamed(name)
			got = append(got, string('0'+rune(f.LevelAt(metadata))))
		}
		if strings.Join(got, " ") != levels {
			t.Errorf("metadata.version %d: %v, want %s", metadata, got, levels)
		}
	}
}
