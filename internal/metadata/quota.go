package metadata

import (
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/wire"
)

// QuotaEntity is one part of what a quota applies to; a nil Name is the default of the type.
type QuotaEntity struct {
	Type string // user, client-id or ip
	Name *string
}

// Quota is what one entity may use. It is never changed.
type Quota struct {
	Entity []QuotaEntity      // sorted by type
	Values map[string]float64 // by quota key, such as producer_byte_rate; never empty
}

// quotaKey names an entity, whatever the order of its parts, so that two entities have the same key exactly
// if they are equal.
func quotaKey(entity []QuotaEntity) string {
	var b strings.Builder
	for _, e := range entity {
		b.WriteString(strconv.Quote(e.Type))
		if e.Name == nil {
			b.WriteString("=default,")
		} else {
			b.WriteString("=" + strconv.Quote(*e.Name) + ",")
		}
	}
	return b.String()
}

func (q *Quota) record(key string) *wire.ClientQuotaRecord {
	r := &wire.ClientQuotaRecord{QuotaKey: key, Value: q.Values[key]}
	for _, e := range q.Entity {
		r.Entity = append(r.Entity, wire.ClientQuotaRecordEntityData{EntityType: e.Type, EntityName: e.Name})
	}
	return r
}
