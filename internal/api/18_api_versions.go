package api

import (
	"maps"
	"regexp"
	"slices"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/wire"
)

// produceMinAdvertised is the lowest Produce version that ApiVersions tells of, though versions below 3 are refused:
// librdkafka turns features off when version 0 is missing (KAFKA-18659).
const produceMinAdvertised = 0

// softwareName is what client software names and versions look like (KIP-511).
var softwareName = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$`)

// apiVersions answers ApiVersions 0-4: which APIs, versions and features there are. Version 3 tells the client's
// software (KIP-511) and adds features (KIP-584); version 4 may tell of features whose lowest level is 0.
func (a *API) apiVersions(c Call, rq *wire.ApiVersionsRequest) {
	if c.version >= 3 {
		if !softwareName.MatchString(rq.ClientSoftwareName) || !softwareName.MatchString(rq.ClientSoftwareVersion) {
			c.Reply(&wire.ApiVersionsResponse{ErrorCode: int16(kafka.InvalidRequest), FinalizedFeaturesEpoch: -1})
			return
		}
		c.Session().SetSoftware(rq.ClientSoftwareName, rq.ClientSoftwareVersion)
	}
	response := &wire.ApiVersionsResponse{FinalizedFeaturesEpoch: -1}
	for _, row := range a.rows {
		if row.Own() && rq.ClientSoftwareName != peer.Software {
			continue
		}
		low := row.Min
		if row.Name == "Produce" {
			low = produceMinAdvertised
		}
		response.ApiKeys = append(response.ApiKeys, wire.ApiVersionsResponseApiVersion{ApiKey: row.Key, MinVersion: low, MaxVersion: row.Max})
	}
	a.features(c.version, response)
	c.Reply(response)
}

// features fills in what levels of each feature this broker knows, and which the cluster has agreed on.
func (a *API) features(version int16, response *wire.ApiVersionsResponse) {
	for _, f := range controller.Features() {
		if f.Min == 0 && version < 4 {
			continue // clients of those versions cannot read a lowest level of 0 (KAFKA-17011)
		}
		response.SupportedFeatures = append(response.SupportedFeatures,
			wire.ApiVersionsResponseSupportedFeatureKey{Name: f.Name, MinVersion: f.Min, MaxVersion: f.Max})
	}
	image := a.Metadata.Current()
	response.FinalizedFeaturesEpoch = image.Offset()
	finalized := maps.Collect(image.Features())
	finalized[kafka.KRaftVersionFeature] = a.KRaftVersion()
	for _, name := range slices.Sorted(maps.Keys(finalized)) {
		if level := finalized[name]; level > 0 {
			response.FinalizedFeatures = append(response.FinalizedFeatures,
				wire.ApiVersionsResponseFinalizedFeatureKey{Name: name, MinVersionLevel: level, MaxVersionLevel: level})
		}
	}
}

// refuseApiVersions answers a version of ApiVersions that this broker does not know: in version 0, which every client
// reads, with the versions of ApiVersions itself.
func (a *API) refuseApiVersions(c Call) {
	row := a.row(apiVersionsKey)
	c.ReplyIn(&wire.ApiVersionsResponse{
		ErrorCode: int16(kafka.UnsupportedVersion),
		ApiKeys:   []wire.ApiVersionsResponseApiVersion{{ApiKey: row.Key, MinVersion: row.Min, MaxVersion: row.Max}},
	}, 0)
}
