// Package config knows every property of brokers, topics, groups and client metrics subscriptions, reads a broker's
// configuration from its sources, and answers what holds for a resource and why.
//
// A Row is one property: name, type, default, bounds, synonyms, whether it changes while the broker runs, one sentence
// of documentation, and its Status here: enforced, accepted without effect, or refused. Rows are plain data in the
// rows_*.go files, one variable each. The variables are the keys of typed getters (b.Int(config.NumPartitions)), so
// that neither a misspelt name nor the wrong type compiles.
//
// Layers give a property its value, the first that has one wins: the topic's or group's own setting, the dynamic
// setting of this broker, the dynamic default of all brokers, the static setting, the default. Static settings come
// from Load: defaults, then the properties file, then the KAFKA_* variables of the Docker images, then --set. Dynamic
// settings come from the metadata log through WithDynamic.
//
// A Broker, Topic, Group and ClientMetrics is one effective configuration. They never change and may be shared and
// cached: all topics without settings of their own share one Topic.
//
// Names, types, defaults, bounds and error texts are those of Apache Kafka 4.3.1; testdata holds what it answered, and
// the tests list each deliberate difference with its reason.
package config
