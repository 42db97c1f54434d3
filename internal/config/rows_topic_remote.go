package config

// Rows: properties of topics with tiered storage.
var (
	TopicRemoteStorageEnable = TopicBool{&Row{
		Name: "remote.storage.enable", Type: Boolean, Default: "false", Importance: Medium,
		Doc:    "Whether the topic's old segments move to remote storage.",
		Status: Refused, Why: "this version has no tiered storage",
	}}
	TopicLocalRetentionMs = TopicLong{&Row{
		Name: "local.retention.ms", Type: Long, Default: "-2", Valid: atLeast(-2), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogLocalRetentionMs.Row, 1}},
		Doc:      "Age at which segments that are in remote storage leave the local disk; -2 follows retention.ms.",
		Status:   Later, Why: "tiered storage",
	}}
	TopicLocalRetentionBytes = TopicLong{&Row{
		Name: "local.retention.bytes", Type: Long, Default: "-2", Valid: atLeast(-2), Importance: Medium, Unit: Bytes,
		Synonyms: []Synonym{{LogLocalRetentionBytes.Row, 1}},
		Doc:      "Size of a partition's local segments above which those in remote storage leave the local disk; -2 follows retention.bytes.",
		Status:   Later, Why: "tiered storage",
	}}
	TopicRemoteLogCopyDisable = TopicBool{&Row{
		Name: "remote.log.copy.disable", Type: Boolean, Default: "false", Importance: Medium,
		Doc:    "Whether no further segments are copied to remote storage.",
		Status: Later, Why: "tiered storage",
	}}
	TopicRemoteLogDeleteOnDisable = TopicBool{&Row{
		Name: "remote.log.delete.on.disable", Type: Boolean, Default: "false", Importance: Medium,
		Doc:    "Whether remote segments are deleted when remote storage is turned off for the topic.",
		Status: Later, Why: "tiered storage",
	}}
)

var topicRemoteRows = []*Row{
	TopicRemoteStorageEnable.Row, TopicLocalRetentionMs.Row, TopicLocalRetentionBytes.Row,
	TopicRemoteLogCopyDisable.Row, TopicRemoteLogDeleteOnDisable.Row,
}
