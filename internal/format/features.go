package format

import (
	"maps"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
)

// levels are those of all features: as asked for, or as they belong to the release.
func (o *Options) levels() (map[string]int16, error) {
	levels := maps.Clone(o.Features)
	if levels == nil {
		levels = map[string]int16{}
	}
	supported := map[string]controller.Feature{}
	for _, f := range controller.Features() {
		supported[f.Name] = f
	}
	delete(supported, kafka.MetadataVersionFeature) // which is the release
	for _, name := range slices.Sorted(maps.Keys(levels)) {
		if _, found := supported[name]; !found && name != kafka.MetadataVersionFeature {
			return nil, errorf("Unsupported feature: %s. Supported features are: %s", name, strings.Join(slices.Sorted(maps.Keys(supported)), ", "))
		}
	}
	if level, given := levels[kafka.MetadataVersionFeature]; given && level != o.Release.Level {
		return nil, errorf("Use --release-version instead of --feature %s=X to avoid ambiguity.", kafka.MetadataVersionFeature)
	}
	levels[kafka.MetadataVersionFeature] = o.Release.Level
	if err := o.setKRaftLevel(levels); err != nil {
		return nil, err
	}
	for name, f := range supported {
		if _, given := levels[name]; !given {
			levels[name] = f.LevelAt(o.Release.Level)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(supported)) {
		if err := checkLevel(supported[name], levels); err != nil {
			return nil, err
		}
	}
	return levels, nil
}

// setKRaftLevel: kraft.version says whether voters are dynamic, which the configuration decides.
func (o *Options) setKRaftLevel(levels map[string]int16) error {
	level, given := levels[kafka.KRaftVersionFeature]
	switch {
	case !given && o.Dynamic:
		levels[kafka.KRaftVersionFeature] = quorum.LatestKRaftVersion
	case !given:
		levels[kafka.KRaftVersionFeature] = 0
	case level == 0 && o.Dynamic:
		return errorf("Cannot set kraft.version to 0 if controller.quorum.voters is empty and one of the flags --standalone, --initial-controllers, or --no-initial-controllers is used. For dynamic controllers support, try removing the --feature flag for kraft.version.")
	case level != 0 && !o.Dynamic:
		return errorf("Cannot set kraft.version to %d unless controller.quorum.voters is empty and one of the flags --standalone, --initial-controllers, or --no-initial-controllers is used. For dynamic controllers support, try using one of --standalone, --initial-controllers, or --no-initial-controllers and removing controller.quorum.voters.", level)
	}
	return nil
}

func checkLevel(f controller.Feature, levels map[string]int16) error {
	level := levels[f.Name]
	if level < f.Min || level > f.Max {
		return errorf("No feature:%s with feature level %d", f.Name, level)
	}
	for other, least := range f.Dependencies(level) {
		if levels[other] < least {
			return errorf("%s could not be set to %d because it depends on %s level %d", f.Name, level, other, least)
		}
	}
	return nil
}
