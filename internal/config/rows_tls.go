package config

// Rows: TLS of listeners.
var (
	SSLProtocol = BrokerString{&Row{
		Name: "ssl.protocol", Type: String, Default: "TLSv1.3", Importance: Medium, Update: PerBroker,
		Doc:    "TLS version that is offered first.",
		Status: Later, Why: "TLS",
	}}
	SSLProvider = BrokerString{&Row{
		Name: "ssl.provider", Type: String, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "Java security provider of TLS.",
		Status: NoEffect, Why: "Java classes cannot be loaded; TLS is Go's",
	}}
	SSLCipherSuites = BrokerList{&Row{
		Name: "ssl.cipher.suites", Type: List, Valid: distinct{empty: true}, Importance: Medium, Update: PerBroker,
		Doc:    "Cipher suites that are allowed; all safe ones when empty.",
		Status: Later, Why: "TLS",
	}}
	SSLEnabledProtocols = BrokerList{&Row{
		Name: "ssl.enabled.protocols", Type: List, Default: "TLSv1.2,TLSv1.3", Valid: distinct{empty: true}, Importance: Medium, Update: PerBroker,
		Doc:    "TLS versions that are allowed.",
		Status: Later, Why: "TLS",
	}}
	SSLKeystoreType = BrokerString{&Row{
		Name: "ssl.keystore.type", Type: String, Default: "JKS", Importance: Medium, Update: PerBroker,
		Doc:    "Format of the key store: JKS, PKCS12 or PEM.",
		Status: Later, Why: "TLS",
	}}
	SSLKeystoreLocation = BrokerString{&Row{
		Name: "ssl.keystore.location", Type: String, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "File with the broker's key and certificate.",
		Status: Later, Why: "TLS",
	}}
	SSLKeystorePassword = BrokerString{&Row{
		Name: "ssl.keystore.password", Type: Password, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "Password of the key store.",
		Status: Later, Why: "TLS",
	}}
	SSLKeyPassword = BrokerString{&Row{
		Name: "ssl.key.password", Type: Password, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "Password of the private key.",
		Status: Later, Why: "TLS",
	}}
	SSLKeystoreKey = BrokerString{&Row{
		Name: "ssl.keystore.key", Type: Password, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "Private key in PEM, instead of a key store.",
		Status: Later, Why: "TLS",
	}}
	SSLKeystoreCertificateChain = BrokerString{&Row{
		Name: "ssl.keystore.certificate.chain", Type: Password, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "Certificate chain in PEM, instead of a key store.",
		Status: Later, Why: "TLS",
	}}
	SSLTruststoreType = BrokerString{&Row{
		Name: "ssl.truststore.type", Type: String, Default: "JKS", Importance: Medium, Update: PerBroker,
		Doc:    "Format of the trust store: JKS, PKCS12 or PEM.",
		Status: Later, Why: "TLS",
	}}
	SSLTruststoreLocation = BrokerString{&Row{
		Name: "ssl.truststore.location", Type: String, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "File with the certificates that are trusted.",
		Status: Later, Why: "TLS",
	}}
	SSLTruststorePassword = BrokerString{&Row{
		Name: "ssl.truststore.password", Type: Password, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "Password of the trust store.",
		Status: Later, Why: "TLS",
	}}
	SSLTruststoreCertificates = BrokerString{&Row{
		Name: "ssl.truststore.certificates", Type: Password, Null: true, Importance: Medium, Update: PerBroker,
		Doc:    "Trusted certificates in PEM, instead of a trust store.",
		Status: Later, Why: "TLS",
	}}
	SSLKeymanagerAlgorithm = BrokerString{&Row{
		Name: "ssl.keymanager.algorithm", Type: String, Default: "SunX509", Importance: Medium, Update: PerBroker,
		Doc:    "Java's algorithm for choosing a key.",
		Status: NoEffect, Why: "TLS is Go's",
	}}
	SSLTrustmanagerAlgorithm = BrokerString{&Row{
		Name: "ssl.trustmanager.algorithm", Type: String, Default: "PKIX", Importance: Medium, Update: PerBroker,
		Doc:    "Java's algorithm for checking certificates.",
		Status: NoEffect, Why: "TLS is Go's",
	}}
	SSLEndpointIdentificationAlgorithm = BrokerString{&Row{
		Name: "ssl.endpoint.identification.algorithm", Type: String, Default: "https", Importance: Low, Update: PerBroker,
		Doc:    "How the name in another broker's certificate is checked; empty turns the check off.",
		Status: Later, Why: "TLS",
	}}
	SSLSecureRandomImplementation = BrokerString{&Row{
		Name: "ssl.secure.random.implementation", Type: String, Null: true, Importance: Low, Update: PerBroker,
		Doc:    "Java's source of random numbers for TLS.",
		Status: NoEffect, Why: "TLS is Go's",
	}}
	SSLClientAuth = BrokerString{&Row{
		Name: "ssl.client.auth", Type: String, Default: "none", Valid: oneOf{"required", "requested", "none"}, Importance: Medium, Update: PerBroker,
		Doc:    "Whether clients must (required), may (requested) or need not (none) show a certificate.",
		Status: Later, Why: "TLS",
	}}
	SSLEngineFactoryClass = BrokerString{&Row{
		Name: "ssl.engine.factory.class", Type: Class, Null: true, Importance: Low, Update: PerBroker,
		Doc:    "Class that creates TLS engines.",
		Status: Refused, Why: "Java classes cannot be loaded",
	}}
	SSLPrincipalMappingRules = BrokerString{&Row{
		Name: "ssl.principal.mapping.rules", Type: String, Default: "DEFAULT", Importance: Low,
		Doc:    "Rules that turn a certificate's name into the name of a user.",
		Status: Later, Why: "TLS",
	}}
	SSLAllowDNChanges = BrokerBool{&Row{
		Name: "ssl.allow.dn.changes", Type: Boolean, Default: "false", Importance: Low,
		Doc:    "Whether a new certificate may carry another distinguished name while the broker runs.",
		Status: Later, Why: "TLS",
	}}
	SSLAllowSANChanges = BrokerBool{&Row{
		Name: "ssl.allow.san.changes", Type: Boolean, Default: "false", Importance: Low,
		Doc:    "Whether a new certificate may carry other alternative names while the broker runs.",
		Status: Later, Why: "TLS",
	}}
)

var tlsRows = []*Row{
	SSLProtocol.Row, SSLProvider.Row, SSLCipherSuites.Row, SSLEnabledProtocols.Row, SSLKeystoreType.Row,
	SSLKeystoreLocation.Row, SSLKeystorePassword.Row, SSLKeyPassword.Row, SSLKeystoreKey.Row,
	SSLKeystoreCertificateChain.Row, SSLTruststoreType.Row, SSLTruststoreLocation.Row, SSLTruststorePassword.Row,
	SSLTruststoreCertificates.Row, SSLKeymanagerAlgorithm.Row, SSLTrustmanagerAlgorithm.Row,
	SSLEndpointIdentificationAlgorithm.Row, SSLSecureRandomImplementation.Row, SSLClientAuth.Row,
	SSLEngineFactoryClass.Row, SSLPrincipalMappingRules.Row, SSLAllowDNChanges.Row, SSLAllowSANChanges.Row,
}
