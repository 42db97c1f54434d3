package controller

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MetadataVersion is a level of the feature metadata.version, which also has a name
// (org.apache.kafka.server.common.MetadataVersion).
type MetadataVersion struct {
	Level int16
	// Release is the release of Kafka that it was made for, 4.3; Step counts the changes on the way there.
	Release string
	Step    int
}

// String is the name, 4.3-IV0.
func (v MetadataVersion) String() string { return fmt.Sprintf("%s-IV%d", v.Release, v.Step) }

// MetadataVersions returns all levels that Kafka 4.3 knows, the oldest first.
func MetadataVersions() []MetadataVersion {
	releases := []struct {
		name        string
		first, last int
	}{
		{"3.3", 3, 3}, {"3.4", 0, 0}, {"3.5", 0, 2}, {"3.6", 0, 2}, {"3.7", 0, 4}, {"3.8", 0, 0}, {"3.9", 0, 0},
		{"4.0", 0, 3}, {"4.1", 0, 1}, {"4.2", 0, 1}, {"4.3", 0, 0},
	}
	var all []MetadataVersion
	for _, r := range releases {
		for step := r.first; step <= r.last; step++ {
			all = append(all, MetadataVersion{minMetadataVersion + int16(len(all)), r.name, step})
		}
	}
	return all
}

// ParseMetadataVersion finds a level by its name, or the last one of a release by the release's: 4.0, 4.0.1. Its error names
// all that there are.
func ParseMetadataVersion(name string) (MetadataVersion, error) {
	all := MetadataVersions()
	key := name
	if parts := strings.Split(name, "."); len(parts) > 2 {
		key = parts[0] + "." + parts[1]
	}
	for _, v := range slices.Backward(all) {
		if key == v.String() || key == v.Release {
			return v, nil
		}
	}
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = v.String()
	}
	text := fmt.Sprintf("Unknown metadata.version '%s'. Supported metadata.version are: %s", name, strings.Join(names, ", "))
	return MetadataVersion{}, errors.New(text)
}

// MetadataVersionAt finds a version by its level.
func MetadataVersionAt(level int16) (MetadataVersion, bool) {
	all := MetadataVersions()
	i := slices.IndexFunc(all, func(v MetadataVersion) bool { return v.Level == level })
	if i < 0 {
		return MetadataVersion{}, false
	}
	return all[i], true
}
