package config

import (
	"errors"
	"slices"
	"strconv"

	"github.com/ottla/ottla/internal/kafka"
)

// isDynamic reports whether a name by itself can be set while the broker runs.
func isDynamic(name string) bool {
	if r := brokerTable.byName[name]; r != nil {
		return r.Update != ReadOnly
	}
	return dynamicTable.byName[name] != nil
}

// needsPrefix reports whether a property can be changed only for single listeners: everything about TLS that can be
// changed at all (SslConfigs.RECONFIGURABLE_CONFIGS).
func needsPrefix(name string) bool {
	return slices.Contains([]string{"ssl.keystore.type", "ssl.keystore.location", "ssl.keystore.password", "ssl.key.password", "ssl.keystore.key",
		"ssl.keystore.certificate.chain", "ssl.truststore.type", "ssl.truststore.location", "ssl.truststore.password", "ssl.truststore.certificates"}, name)
}

// clusterWidePerListener are settings of single listeners that may be a default for all brokers.
var clusterWidePerListener = []string{"max.connections", "max.connection.creation.rate", "num.network.threads"}

// checkDynamic checks names and values of dynamic broker settings by themselves (DynamicBrokerConfig.validateConfigs).
// Unknown names pass, as in Kafka, where they may belong to plug-ins.
func checkDynamic(settings map[string]string, perBroker bool) error {
	var fixed, bare, single []string
	for _, name := range sortedKeys(settings) {
		r := brokerTable.byName[name]
		base, prefixed := listenerBase(name)
		switch {
		case r != nil && r.Update == ReadOnly:
			fixed = append(fixed, name)
		case needsPrefix(name):
			bare = append(bare, name)
		case r != nil && r.Update == PerBroker, prefixed && !slices.Contains(clusterWidePerListener, base):
			single = append(single, name)
		}
	}
	complain := func(text string, names []string) error {
		return kafka.Errorf(kafka.InvalidRequest, "%s: %s", text, javaList(names))
	}
	if len(fixed) > 0 {
		return complain("Cannot update these configs dynamically", fixed)
	}
	if len(bare) > 0 {
		return complain("These security configs can be dynamically updated only per-listener using the listener prefix", bare)
	}
	for _, name := range sortedKeys(settings) {
		if err := checkDynamicValue(name, settings[name]); err != nil {
			return kafka.Errorf(kafka.InvalidRequest, "%s", err)
		}
	}
	if !perBroker && len(single) > 0 {
		return complain("Cannot update these configs at default cluster level, broker id must be specified", single)
	}
	return nil
}

func checkDynamicValue(name, text string) error {
	r := brokerRow(name)
	if r == nil {
		return nil
	}
	v, err := parse(r, text)
	if err != nil {
		return err
	}
	if r.Status == Refused && r.Type == Class && v.text != r.Default {
		return invalid(r, v.text, "Class "+v.text+" could not be found.")
	}
	return nil
}

// CheckDynamic checks what dynamic settings of a broker resource would be after a change, before it goes to the
// controller. The resource is the broker's id, or empty for all brokers. Errors are INVALID_REQUEST with Kafka's texts
// (ConfigAdminManager.validateBrokerConfigChange).
func (b *Broker) CheckDynamic(resource string, settings map[string]string) error {
	if err := b.CheckResource(resource); err != nil {
		return err
	}
	if err := checkDynamic(settings, resource != ""); err != nil {
		return err
	}
	broker, cluster := b.broker, settings
	if resource != "" {
		broker, cluster = settings, b.cluster
	}
	next, errs := newBroker(b.static, broker, cluster)
	err := errors.Join(errs...)
	if err == nil {
		err = errors.Join(next.finish(), next.refuseProtocols())
	}
	if failed, ok := errors.AsType[requirement](err); ok {
		return kafka.Errorf(kafka.InvalidRequest, "requirement failed: %s", failed)
	}
	if err != nil {
		return kafka.Errorf(kafka.InvalidRequest, "%s", err)
	}
	return nil
}

// StandIn returns the broker's settings as those that a controller checks another broker's request with, which that broker
// forwarded: CheckDynamic takes any broker's id.
func (b *Broker) StandIn() *Broker {
	other := *b
	other.standsIn = true
	return &other
}

// CheckResource checks that a broker resource is all brokers or this one: INVALID_REQUEST.
func (b *Broker) CheckResource(resource string) error {
	if resource == "" {
		return nil
	}
	id, err := strconv.ParseInt(resource, 10, 32)
	if err != nil {
		return kafka.Errorf(kafka.InvalidRequest, "Node id must be an integer, but it is: %s", resource)
	}
	if int(id) != b.Int(NodeID) && !b.standsIn {
		return kafka.Errorf(kafka.InvalidRequest, "Unexpected broker id, expected %d, but received %s", b.Int(NodeID), resource)
	}
	return nil
}

// checkBrokerName is the controller's check of a broker resource's name.
func checkBrokerName(name string) error {
	if name == "" {
		return nil
	}
	id, err := strconv.ParseInt(name, 10, 32)
	if err != nil {
		return kafka.Errorf(kafka.InvalidRequest, "Unable to parse broker name as a base 10 number.")
	}
	if id < 0 {
		return kafka.Errorf(kafka.InvalidRequest, "Invalid negative broker ID.")
	}
	return nil
}

// usable leaves out stored settings that cannot be applied, with a notice for each.
func usable(stored map[string]string, perBroker bool) (map[string]string, []Notice) {
	var notices []Notice
	kept := make(map[string]string, len(stored))
	for _, name := range sortedKeys(stored) {
		if err := checkDynamic(map[string]string{name: stored[name]}, perBroker); err != nil {
			notices = append(notices, notice(IgnoredDynamic, name, "stored dynamic setting is ignored: %s", *kafka.MessageOf(err)))
			continue
		}
		kept[name] = stored[name]
	}
	return kept, notices
}
