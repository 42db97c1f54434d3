package config

// Rows: authorization, tokens and principals.
var (
	AuthorizerClassName = BrokerString{&Row{
		Name: "authorizer.class.name", Type: String, Importance: Low,
		Doc:    "Class that decides who may do what; empty allows everything to everybody.",
		Status: Refused, Why: "this version cannot authorize, and would serve everything to everybody",
	}}
	PrincipalBuilderClass = BrokerString{&Row{
		Name: "principal.builder.class", Type: Class, Default: "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder", Importance: Medium, Update: PerBroker,
		Doc:    "Class that turns an authenticated connection into a principal.",
		Status: Refused, Why: "Java classes cannot be loaded",
	}}
	ConnectionsMaxReauthMs = BrokerLong{&Row{
		Name: "connections.max.reauth.ms", Type: Long, Default: "0", Importance: Medium, Unit: Milliseconds,
		Doc:    "Time after which clients must authenticate again; 0 never asks them to.",
		Status: Later, Why: "SASL",
	}}
	DelegationTokenSecretKey = BrokerString{&Row{
		Name: "delegation.token.secret.key", Type: Password, Null: true, Importance: Medium,
		Doc:    "Secret with which delegation tokens are made and checked; without it they are off.",
		Status: Later, Why: "delegation tokens",
	}}
	DelegationTokenMaxLifetimeMs = BrokerLong{&Row{
		Name: "delegation.token.max.lifetime.ms", Type: Long, Default: "604800000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc:    "Longest life of a delegation token with all its renewals.",
		Status: Later, Why: "delegation tokens",
	}}
	DelegationTokenExpiryTimeMs = BrokerLong{&Row{
		Name: "delegation.token.expiry.time.ms", Type: Long, Default: "86400000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc:    "Life of a delegation token until it must be renewed.",
		Status: Later, Why: "delegation tokens",
	}}
	DelegationTokenExpiryCheckIntervalMs = BrokerLong{&Row{
		Name: "delegation.token.expiry.check.interval.ms", Type: Long, Default: "3600000", Valid: atLeast(1), Importance: Low, Unit: Milliseconds,
		Doc:    "Interval at which expired delegation tokens are looked for.",
		Status: Later, Why: "delegation tokens",
	}}
	SecurityProviders = BrokerString{&Row{
		Name: "security.providers", Type: String, Null: true, Importance: Low,
		Doc:    "Java security providers.",
		Status: NoEffect, Why: "Java classes cannot be loaded",
	}}
)

var securityRows = []*Row{
	AuthorizerClassName.Row, PrincipalBuilderClass.Row, ConnectionsMaxReauthMs.Row, DelegationTokenSecretKey.Row,
	DelegationTokenMaxLifetimeMs.Row, DelegationTokenExpiryTimeMs.Row, DelegationTokenExpiryCheckIntervalMs.Row,
	SecurityProviders.Row,
}
