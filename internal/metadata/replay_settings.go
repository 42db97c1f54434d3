package metadata

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// setConfig sets or, with a null value, removes one configuration of a resource.
func (d *Delta) setConfig(r *wire.ConfigRecord) {
	resource := ConfigResource{ConfigType(r.ResourceType), r.ResourceName}
	old, _ := d.configs.get(resource)
	next := maps.Clone(old)
	if r.Value == nil {
		delete(next, r.Name)
		if len(next) == 0 {
			d.configs = d.configs.remove(resource, d.edit)
			return
		}
	} else {
		if next == nil {
			next = make(map[string]string, 1)
		}
		next[r.Name] = *r.Value
	}
	d.configs = d.configs.set(resource, next, d.edit)
}

func (d *Delta) setFeature(r *wire.FeatureLevelRecord) {
	switch {
	case r.Name == kafka.KRaftVersionFeature: // the quorum keeps that level; Kafka skips its record here (KAFKA-18979)
	case r.FeatureLevel == 0:
		d.features = d.features.remove(r.Name, d.edit)
	default:
		d.features = d.features.set(r.Name, r.FeatureLevel, d.edit)
	}
}

func (d *Delta) setQuota(r *wire.ClientQuotaRecord) {
	entity := make([]QuotaEntity, len(r.Entity))
	for i, e := range r.Entity {
		entity[i] = QuotaEntity{e.EntityType, e.EntityName}
	}
	slices.SortStableFunc(entity, func(a, b QuotaEntity) int { return cmp.Compare(a.Type, b.Type) })
	key := quotaKey(entity)
	next := &Quota{Entity: entity, Values: map[string]float64{}}
	if old, found := d.quotas.get(key); found {
		next.Values = maps.Clone(old.Values)
	}
	if r.Remove {
		delete(next.Values, r.QuotaKey)
	} else {
		next.Values[r.QuotaKey] = r.Value
	}
	if len(next.Values) == 0 {
		d.quotas = d.quotas.remove(key, d.edit)
		return
	}
	d.quotas = d.quotas.set(key, next, d.edit)
}

func copyCredential(r *wire.UserScramCredentialRecord) *wire.UserScramCredentialRecord {
	c := *r
	c.UnknownTags = nil
	c.Salt = slices.Clone(r.Salt)
	c.StoredKey = slices.Clone(r.StoredKey)
	c.ServerKey = slices.Clone(r.ServerKey)
	return &c
}

func copyToken(r *wire.DelegationTokenRecord) *wire.DelegationTokenRecord {
	c := *r
	c.UnknownTags = nil
	c.Renewers = slices.Clone(r.Renewers)
	return &c
}
