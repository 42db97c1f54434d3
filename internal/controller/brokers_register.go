package controller

import (
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// RegisterBroker takes a broker into the cluster, fenced until it has caught up (KIP-631). Its epoch is the offset
// at which the records of its registration begin. A new incarnation of a known broker first leaves all ISRs. If its
// PreviousBrokerEpoch does not say that it lost nothing since, it leaves the ELRs, too: it may lack records that
// were committed and not flushed (KIP-966).
func (c *Controller) RegisterBroker(now time.Time, rq *wire.BrokerRegistrationRequest, reply Reply[*wire.BrokerRegistrationResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	if err := c.checkRegistration(now, rq); err != nil {
		return refused(err, reply)
	}
	record := registrationRecord(rq)
	record.BrokerEpoch = c.last + 1
	var records []wire.Message
	known := c.Image().Broker(rq.BrokerID)
	if known != nil && known.IncarnationID == rq.IncarnationID {
		record.BrokerEpoch = known.Epoch
		record.Fenced, record.InControlledShutdown = known.Fenced, known.InControlledShutdown
	} else {
		clean := known != nil && known.Epoch == rq.PreviousBrokerEpoch
		records = c.shutdownRecords(rq.BrokerID, clean)
	}
	response := &wire.BrokerRegistrationResponse{BrokerEpoch: record.BrokerEpoch}
	return decided(append(records, record), response, reply)
}

// checkRegistration returns why a broker may not register, or nil.
func (c *Controller) checkRegistration(now time.Time, rq *wire.BrokerRegistrationRequest) error {
	if rq.ClusterID != c.options.ClusterID {
		return kafka.Errorf(kafka.InconsistentClusterID, "Expected cluster ID %s, but got cluster ID %s", c.options.ClusterID, rq.ClusterID)
	}
	known := c.Image().Broker(rq.BrokerID)
	local := int(rq.BrokerID) == c.options.Config.Int(config.NodeID) && !rq.IncarnationID.IsZero() && rq.IncarnationID == c.options.Incarnation
	if known != nil && known.IncarnationID != rq.IncarnationID && !local && c.valid(c.sessions[rq.BrokerID], now) {
		return kafka.Errorf(kafka.DuplicateBrokerRegistration, "Another broker is registered with that broker id. If the broker was recently restarted this should self-resolve once the heartbeat manager expires the broker's session.")
	}
	if rq.IsMigratingZkBroker {
		return kafka.Errorf(kafka.BrokerIDNotRegistered, "Controller does not support registering ZK brokers.")
	}
	if err := c.checkDirectories(rq); err != nil {
		return err
	}
	return c.checkFeatures(rq)
}

func (c *Controller) checkDirectories(rq *wire.BrokerRegistrationRequest) error {
	if len(rq.LogDirs) == 0 {
		return kafka.Errorf(kafka.InvalidRegistration, "No directories specified in request")
	}
	seen := map[kafka.UUID]bool{}
	for _, dir := range rq.LogDirs {
		if reservedID(dir) {
			return kafka.Errorf(kafka.InvalidRegistration, "Reserved directory ID in request")
		}
		seen[dir] = true
	}
	if len(seen) != len(rq.LogDirs) {
		return kafka.Errorf(kafka.InvalidRegistration, "Duplicate directory ID in request")
	}
	for b := range c.Image().Brokers() {
		if b.ID == rq.BrokerID {
			continue
		}
		if i := slices.IndexFunc(rq.LogDirs, func(id kafka.UUID) bool { return slices.Contains(b.LogDirs, id) }); i >= 0 {
			return kafka.Errorf(kafka.InvalidRegistration, "Broker %d is already registered with directory %s", b.ID, rq.LogDirs[i])
		}
	}
	return nil
}

// reservedID reports whether the id is among the first hundred, which Kafka keeps for special meanings.
func reservedID(id kafka.UUID) bool {
	return id[15] < 100 && id == kafka.UUID{15: id[15]}
}

// checkFeatures makes sure that the broker knows every finalized feature level.
func (c *Controller) checkFeatures(rq *wire.BrokerRegistrationRequest) error {
	finalized := maps.Collect(c.Image().Features())
	finalized[kafka.KRaftVersionFeature] = c.kraftLevel()
	offered := make(map[string]metadata.FeatureRange, len(rq.Features))
	for _, f := range rq.Features {
		offered[f.Name] = metadata.FeatureRange{Min: f.MinSupportedVersion, Max: f.MaxSupportedVersion}
		if err := supports(f.Name, finalized[f.Name], offered[f.Name]); err != nil {
			return err
		}
	}
	if _, found := offered[kafka.MetadataVersionFeature]; !found {
		return kafka.Errorf(kafka.InvalidRegistration, "Request features do not contain '%s'", kafka.MetadataVersionFeature)
	}
	for _, name := range slices.Sorted(maps.Keys(finalized)) {
		if err := supports(name, finalized[name], offered[name]); err != nil {
			return err
		}
	}
	return nil
}

func supports(name string, level int16, r metadata.FeatureRange) error {
	if level >= r.Min && level <= r.Max {
		return nil
	}
	return kafka.Errorf(kafka.UnsupportedVersion, "Unable to register because the broker does not support finalized version %d of %s. The broker wants a version between %d and %d, inclusive.", level, name, r.Min, r.Max)
}

func registrationRecord(rq *wire.BrokerRegistrationRequest) *wire.RegisterBrokerRecord {
	r := &wire.RegisterBrokerRecord{
		BrokerID: rq.BrokerID, IncarnationID: rq.IncarnationID, Rack: rq.Rack, Fenced: true,
		LogDirs: slices.Clone(rq.LogDirs),
	}
	for _, l := range rq.Listeners {
		r.EndPoints = append(r.EndPoints, wire.RegisterBrokerRecordBrokerEndpoint{
			Name: l.Name, Host: l.Host, Port: l.Port, SecurityProtocol: l.SecurityProtocol,
		})
	}
	for _, f := range rq.Features {
		r.Features = append(r.Features, wire.RegisterBrokerRecordBrokerFeature{
			Name: f.Name, MinSupportedVersion: f.MinSupportedVersion, MaxSupportedVersion: f.MaxSupportedVersion,
		})
	}
	return r
}

// checkBrokerEpoch refuses a request of a broker that has been registered anew, or not at all.
func (c *Controller) checkBrokerEpoch(id int32, epoch int64) error {
	b := c.Image().Broker(id)
	if b == nil {
		return kafka.Errorf(kafka.StaleBrokerEpoch, "No broker registration found for broker id %d", id)
	}
	if b.Epoch != epoch {
		return kafka.Errorf(kafka.StaleBrokerEpoch, "Expected broker epoch %d, but got broker epoch %d", b.Epoch, epoch)
	}
	return nil
}
