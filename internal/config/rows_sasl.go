package config

// Rows: SASL of listeners.
var (
	SASLEnabledMechanisms = BrokerList{&Row{
		Name: "sasl.enabled.mechanisms", Type: List, Default: "GSSAPI", Valid: distinct{empty: true}, Importance: Medium, Update: PerBroker,
		Doc:    "SASL mechanisms that clients may use.",
		Status: Later, Why: "SASL",
	}}
	SASLMechanismInterBrokerProtocol = BrokerString{&Row{
		Name: "sasl.mechanism.inter.broker.protocol", Type: String, Default: "GSSAPI", Importance: Medium, Update: PerBroker,
		Doc:    "SASL mechanism between brokers.",
		Status: Later, Why: "SASL",
	}}
	SASLMechanismControllerProtocol = BrokerString{&Row{
		Name: "sasl.mechanism.controller.protocol", Type: String, Default: "GSSAPI",
		Doc:    "SASL mechanism towards controllers.",
		Status: Later, Why: "SASL",
	}}
	SASLJAASConfig = BrokerString{&Row{
		Name: "sasl.jaas.config", Type: Password, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "Login module and its options, in JAAS syntax.",
		Status: Later, Why: "SASL",
	}}
	SASLServerMaxReceiveSize = BrokerInt{&Row{
		Name: "sasl.server.max.receive.size", Type: Int, Default: "524288", Importance: Medium, Unit: Bytes,
		Doc:    "Largest message that a client may send before it is authenticated.",
		Status: Later, Why: "SASL",
	}}
	SASLServerCallbackHandlerClass = BrokerString{&Row{
		Name: "sasl.server.callback.handler.class", Type: Class, Null: true, Importance: Medium,
		Doc:    "Class that checks credentials.",
		Status: Refused, Why: "Java classes cannot be loaded",
	}}
	SASLClientCallbackHandlerClass = BrokerString{&Row{
		Name: "sasl.client.callback.handler.class", Type: Class, Null: true, Importance: Medium,
		Doc:    "Class that provides credentials towards other brokers.",
		Status: Refused, Why: "Java classes cannot be loaded",
	}}
	SASLLoginCallbackHandlerClass = BrokerString{&Row{
		Name: "sasl.login.callback.handler.class", Type: Class, Null: true, Importance: Medium,
		Doc:    "Class that provides login credentials.",
		Status: Refused, Why: "Java classes cannot be loaded",
	}}
	SASLLoginClass = BrokerString{&Row{
		Name: "sasl.login.class", Type: Class, Null: true, Importance: Medium,
		Doc:    "Class that logs in.",
		Status: Refused, Why: "Java classes cannot be loaded",
	}}
	SASLLoginConnectTimeoutMs = BrokerInt{&Row{
		Name: "sasl.login.connect.timeout.ms", Type: Int, Null: true, Importance: Low, Unit: Milliseconds,
		Doc:    "Time that a connection to the identity provider may take.",
		Status: Later, Why: "SASL",
	}}
	SASLLoginReadTimeoutMs = BrokerInt{&Row{
		Name: "sasl.login.read.timeout.ms", Type: Int, Null: true, Importance: Low, Unit: Milliseconds,
		Doc:    "Time that an answer of the identity provider may take.",
		Status: Later, Why: "SASL",
	}}
	SASLLoginRetryBackoffMs = BrokerLong{&Row{
		Name: "sasl.login.retry.backoff.ms", Type: Long, Default: "100", Importance: Low, Unit: Milliseconds,
		Doc:    "First pause before a failed login is repeated.",
		Status: Later, Why: "SASL",
	}}
	SASLLoginRetryBackoffMaxMs = BrokerLong{&Row{
		Name: "sasl.login.retry.backoff.max.ms", Type: Long, Default: "10000", Importance: Low, Unit: Milliseconds,
		Doc:    "Longest pause before a failed login is repeated.",
		Status: Later, Why: "SASL",
	}}
	SASLLoginRefreshWindowFactor = BrokerDouble{&Row{
		Name: "sasl.login.refresh.window.factor", Type: Double, Default: "0.8", Importance: Medium, Update: PerBroker,
		Doc:    "Share of a credential's lifetime after which it is renewed.",
		Status: Later, Why: "SASL",
	}}
	SASLLoginRefreshWindowJitter = BrokerDouble{&Row{
		Name: "sasl.login.refresh.window.jitter", Type: Double, Default: "0.05", Importance: Medium, Update: PerBroker,
		Doc:    "Random share of a credential's lifetime that is added before it is renewed.",
		Status: Later, Why: "SASL",
	}}
	SASLLoginRefreshMinPeriodSeconds = BrokerInt{&Row{
		Name: "sasl.login.refresh.min.period.seconds", Type: Short, Default: "60", Importance: Medium, Update: PerBroker, Unit: Seconds,
		Doc:    "Shortest time between two renewals of a credential.",
		Status: Later, Why: "SASL",
	}}
	SASLLoginRefreshBufferSeconds = BrokerInt{&Row{
		Name: "sasl.login.refresh.buffer.seconds", Type: Short, Default: "300", Importance: Medium, Update: PerBroker, Unit: Seconds,
		Doc:    "Time before a credential ends by which it must be renewed.",
		Status: Later, Why: "SASL",
	}}
	SASLKerberosServiceName = BrokerString{&Row{
		Name: "sasl.kerberos.service.name", Type: String, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "Kerberos principal of the broker.",
		Status: NoEffect, Why: "Kerberos is not supported",
	}}
	SASLKerberosKinitCmd = BrokerString{&Row{
		Name: "sasl.kerberos.kinit.cmd", Type: String, Default: "/usr/bin/kinit", Importance: Medium, Update: PerBroker,
		Doc:    "Path of kinit.",
		Status: NoEffect, Why: "Kerberos is not supported",
	}}
	SASLKerberosTicketRenewWindowFactor = BrokerDouble{&Row{
		Name: "sasl.kerberos.ticket.renew.window.factor", Type: Double, Default: "0.8", Importance: Medium, Update: PerBroker,
		Doc:    "Share of a ticket's lifetime after which it is renewed.",
		Status: NoEffect, Why: "Kerberos is not supported",
	}}
	SASLKerberosTicketRenewJitter = BrokerDouble{&Row{
		Name: "sasl.kerberos.ticket.renew.jitter", Type: Double, Default: "0.05", Importance: Medium, Update: PerBroker,
		Doc:    "Random share of a ticket's lifetime that is added before it is renewed.",
		Status: NoEffect, Why: "Kerberos is not supported",
	}}
	SASLKerberosMinTimeBeforeRelogin = BrokerLong{&Row{
		Name: "sasl.kerberos.min.time.before.relogin", Type: Long, Default: "60000", Importance: Medium, Update: PerBroker,
		Doc:    "Shortest time between two logins.",
		Status: NoEffect, Why: "Kerberos is not supported",
	}}
	SASLKerberosPrincipalToLocalRules = BrokerList{&Row{
		Name: "sasl.kerberos.principal.to.local.rules", Type: List, Default: "DEFAULT", Valid: distinct{empty: true}, Importance: Medium, Update: PerBroker,
		Doc:    "Rules that turn a Kerberos principal into the name of a user.",
		Status: NoEffect, Why: "Kerberos is not supported",
	}}
)

var saslRows = []*Row{
	SASLEnabledMechanisms.Row, SASLMechanismInterBrokerProtocol.Row, SASLMechanismControllerProtocol.Row,
	SASLJAASConfig.Row, SASLServerMaxReceiveSize.Row, SASLServerCallbackHandlerClass.Row,
	SASLClientCallbackHandlerClass.Row, SASLLoginCallbackHandlerClass.Row, SASLLoginClass.Row,
	SASLLoginConnectTimeoutMs.Row, SASLLoginReadTimeoutMs.Row, SASLLoginRetryBackoffMs.Row,
	SASLLoginRetryBackoffMaxMs.Row, SASLLoginRefreshWindowFactor.Row, SASLLoginRefreshWindowJitter.Row,
	SASLLoginRefreshMinPeriodSeconds.Row, SASLLoginRefreshBufferSeconds.Row, SASLKerberosServiceName.Row,
	SASLKerberosKinitCmd.Row, SASLKerberosTicketRenewWindowFactor.Row, SASLKerberosTicketRenewJitter.Row,
	SASLKerberosMinTimeBeforeRelogin.Row, SASLKerberosPrincipalToLocalRules.Row,
}
