package config

// Rows: how rates are measured and limited.
var (
	QuotaWindowNum = BrokerInt{&Row{
		Name: "quota.window.num", Type: Int, Default: "11", Valid: atLeast(1), Importance: Low,
		Doc:    "Number of samples over which the rate of a client is measured.",
		Status: Later, Why: "quotas",
	}}
	QuotaWindowSizeSeconds = BrokerInt{&Row{
		Name: "quota.window.size.seconds", Type: Int, Default: "1", Valid: atLeast(1), Importance: Low, Unit: Seconds,
		Doc:    "Time that one sample of a client's rate covers.",
		Status: Later, Why: "quotas",
	}}
	ReplicationQuotaWindowNum = BrokerInt{&Row{
		Name: "replication.quota.window.num", Type: Int, Default: "11", Valid: atLeast(1), Importance: Low,
		Doc: "Number of samples over which the rate of replication is measured.",
	}}
	ReplicationQuotaWindowSizeSeconds = BrokerInt{&Row{
		Name: "replication.quota.window.size.seconds", Type: Int, Default: "1", Valid: atLeast(1), Importance: Low, Unit: Seconds,
		Doc: "Time that one sample of the rate of replication covers.",
	}}
	AlterLogDirsReplicationQuotaWindowNum = BrokerInt{&Row{
		Name: "alter.log.dirs.replication.quota.window.num", Type: Int, Default: "11", Valid: atLeast(1), Importance: Low,
		Doc:    "Number of samples over which the rate of moves between log directories is measured.",
		Status: NoEffect, Why: "a move pauses after each chunk, so that there is no rate to be measured over samples",
	}}
	AlterLogDirsReplicationQuotaWindowSizeSeconds = BrokerInt{&Row{
		Name: "alter.log.dirs.replication.quota.window.size.seconds", Type: Int, Default: "1", Valid: atLeast(1), Importance: Low, Unit: Seconds,
		Doc:    "Time that one sample of the rate of moves between log directories covers.",
		Status: NoEffect, Why: "a move pauses after each chunk, so that there is no rate to be measured over samples",
	}}
	ControllerQuotaWindowNum = BrokerInt{&Row{
		Name: "controller.quota.window.num", Type: Int, Default: "11", Valid: atLeast(1), Importance: Low,
		Doc:    "Number of samples over which the rate of topic creations and deletions is measured.",
		Status: Later, Why: "quotas",
	}}
	ControllerQuotaWindowSizeSeconds = BrokerInt{&Row{
		Name: "controller.quota.window.size.seconds", Type: Int, Default: "1", Valid: atLeast(1), Importance: Low, Unit: Seconds,
		Doc:    "Time that one sample of the rate of topic creations and deletions covers.",
		Status: Later, Why: "quotas",
	}}
)

var quotaRows = []*Row{
	QuotaWindowNum.Row, QuotaWindowSizeSeconds.Row, ReplicationQuotaWindowNum.Row,
	ReplicationQuotaWindowSizeSeconds.Row, AlterLogDirsReplicationQuotaWindowNum.Row,
	AlterLogDirsReplicationQuotaWindowSizeSeconds.Row, ControllerQuotaWindowNum.Row,
	ControllerQuotaWindowSizeSeconds.Row,
}
