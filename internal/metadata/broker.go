package metadata

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// Endpoint is where a broker or controller listens.
type Endpoint struct {
	Listener         string
	Host             string
	Port             uint16
	SecurityProtocol int16 // 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL
}

// FeatureRange is the range of levels of a feature that a node supports.
type FeatureRange struct{ Min, Max int16 }

// Broker is the registration of one broker. It is never changed.
type Broker struct {
	ID                   int32
	Epoch                int64      // offset of the RegisterBrokerRecord
	IncarnationID        kafka.UUID // of the broker process
	Endpoints            []Endpoint // in the order in which the broker gave them
	Rack                 *string
	Fenced               bool
	InControlledShutdown bool
	LogDirs              []kafka.UUID // sorted
	CordonedLogDirs      []kafka.UUID // nil until the broker has said
	Features             map[string]FeatureRange
	migratingZK          bool // only in logs that began before Kafka 4
}

// Active reports whether the broker may lead and be in ISRs: neither fenced nor shutting down.
func (b *Broker) Active() bool { return !b.Fenced && !b.InControlledShutdown }

// Endpoint returns the broker's endpoint of the named listener.
func (b *Broker) Endpoint(listener string) (Endpoint, bool) {
	i := slices.IndexFunc(b.Endpoints, func(e Endpoint) bool { return e.Listener == listener })
	if i < 0 {
		return Endpoint{}, false
	}
	return b.Endpoints[i], true
}

// HasOnlineDir reports whether a replica in the directory can be used as far as the broker's registration
// tells: an unassigned or migrating one can, a lost one cannot.
func (b *Broker) HasOnlineDir(id kafka.UUID) bool {
	switch id {
	case DirectoryUnassigned, DirectoryMigrating:
		return true
	case DirectoryLost:
		return false
	}
	return len(b.LogDirs) == 0 || slices.Contains(b.LogDirs, id)
}

// HasUncordonedDir reports whether new replicas may be placed on the broker.
func (b *Broker) HasUncordonedDir() bool {
	if len(b.LogDirs) == 0 || b.CordonedLogDirs == nil {
		return true
	}
	return slices.ContainsFunc(b.LogDirs, func(id kafka.UUID) bool { return !slices.Contains(b.CordonedLogDirs, id) })
}

// DefaultDir is the directory of a new replica on the broker: its only one, or DirectoryUnassigned where the
// broker has a choice.
func (b *Broker) DefaultDir() kafka.UUID {
	switch len(b.LogDirs) {
	case 0:
		return DirectoryMigrating
	case 1:
		return b.LogDirs[0]
	}
	return DirectoryUnassigned
}

func brokerOf(r *wire.RegisterBrokerRecord) *Broker {
	b := &Broker{
		ID:                   r.BrokerID,
		Epoch:                r.BrokerEpoch,
		IncarnationID:        r.IncarnationID,
		Rack:                 r.Rack,
		Fenced:               r.Fenced,
		InControlledShutdown: r.InControlledShutdown,
		LogDirs:              sortedIDs(r.LogDirs),
		CordonedLogDirs:      sortedIDs(r.CordonedLogDirs),
		Features:             make(map[string]FeatureRange, len(r.Features)),
		migratingZK:          r.IsMigratingZkBroker,
	}
	for _, e := range r.EndPoints {
		b.Endpoints = append(b.Endpoints, Endpoint{e.Name, e.Host, e.Port, e.SecurityProtocol})
	}
	for _, f := range r.Features {
		b.Features[f.Name] = FeatureRange{f.MinSupportedVersion, f.MaxSupportedVersion}
	}
	return b
}

// sortedIDs returns a sorted copy; nil stays nil and empty stays empty.
func sortedIDs(ids []kafka.UUID) []kafka.UUID {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, compareUUID)
	return ids
}

func (b *Broker) record() *wire.RegisterBrokerRecord {
	r := &wire.RegisterBrokerRecord{
		BrokerID:             b.ID,
		IsMigratingZkBroker:  b.migratingZK,
		IncarnationID:        b.IncarnationID,
		BrokerEpoch:          b.Epoch,
		Rack:                 b.Rack,
		Fenced:               b.Fenced,
		InControlledShutdown: b.InControlledShutdown,
		LogDirs:              b.LogDirs,
		CordonedLogDirs:      b.CordonedLogDirs,
	}
	for _, e := range b.Endpoints {
		r.EndPoints = append(r.EndPoints, wire.RegisterBrokerRecordBrokerEndpoint{
			Name: e.Listener, Host: e.Host, Port: e.Port, SecurityProtocol: e.SecurityProtocol,
		})
	}
	for _, name := range sortedKeys(b.Features) {
		f := b.Features[name]
		r.Features = append(r.Features, wire.RegisterBrokerRecordBrokerFeature{
			Name: name, MinSupportedVersion: f.Min, MaxSupportedVersion: f.Max,
		})
	}
	return r
}
