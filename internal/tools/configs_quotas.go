package tools

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/wire/recordjson"
)

// quotaEntity is the wire's name of a type that has quotas.
func quotaEntity(kind string) string {
	switch kind {
	case entityUsers:
		return "user"
	case entityClients:
		return "client-id"
	}
	return "ip"
}

// quotas returns the quotas of exactly the selected combination of users, clients and IP addresses; without a name all of the type.
func (t *configsTool) quotas() ([]kmsg.DescribeClientQuotasResponseEntry, error) {
	rq := kmsg.NewPtrDescribeClientQuotasRequest()
	rq.Strict = true
	if len(t.names) > len(t.types) {
		return nil, illegalArgument("More entity names specified than entity types")
	}
	for i, kind := range t.types {
		c := kmsg.NewDescribeClientQuotasRequestComponent()
		c.EntityType = quotaEntity(kind)
		switch {
		case i >= len(t.names):
			c.MatchType = kmsg.QuotasMatchTypeAny
		case t.names[i] == "":
			c.MatchType = kmsg.QuotasMatchTypeDefault
		default:
			c.MatchType, c.Match = kmsg.QuotasMatchTypeExact, kmsg.StringPtr(t.names[i])
		}
		rq.Components = append(rq.Components, c)
	}
	response, err := request[*kmsg.DescribeClientQuotasResponse](t.admin, "describeClientQuotas", rq)
	if err == nil {
		err = responseError(response.ErrorCode, response.ErrorMessage)
	}
	if err != nil {
		return nil, inFuture(err)
	}
	return response.Entries, nil
}

func (t *configsTool) describeQuotas() error {
	entries, err := t.quotas()
	if err != nil {
		return err
	}
	var lines []string
	for _, e := range entries {
		var values []string
		slices.SortFunc(e.Values, func(a, b kmsg.DescribeClientQuotasResponseEntryValue) int { return cmp.Compare(a.Key, b.Key) })
		for _, v := range e.Values {
			values = append(values, v.Key+"="+recordjson.FormatFloat(v.Value, 64))
		}
		lines = append(lines, "Quota configs for "+quotaOwner(e.Entity)+" are "+strings.Join(values, ", "))
	}
	slices.Sort(lines)
	for _, line := range lines {
		t.println(line)
	}
	return nil
}

// quotaOwner names whom a quota is for: user-principal 'alice', client-id 'c1'.
func quotaOwner(entity []kmsg.DescribeClientQuotasResponseEntryEntity) string {
	var parts []string
	for _, kind := range []struct{ name, text string }{{"user", "user-principal"}, {"client-id", "client-id"}, {"ip", "ip"}} {
		for _, e := range entity {
			switch {
			case e.Type != kind.name:
			case e.Name == nil:
				parts = append(parts, "the default "+kind.text)
			default:
				parts = append(parts, kind.text+" '"+*e.Name+"'")
			}
		}
	}
	return strings.Join(parts, ", ")
}

func (t *configsTool) alterQuotas(add map[string]string, remove []string) error {
	entries, err := t.quotas()
	if err != nil {
		return err
	}
	if err := quotasToRemove(entries, remove); err != nil {
		return err
	}
	rq := kmsg.NewPtrAlterClientQuotasRequest()
	entry := kmsg.NewAlterClientQuotasRequestEntry()
	for i, kind := range t.types {
		e := kmsg.NewAlterClientQuotasRequestEntryEntity()
		e.Type = quotaEntity(kind)
		if t.names[i] != "" {
			e.Name = kmsg.StringPtr(t.names[i])
		}
		entry.Entity = append(entry.Entity, e)
	}
	for _, name := range slices.Sorted(maps.Keys(add)) {
		value, err := strconv.ParseFloat(strings.TrimSpace(add[name]), 64)
		if err != nil {
			return illegalArgument("Cannot parse quota configuration value for " + name + ": " + add[name])
		}
		op := kmsg.NewAlterClientQuotasRequestEntryOp()
		op.Key, op.Value = name, value
		entry.Ops = append(entry.Ops, op)
	}
	for _, name := range remove {
		op := kmsg.NewAlterClientQuotasRequestEntryOp()
		op.Key, op.Remove = name, true
		entry.Ops = append(entry.Ops, op)
	}
	rq.Entries = append(rq.Entries, entry)
	response, err := request[*kmsg.AlterClientQuotasResponse](t.admin, "alterClientQuotas", rq)
	if err != nil {
		return inFuture(err)
	}
	for _, e := range response.Entries {
		if err := responseError(e.ErrorCode, e.ErrorMessage); err != nil {
			return inFuture(err)
		}
	}
	return nil
}

// quotasToRemove refuses to remove quotas that are not there.
func quotasToRemove(entries []kmsg.DescribeClientQuotasResponseEntry, remove []string) error {
	var absent []string
	for _, name := range remove {
		there := len(entries) > 0 && slices.ContainsFunc(entries[0].Values, func(v kmsg.DescribeClientQuotasResponseEntryValue) bool { return v.Key == name })
		if !there {
			absent = append(absent, name)
		}
	}
	if absent == nil {
		return nil
	}
	return invalidConfiguration("Invalid config(s): " + strings.Join(absent, ","))
}
