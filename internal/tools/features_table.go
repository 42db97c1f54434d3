package tools

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
)

// printVersionMapping prints the levels of all features in a release, "" for the newest; in Kafka's order, not that of the names.
func (inv *invocation) printVersionMapping(release string) error {
	all := controller.MetadataVersions()
	if release == "" {
		release = all[len(all)-1].String()
	}
	v, err := controller.ParseMetadataVersion(release)
	if err != nil {
		return &plainError{err.Error()}
	}
	inv.printf("%s=%d (%s)\n", kafka.MetadataVersionFeature, v.Level, release)
	for _, name := range []string{"kraft.version", "transaction.version", "group.version", "eligible.leader.replicas.version", "share.version", "streams.version"} {
		f, _ := controller.FeatureNamed(name)
		inv.printf("%s=%d\n", name, f.LevelAt(v.Level))
	}
	return nil
}

// dependencyTexts are the failures of a tool that prints dependencies; the two that do differ.
type dependencyTexts struct {
	parse   func(text string) (feature string, level int16, err error)
	noLevel func(feature string, level int16) error
}

var featuresTexts = dependencyTexts{parseFeature, func(feature string, level int16) error {
	return &plainError{fmt.Sprintf("No feature:%s with feature level %d", feature, level)}
}}

var storageTexts = dependencyTexts{parseStorageFeature, func(feature string, level int16) error {
	return &plainError{fmt.Sprintf("Feature level %d is not supported for feature %s", level, feature)}
}}

// parseStorageFeature is parseFeature with the texts of kafka-storage.
func parseStorageFeature(text string) (feature string, level int16, err error) {
	name, number, found := strings.Cut(text, "=")
	name, number = strings.TrimSpace(name), strings.TrimSpace(number)
	if !found {
		return "", 0, &plainError{"Invalid feature format: " + text + ". Expected format: 'feature=version' (e.g. 'group.version=1')"}
	}
	n, err := strconv.ParseInt(number, 10, 16)
	if err != nil {
		return "", 0, &plainError{"Invalid version format: " + number + " for feature " + name}
	}
	return name, int16(n), nil
}

// printDependencies prints what levels, written feature=level, need of other features.
func (inv *invocation) printDependencies(features []string, texts dependencyTexts) error {
	for _, text := range features {
		name, level, err := texts.parse(text)
		if err != nil {
			return err
		}
		f, known := controller.FeatureNamed(name)
		title := fmt.Sprintf("%s=%d", name, level)
		switch v, isVersion := controller.MetadataVersionAt(level); {
		case !known:
			return &plainError{"Unknown feature: " + name}
		case name == kafka.MetadataVersionFeature && !isVersion:
			return &plainError{fmt.Sprintf("Unknown metadata.version %d", level)}
		case name == kafka.MetadataVersionFeature:
			title += " (" + v.String() + ")"
		case level < f.Min || level > f.Max:
			return texts.noLevel(name, level)
		}
		needs := f.Dependencies(level)
		if len(needs) == 0 {
			inv.println(title + " has no dependencies.")
			continue
		}
		inv.println(title + " requires:")
		for _, other := range slices.Sorted(maps.Keys(needs)) {
			line := fmt.Sprintf("    %s=%d", other, needs[other])
			if other == kafka.MetadataVersionFeature {
				line += " (" + levelName(other, needs[other]) + ")"
			}
			inv.println(line)
		}
	}
	return nil
}
