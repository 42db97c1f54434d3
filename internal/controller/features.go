package controller

import (
	"fmt"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

const elrVersion = "eligible.leader.replicas.version"

// Feature is one row of the table of features: the levels that this release supports, and the level that a new
// cluster gets.
type Feature struct {
	Name     string
	Min, Max int16
	New      int16
	// since are the levels of metadata.version from which on clusters get the levels 1, 2, ...
	since        []int16
	dependencies map[string]int16 // of the levels above 0
}

// LevelAt is the level that a cluster gets with a metadata.version (Feature.defaultLevel).
func (f Feature) LevelAt(metadata int16) int16 {
	if f.Name == kafka.MetadataVersionFeature {
		return metadata
	}
	level := int16(0)
	for i, since := range f.since {
		if metadata >= since {
			level = int16(i + 1)
		}
	}
	return level
}

// Dependencies are the levels of other features that a level needs.
func (f Feature) Dependencies(level int16) map[string]int16 {
	if level == 0 {
		return nil
	}
	return f.dependencies
}

// minMetadataVersion is the oldest metadata.version that Kafka 4 understands, 3.3-IV3.
const minMetadataVersion = 7

// KRaftLevel is the level of kraft.version that a quorum with voters in its log has. It belongs to the quorum, not to the image.
const KRaftLevel = 1

// Features returns the features of Kafka 4.3 in the order of their names
// (org.apache.kafka.server.common.Feature, MetadataVersion).
func Features() []Feature {
	return []Feature{
		{Name: elrVersion, Max: 1, New: 1, since: []int16{26}, dependencies: map[string]int16{kafka.MetadataVersionFeature: 23}},
		{Name: "group.version", Max: 1, New: 1, since: []int16{22}},
		{Name: kafka.KRaftVersionFeature, Max: 1, New: KRaftLevel, since: []int16{21}},
		{Name: kafka.MetadataVersionFeature, Min: minMetadataVersion, Max: 30, New: 30},
		{Name: "share.version", Max: 1, New: 1, since: []int16{28}},
		{Name: "streams.version", Max: 1, New: 1, since: []int16{29}},
		{Name: "transaction.version", Max: 2, New: 2, since: []int16{24, 24}},
	}
}

// FeatureNamed finds a feature.
func FeatureNamed(name string) (Feature, bool) {
	all := Features()
	i := slices.IndexFunc(all, func(f Feature) bool { return f.Name == name })
	if i < 0 {
		return Feature{}, false
	}
	return all[i], true
}

// Upgrade types of an UpdateFeatures request.
const (
	upgrade         = 1
	safeDowngrade   = 2
	unsafeDowngrade = 3
)

// UpdateFeatures changes finalized feature levels, all of the request's or none (KIP-584, FeatureControlManager).
func (c *Controller) UpdateFeatures(now time.Time, rq *wire.UpdateFeaturesRequest, reply Reply[*wire.UpdateFeaturesResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	response := new(wire.UpdateFeaturesResponse)
	proposed := map[string]int16{}
	for name, level := range c.Image().Features() {
		proposed[name] = level
	}
	for _, u := range rq.FeatureUpdates {
		proposed[u.Feature] = u.MaxVersionLevel
	}
	var records []wire.Message
	for _, u := range rq.FeatureUpdates {
		record, err := c.updateFeature(u, proposed, rq.ValidateOnly)
		if err != nil {
			response.ErrorCode = code(err)
			message := "The update failed for all features since the following feature had an error: " + err.Message
			response.ErrorMessage = &message
			return decided(nil, response, reply)
		}
		if record != nil {
			records = append(records, record)
		}
		none := "NONE"
		response.Results = append(response.Results, wire.UpdateFeaturesResponseUpdatableFeatureResult{Feature: u.Feature, ErrorMessage: &none})
	}
	if rq.ValidateOnly {
		return decided(nil, response, reply)
	}
	if proposed[elrVersion] > 0 && c.Image().Feature(elrVersion) == 0 {
		records = append(c.elrSafetyRecords(), records...)
	}
	return decided(records, response, reply)
}

func invalidFeature(name string, level int16, format string, args ...any) *kafka.Error {
	return kafka.Errorf(kafka.InvalidUpdateVersion, "Invalid update version %d for feature %s. %s", level, name, fmt.Sprintf(format, args...))
}

func (c *Controller) updateFeature(u wire.UpdateFeaturesRequestFeatureUpdateKey, proposed map[string]int16, validateOnly bool) (wire.Message, *kafka.Error) {
	name, level := u.Feature, u.MaxVersionLevel
	if u.UpgradeType < upgrade || u.UpgradeType > unsafeDowngrade {
		return nil, invalidFeature(name, level, "The controller does not support the given upgrade type.")
	}
	current := c.Image().Feature(name)
	if name == kafka.KRaftVersionFeature {
		current = c.kraftLevel()
	}
	if level < 0 {
		return nil, invalidFeature(name, level, "A feature version cannot be less than 0.")
	}
	if reason := c.unsupported(name, level); reason != "" {
		return nil, invalidFeature(name, level, "%s", reason)
	}
	switch {
	case level < current && u.UpgradeType == upgrade:
		return nil, invalidFeature(name, level, "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.")
	case level > current && u.UpgradeType != upgrade:
		return nil, invalidFeature(name, level, "Can't downgrade to a newer version.")
	}
	switch name {
	case kafka.MetadataVersionFeature:
		return updateMetadataVersion(current, level, u.UpgradeType == unsafeDowngrade)
	case kafka.KRaftVersionFeature:
		return c.updateKRaftVersion(u, current, validateOnly)
	}
	feature, found := FeatureNamed(name)
	if !found {
		return nil, invalidFeature(name, level, "Feature %s not found.", name)
	}
	if level > 0 {
		for dependency, least := range feature.dependencies {
			if proposed[dependency] < least {
				return nil, invalidFeature(name, level, "%s could not be set to %d because it depends on %s level %d", name, level, dependency, least)
			}
		}
	}
	return &wire.FeatureLevelRecord{Name: name, FeatureLevel: level}, nil
}

// updateKRaftVersion has the quorum change its version. Its records are the quorum's; a NoOpRecord after them is what the answer
// waits for.
func (c *Controller) updateKRaftVersion(u wire.UpdateFeaturesRequestFeatureUpdateKey, current int16, validateOnly bool) (wire.Message, *kafka.Error) {
	level := u.MaxVersionLevel
	if level == current {
		return nil, nil
	}
	if u.UpgradeType != upgrade || c.options.KRaft == nil {
		return nil, invalidFeature(kafka.KRaftVersionFeature, level, "Can't downgrade the version of this feature.")
	}
	if err := c.options.KRaft.UpgradeKRaftVersion(level, validateOnly); err != nil {
		return nil, &kafka.Error{Code: kafka.CodeOf(err), Message: err.Error()}
	}
	return &wire.NoOpRecord{}, nil
}

// levelsWithNewMetadata are the levels of metadata.version that brought metadata which the level before did not have
// (MetadataVersion.didMetadataChange).
var levelsWithNewMetadata = []int16{7, 8, 11, 13, 14, 15, 17, 23, 30}

// updateMetadataVersion refuses a downgrade that would leave out metadata.
func updateMetadataVersion(current, level int16, unsafe bool) (wire.Message, *kafka.Error) {
	if slices.ContainsFunc(levelsWithNewMetadata, func(changed int16) bool { return level < changed && changed <= current }) {
		reason := "Refusing to perform the requested downgrade because it might delete metadata information."
		if unsafe {
			reason = "Unsafe metadata downgrade is not supported in this version."
		}
		return nil, kafka.Errorf(kafka.InvalidUpdateVersion, "Unsupported metadata.version downgrade from %d to %d. %s", current, level, reason)
	}
	return &wire.FeatureLevelRecord{Name: kafka.MetadataVersionFeature, FeatureLevel: level}, nil
}

// unsupported says which node of the cluster does not know the level of a feature, "" if all do.
func (c *Controller) unsupported(name string, level int16) string {
	reason := func(who string, r metadata.FeatureRange) string {
		switch {
		case level >= r.Min && level <= r.Max:
			return ""
		case r.Max == 0:
			return who + " does not support this feature."
		case r.Min == r.Max:
			return fmt.Sprintf("%s only supports versions %d", who, r.Min)
		}
		return fmt.Sprintf("%s only supports versions %d-%d", who, r.Min, r.Max)
	}
	feature, _ := FeatureNamed(name)
	if text := reason(fmt.Sprintf("Local controller %d", c.options.Config.Int(config.NodeID)), metadata.FeatureRange{Min: feature.Min, Max: feature.Max}); text != "" {
		return text
	}
	for b := range c.Image().Brokers() {
		if text := reason(fmt.Sprintf("Broker %d", b.ID), b.Features[name]); text != "" {
			return text
		}
	}
	return ""
}

// elrSafetyRecords makes min.insync.replicas a matter of the cluster and of topics alone, as eligible leader
// replicas need it (KIP-966): brokers must not disagree about it.
func (c *Controller) elrSafetyRecords() []wire.Message {
	var records []wire.Message
	if _, found := c.Image().Config(clusterDefault)[minInsyncReplicas]; !found {
		records = append(records, c.defaultMinISR())
	}
	for resource, config := range c.Image().Configs() {
		if _, found := config[minInsyncReplicas]; found && resource.Type == metadata.ConfigBroker && resource.Name != "" {
			records = append(records, &wire.ConfigRecord{ResourceType: int8(resource.Type), ResourceName: resource.Name, Name: minInsyncReplicas})
		}
	}
	return records
}
