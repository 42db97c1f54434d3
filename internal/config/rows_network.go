package config

// Rows: listeners, connections and the limits of requests.
var (
	Listeners = BrokerList{&Row{
		Name: "listeners", Type: List, Default: "PLAINTEXT://localhost:9092", Valid: distinct{}, Update: PerBroker,
		Doc: "Addresses to listen on, as NAME://host:port; an empty host means all interfaces, port 0 a free one.",
	}}
	AdvertisedListeners = BrokerList{&Row{
		Name: "advertised.listeners", Type: List, Null: true, Valid: distinct{},
		Doc: "Addresses that clients are told to connect to; the listeners themselves when unset.",
	}}
	ListenerSecurityProtocolMap = BrokerString{&Row{
		Name: "listener.security.protocol.map", Type: String, Default: "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT", Importance: Low, Update: PerBroker,
		Doc: "Security protocol of each listener name, as NAME:PROTOCOL.",
	}}
	InterBrokerListenerName = BrokerString{&Row{
		Name: "inter.broker.listener.name", Type: String, Null: true, Importance: Medium,
		Doc: "Name of the listener over which brokers talk to each other.",
	}}
	SecurityInterBrokerProtocol = BrokerString{&Row{
		Name: "security.inter.broker.protocol", Type: String, Default: "PLAINTEXT", Valid: oneOf{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}, Importance: Medium,
		Doc: "Security protocol between brokers; gives the listener's name when inter.broker.listener.name is unset.",
	}}
	EarlyStartListeners = BrokerList{&Row{
		Name: "early.start.listeners", Type: List, Null: true, Valid: distinct{empty: true},
		Doc:    "Listeners that open before authorization is ready.",
		Status: NoEffect, Why: "all listeners open at the same time, when the broker is ready",
	}}
	SocketSendBufferBytes = BrokerInt{&Row{
		Name: "socket.send.buffer.bytes", Type: Int, Default: "102400", Unit: Bytes,
		Doc: "Send buffer of each socket (SO_SNDBUF); -1 leaves it to the operating system.",
	}}
	SocketReceiveBufferBytes = BrokerInt{&Row{
		Name: "socket.receive.buffer.bytes", Type: Int, Default: "102400", Unit: Bytes,
		Doc: "Receive buffer of each socket (SO_RCVBUF); -1 leaves it to the operating system.",
	}}
	SocketRequestMaxBytes = BrokerInt{&Row{
		Name: "socket.request.max.bytes", Type: Int, Default: "104857600", Valid: atLeast(1), Unit: Bytes,
		Doc: "Largest request that is read; a larger one closes its connection.",
	}}
	SocketListenBacklogSize = BrokerInt{&Row{
		Name: "socket.listen.backlog.size", Type: Int, Default: "50", Valid: atLeast(1), Importance: Medium,
		Doc:    "Number of connections that may wait to be accepted.",
		Status: NoEffect, Why: "the Go runtime uses the operating system's limit (net.core.somaxconn)",
	}}
	MaxConnections = BrokerInt{&Row{
		Name: "max.connections", Type: Int, Default: "2147483647", Valid: atLeast(0), Importance: Medium, Update: ClusterWide,
		Doc: "Number of connections that the broker holds at once.",
	}}
	MaxConnectionsPerIP = BrokerInt{&Row{
		Name: "max.connections.per.ip", Type: Int, Default: "2147483647", Valid: atLeast(0), Importance: Medium, Update: ClusterWide,
		Doc: "Number of connections that one client address may hold at once.",
	}}
	MaxConnectionsPerIPOverrides = BrokerString{&Row{
		Name: "max.connections.per.ip.overrides", Type: String, Importance: Medium, Update: ClusterWide,
		Doc: "Limits for single addresses or hosts, as host:number, instead of max.connections.per.ip.",
	}}
	MaxConnectionCreationRate = BrokerInt{&Row{
		Name: "max.connection.creation.rate", Type: Int, Default: "2147483647", Valid: atLeast(0), Importance: Medium, Update: ClusterWide,
		Doc:    "Number of connections that the broker accepts in a second.",
		Status: Later, Why: "quotas",
	}}
	ConnectionsMaxIdleMs = BrokerLong{&Row{
		Name: "connections.max.idle.ms", Type: Long, Default: "600000", Importance: Medium, Unit: Milliseconds,
		Doc: "Time without a request after which a connection is closed.",
	}}
	ConnectionFailedAuthenticationDelayMs = BrokerInt{&Row{
		Name: "connection.failed.authentication.delay.ms", Type: Int, Default: "100", Valid: atLeast(0), Importance: Low, Unit: Milliseconds,
		Doc:    "Time for which a failed authentication is held back before its connection closes.",
		Status: Later, Why: "authentication",
	}}
	QueuedMaxRequests = BrokerInt{&Row{
		Name: "queued.max.requests", Type: Int, Default: "500", Valid: atLeast(1),
		Doc:    "Number of requests that may be in the works at once before the broker stops reading new ones.",
		Status: NoEffect, Why: "no requests are queued between threads; each connection has a bound of its own",
	}}
	QueuedMaxRequestBytes = BrokerLong{&Row{
		Name: "queued.max.request.bytes", Type: Long, Default: "-1", Importance: Medium, Unit: Bytes,
		Doc: "Bytes of requests that may be in the works at once before the broker stops reading new ones; -1 sets no limit.",
	}}
	NumNetworkThreads = BrokerInt{&Row{
		Name: "num.network.threads", Type: Int, Default: "3", Valid: atLeast(1), Update: ClusterWide,
		Doc:    "Number of threads that read requests and write replies.",
		Status: NoEffect, Why: "each connection has its own goroutine, and the Go runtime spreads them over the processors",
	}}
	NumIOThreads = BrokerInt{&Row{
		Name: "num.io.threads", Type: Int, Default: "8", Valid: atLeast(1), Update: ClusterWide,
		Doc:    "Number of threads that handle requests.",
		Status: NoEffect, Why: "requests are handled by the goroutine of their connection",
	}}
	BackgroundThreads = BrokerInt{&Row{
		Name: "background.threads", Type: Int, Default: "10", Valid: atLeast(1), Update: ClusterWide,
		Doc:    "Number of threads for background work.",
		Status: NoEffect, Why: "background work runs in goroutines",
	}}
	SocketConnectionSetupTimeoutMs = BrokerLong{&Row{
		Name: "socket.connection.setup.timeout.ms", Type: Long, Default: "10000", Importance: Medium, Unit: Milliseconds,
		Doc: "Time that a connection to another broker may take before it is tried again.",
	}}
	SocketConnectionSetupTimeoutMaxMs = BrokerLong{&Row{
		Name: "socket.connection.setup.timeout.max.ms", Type: Long, Default: "30000", Importance: Medium, Unit: Milliseconds,
		Doc:    "Longest time that a connection to another broker may take after several attempts.",
		Status: NoEffect, Why: "attempts to connect do not take longer each time; the pauses between them grow",
	}}
	FetchMaxBytes = BrokerInt{&Row{
		Name: "fetch.max.bytes", Type: Int, Default: "57671680", Valid: atLeast(1024), Importance: Medium, Unit: Bytes,
		Doc: "Largest reply to a fetch request, whatever the client asks for.",
	}}
	MaxIncrementalFetchSessionCacheSlots = BrokerInt{&Row{
		Name: "max.incremental.fetch.session.cache.slots", Type: Int, Default: "1000", Valid: atLeast(0), Importance: Medium,
		Doc: "Number of incremental fetch sessions that the broker remembers.",
	}}
	MaxRequestPartitionSizeLimit = BrokerInt{&Row{
		Name: "max.request.partition.size.limit", Type: Int, Default: "2000", Valid: atLeast(1), Importance: Medium,
		Doc: "Number of partitions that one DescribeTopicPartitions reply may hold.",
	}}
	FetchPurgatoryPurgeIntervalRequests = BrokerInt{&Row{
		Name: "fetch.purgatory.purge.interval.requests", Type: Int, Default: "1000", Importance: Medium,
		Doc:    "Number of finished fetch requests after which Kafka tidies its list of waiting ones.",
		Status: NoEffect, Why: "finished requests leave the list of waiting ones at once",
	}}
	ProducerPurgatoryPurgeIntervalRequests = BrokerInt{&Row{
		Name: "producer.purgatory.purge.interval.requests", Type: Int, Default: "1000", Importance: Medium,
		Doc:    "Number of finished produce requests after which Kafka tidies its list of waiting ones.",
		Status: NoEffect, Why: "finished requests leave the list of waiting ones at once",
	}}
	DeleteRecordsPurgatoryPurgeIntervalRequests = BrokerInt{&Row{
		Name: "delete.records.purgatory.purge.interval.requests", Type: Int, Default: "1", Importance: Medium,
		Doc:    "Number of finished delete-records requests after which Kafka tidies its list of waiting ones.",
		Status: NoEffect, Why: "finished requests leave the list of waiting ones at once",
	}}
	ShareFetchPurgatoryPurgeIntervalRequests = BrokerInt{&Row{
		Name: "share.fetch.purgatory.purge.interval.requests", Type: Int, Default: "1000", Importance: Medium,
		Doc:    "Number of finished share fetch requests after which Kafka tidies its list of waiting ones.",
		Status: NoEffect, Why: "finished requests leave the list of waiting ones at once",
	}}
)

var networkRows = []*Row{
	Listeners.Row, AdvertisedListeners.Row, ListenerSecurityProtocolMap.Row, InterBrokerListenerName.Row,
	SecurityInterBrokerProtocol.Row, EarlyStartListeners.Row, SocketSendBufferBytes.Row, SocketReceiveBufferBytes.Row,
	SocketRequestMaxBytes.Row, SocketListenBacklogSize.Row, MaxConnections.Row, MaxConnectionsPerIP.Row,
	MaxConnectionsPerIPOverrides.Row, MaxConnectionCreationRate.Row, ConnectionsMaxIdleMs.Row,
	ConnectionFailedAuthenticationDelayMs.Row, QueuedMaxRequests.Row, QueuedMaxRequestBytes.Row, NumNetworkThreads.Row,
	NumIOThreads.Row, BackgroundThreads.Row, SocketConnectionSetupTimeoutMs.Row, SocketConnectionSetupTimeoutMaxMs.Row,
	FetchMaxBytes.Row, MaxIncrementalFetchSessionCacheSlots.Row, MaxRequestPartitionSizeLimit.Row,
	FetchPurgatoryPurgeIntervalRequests.Row, ProducerPurgatoryPurgeIntervalRequests.Row,
	DeleteRecordsPurgatoryPurgeIntervalRequests.Row, ShareFetchPurgatoryPurgeIntervalRequests.Row,
}
