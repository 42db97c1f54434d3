package config

// Rows: SASL with OAUTHBEARER tokens.
var (
	SASLOAuthBearerExpectedAudience = BrokerList{&Row{
		Name: "sasl.oauthbearer.expected.audience", Type: List, Valid: distinct{empty: true},
		Doc:    "Audiences of which a token must name one.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerExpectedIssuer = BrokerString{&Row{
		Name: "sasl.oauthbearer.expected.issuer", Type: String, Null: true,
		Doc:    "Issuer that a token must name.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerClockSkewSeconds = BrokerInt{&Row{
		Name: "sasl.oauthbearer.clock.skew.seconds", Type: Int, Default: "30", Importance: Low, Unit: Seconds,
		Doc:    "Difference between the clocks of broker and identity provider that is tolerated.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerJWKSEndpointURL = BrokerString{&Row{
		Name: "sasl.oauthbearer.jwks.endpoint.url", Type: String, Null: true, Importance: Medium,
		Doc:    "Address of the keys with which tokens are checked.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerJWKSEndpointRefreshMs = BrokerLong{&Row{
		Name: "sasl.oauthbearer.jwks.endpoint.refresh.ms", Type: Long, Default: "3600000", Importance: Low, Unit: Milliseconds,
		Doc:    "Interval at which the keys are read again.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerJWKSEndpointRetryBackoffMs = BrokerLong{&Row{
		Name: "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", Type: Long, Default: "100", Importance: Low, Unit: Milliseconds,
		Doc:    "First pause before a failed read of the keys is repeated.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerJWKSEndpointRetryBackoffMaxMs = BrokerLong{&Row{
		Name: "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", Type: Long, Default: "10000", Importance: Low, Unit: Milliseconds,
		Doc:    "Longest pause before a failed read of the keys is repeated.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerScopeClaimName = BrokerString{&Row{
		Name: "sasl.oauthbearer.scope.claim.name", Type: String, Default: "scope", Importance: Low,
		Doc:    "Claim of a token that holds its scope.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerSubjectClaimName = BrokerString{&Row{
		Name: "sasl.oauthbearer.sub.claim.name", Type: String, Default: "sub", Importance: Low,
		Doc:    "Claim of a token that holds the user.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerScope = BrokerString{&Row{
		Name: "sasl.oauthbearer.scope", Type: String, Null: true, Importance: Medium,
		Doc:    "Scope that is asked for when the broker itself gets a token.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerTokenEndpointURL = BrokerString{&Row{
		Name: "sasl.oauthbearer.token.endpoint.url", Type: String, Null: true, Importance: Medium,
		Doc:    "Address at which the broker itself gets a token.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerJWTRetrieverClass = BrokerString{&Row{
		Name: "sasl.oauthbearer.jwt.retriever.class", Type: Class, Default: "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever", Importance: Medium,
		Doc:    "Class that gets tokens.",
		Status: Refused, Why: "Java classes cannot be loaded",
	}}
	SASLOAuthBearerJWTValidatorClass = BrokerString{&Row{
		Name: "sasl.oauthbearer.jwt.validator.class", Type: Class, Default: "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator", Importance: Medium,
		Doc:    "Class that checks tokens.",
		Status: Refused, Why: "Java classes cannot be loaded",
	}}
	SASLOAuthBearerClientCredentialsClientID = BrokerString{&Row{
		Name: "sasl.oauthbearer.client.credentials.client.id", Type: String, Null: true, Importance: Medium,
		Doc:    "Client id with which the broker itself gets a token.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerClientCredentialsClientSecret = BrokerString{&Row{
		Name: "sasl.oauthbearer.client.credentials.client.secret", Type: Password, Null: true, Importance: Medium,
		Doc:    "Secret with which the broker itself gets a token.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionAlgorithm = BrokerString{&Row{
		Name: "sasl.oauthbearer.assertion.algorithm", Type: String, Default: "RS256", Valid: oneOfFold{"ES256", "RS256"}, Importance: Medium,
		Doc:    "Algorithm with which the broker signs its assertion: RS256 or ES256.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionClaimAudience = BrokerString{&Row{
		Name: "sasl.oauthbearer.assertion.claim.aud", Type: String, Null: true, Importance: Medium,
		Doc:    "Audience in the broker's assertion.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionClaimExpirySeconds = BrokerInt{&Row{
		Name: "sasl.oauthbearer.assertion.claim.exp.seconds", Type: Int, Default: "300", Valid: between(0, 86400), Importance: Low, Unit: Seconds,
		Doc:    "Time for which the broker's assertion is valid.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionClaimIssuer = BrokerString{&Row{
		Name: "sasl.oauthbearer.assertion.claim.iss", Type: String, Null: true, Importance: Medium,
		Doc:    "Issuer in the broker's assertion.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionClaimJTIInclude = BrokerBool{&Row{
		Name: "sasl.oauthbearer.assertion.claim.jti.include", Type: Boolean, Default: "false", Importance: Medium,
		Doc:    "Whether the broker's assertion carries an id of its own.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionClaimNBFSeconds = BrokerInt{&Row{
		Name: "sasl.oauthbearer.assertion.claim.nbf.seconds", Type: Int, Default: "60", Valid: between(0, 3600), Importance: Low, Unit: Seconds,
		Doc:    "Time in the past from which the broker's assertion is valid.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionClaimSubject = BrokerString{&Row{
		Name: "sasl.oauthbearer.assertion.claim.sub", Type: String, Null: true, Importance: Medium,
		Doc:    "Subject in the broker's assertion.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionFile = BrokerString{&Row{
		Name: "sasl.oauthbearer.assertion.file", Type: String, Null: true, Importance: Medium,
		Doc:    "File with a ready-made assertion.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionPrivateKeyFile = BrokerString{&Row{
		Name: "sasl.oauthbearer.assertion.private.key.file", Type: String, Null: true, Importance: Medium,
		Doc:    "File with the key that signs the broker's assertion.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionPrivateKeyPassphrase = BrokerString{&Row{
		Name: "sasl.oauthbearer.assertion.private.key.passphrase", Type: Password, Null: true, Importance: Medium,
		Doc:    "Passphrase of the key that signs the broker's assertion.",
		Status: Later, Why: "OAUTHBEARER",
	}}
	SASLOAuthBearerAssertionTemplateFile = BrokerString{&Row{
		Name: "sasl.oauthbearer.assertion.template.file", Type: String, Null: true, Importance: Medium,
		Doc:    "File with further headers and claims of the broker's assertion.",
		Status: Later, Why: "OAUTHBEARER",
	}}
)

var oauthRows = []*Row{
	SASLOAuthBearerExpectedAudience.Row, SASLOAuthBearerExpectedIssuer.Row, SASLOAuthBearerClockSkewSeconds.Row,
	SASLOAuthBearerJWKSEndpointURL.Row, SASLOAuthBearerJWKSEndpointRefreshMs.Row,
	SASLOAuthBearerJWKSEndpointRetryBackoffMs.Row, SASLOAuthBearerJWKSEndpointRetryBackoffMaxMs.Row,
	SASLOAuthBearerScopeClaimName.Row, SASLOAuthBearerSubjectClaimName.Row, SASLOAuthBearerScope.Row,
	SASLOAuthBearerTokenEndpointURL.Row, SASLOAuthBearerJWTRetrieverClass.Row, SASLOAuthBearerJWTValidatorClass.Row,
	SASLOAuthBearerClientCredentialsClientID.Row, SASLOAuthBearerClientCredentialsClientSecret.Row,
	SASLOAuthBearerAssertionAlgorithm.Row, SASLOAuthBearerAssertionClaimAudience.Row,
	SASLOAuthBearerAssertionClaimExpirySeconds.Row, SASLOAuthBearerAssertionClaimIssuer.Row,
	SASLOAuthBearerAssertionClaimJTIInclude.Row, SASLOAuthBearerAssertionClaimNBFSeconds.Row,
	SASLOAuthBearerAssertionClaimSubject.Row, SASLOAuthBearerAssertionFile.Row,
	SASLOAuthBearerAssertionPrivateKeyFile.Row, SASLOAuthBearerAssertionPrivateKeyPassphrase.Row,
	SASLOAuthBearerAssertionTemplateFile.Row,
}
