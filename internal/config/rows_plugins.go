package config

// Rows: classes that extend Kafka, and where values come from.
var (
	ConfigProviders = BrokerList{&Row{
		Name: "config.providers", Type: List, Valid: distinct{empty: true}, Importance: Low, Update: ClusterWide,
		Doc: "Names of the sources of ${name:path:key} values; each needs config.providers.<name>.class: env, file and directory are known.",
	}}
	CreateTopicPolicyClassName = BrokerString{&Row{
		Name: "create.topic.policy.class.name", Type: Class, Null: true, Importance: Low,
		Doc:    "Class that decides which topics may be created.",
		Status: Refused, Why: "Java classes cannot be loaded, and topics would be created against the policy",
	}}
	AlterConfigPolicyClassName = BrokerString{&Row{
		Name: "alter.config.policy.class.name", Type: Class, Null: true, Importance: Low,
		Doc:    "Class that decides which settings may be changed.",
		Status: Refused, Why: "Java classes cannot be loaded, and settings would be changed against the policy",
	}}
	ClientQuotaCallbackClass = BrokerString{&Row{
		Name: "client.quota.callback.class", Type: Class, Null: true, Importance: Low,
		Doc:    "Class that decides the quotas of clients.",
		Status: Refused, Why: "Java classes cannot be loaded, and clients would be served beyond their quotas",
	}}
)

var pluginRows = []*Row{
	ConfigProviders.Row, CreateTopicPolicyClassName.Row, AlterConfigPolicyClassName.Row, ClientQuotaCallbackClass.Row,
}
