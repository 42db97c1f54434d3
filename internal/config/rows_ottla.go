package config

// Rows: what Kafka does not have.
var (
	// HTTPAddress is where health, readiness and metrics are served.
	HTTPAddress = BrokerString{&Row{
		Name: "http.address", Type: String, Default: "localhost:9644", Importance: Medium,
		Doc: "Address of health, readiness, metrics and causes (`ottla group why`) over HTTP, as host:port; port 0 takes a free one, off turns it off.",
	}}
	// LogDirReserveBytes keeps a full disk from being really full.
	LogDirReserveBytes = BrokerLong{&Row{
		Name: "log.dir.reserve.bytes", Type: Long, Default: "-1", Valid: atLeast(-1), Importance: Medium, Update: ClusterWide, Unit: Bytes,
		Doc: "Free bytes of a log directory's volume below which producers get KAFKA_STORAGE_ERROR, until there is more again; internal topics, compaction and deletions go on; -1 takes a hundredth of the volume, from 64 MiB to 1 GiB but at most a twentieth of a small volume; 0 turns it off.",
	}}
	// RedoJournalBytes bounds the redo journal of a log directory.
	RedoJournalBytes = BrokerLong{&Row{
		Name: "redo.journal.bytes", Type: Long, Default: "268435456", Valid: atLeast(0), Importance: Low, Unit: Bytes,
		Doc: "Bytes that the two files of a log directory's redo journal may have together, in which small appends to many partitions become durable with one write: it begins with 2 MiB and grows as far as the load needs; 0 turns it off, so that each segment is synced by itself.",
	}}
	// WriteCachingDefault is the write.caching of topics that do not set it.
	WriteCachingDefault = BrokerBool{&Row{
		Name: "write.caching.default", Type: Boolean, Default: "false", Importance: Medium, Update: ClusterWide,
		Doc: "The write.caching of topics that do not set it: whether acks=all is answered from the page cache, as Kafka does it, instead of from stable storage.",
	}}
)

var ottlaRows = []*Row{HTTPAddress.Row, LogDirReserveBytes.Row, RedoJournalBytes.Row, WriteCachingDefault.Row}

// TopicWriteCaching lets a topic trade durability for speed.
var TopicWriteCaching = TopicBool{&Row{
	Name: "write.caching", Type: Boolean, Default: "false", Importance: Medium,
	Synonyms: []Synonym{{WriteCachingDefault.Row, 1}},
	Doc:      "Whether acks=all is answered from the page cache, as Kafka does it, and the records reach stable storage within 1 second or 8 MiB of a partition, which a power failure can take; false answers acks=all from stable storage, so that a power failure takes nothing of it, and flushes what nobody waits for within 100 ms or 256 KiB.",
}}

var topicOttlaRows = []*Row{TopicWriteCaching.Row}
