package tools

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// describeConfigs returns the configs of resources, in the order of the request; the first failure ends it.
func (a *admin) describeConfigs(kind kmsg.ConfigResourceType, names []string, synonyms bool) (map[string][]kmsg.DescribeConfigsResponseResourceConfig, error) {
	rq := kmsg.NewPtrDescribeConfigsRequest()
	rq.IncludeSynonyms = synonyms
	for _, name := range names {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName = kind, name
		rq.Resources = append(rq.Resources, r)
	}
	configs := make(map[string][]kmsg.DescribeConfigsResponseResourceConfig)
	if len(names) == 0 {
		return configs, nil
	}
	response, err := a.askOwner(kind, names[0], "describeConfigs", rq)
	if err != nil {
		return nil, err
	}
	for _, r := range response.(*kmsg.DescribeConfigsResponse).Resources {
		if err := responseError(r.ErrorCode, r.ErrorMessage); err != nil {
			return nil, err
		}
		configs[r.ResourceName] = r.Configs
	}
	return configs, nil
}

// A configChange sets a config, or deletes it.
type configChange struct {
	name   string
	value  string
	delete bool
}

// alterConfigs changes configs of one resource and leaves its others as they are.
func (a *admin) alterConfigs(kind kmsg.ConfigResourceType, name string, changes []configChange) error {
	rq := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kind, name
	for _, c := range changes {
		entry := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		entry.Name, entry.Value = c.name, kmsg.StringPtr(c.value)
		if c.delete {
			entry.Op = kmsg.IncrementalAlterConfigOpDelete
		}
		r.Configs = append(r.Configs, entry)
	}
	rq.Resources = append(rq.Resources, r)
	send := func() (kmsg.Response, error) { return a.askOwner(kind, name, callIncrementalAlterConfigs, rq) }
	if a.controllers != nil {
		send = func() (kmsg.Response, error) { return a.call(callIncrementalAlterConfigs, rq) } // the active one changes those of all
	}
	response, err := send()
	if err != nil {
		return err
	}
	for _, r := range response.(*kmsg.IncrementalAlterConfigsResponse).Resources {
		if err := responseError(r.ErrorCode, r.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}

// askOwner asks any node about configs, or, about those of one broker, that node: nobody else knows them.
func (a *admin) askOwner(kind kmsg.ConfigResourceType, name, call string, rq kmsg.Request) (kmsg.Response, error) {
	if id, err := strconv.ParseInt(name, 10, 32); err == nil && kind == kmsg.ConfigResourceTypeBroker {
		return a.callBroker(int32(id), call, rq)
	}
	return a.call(call, rq)
}
