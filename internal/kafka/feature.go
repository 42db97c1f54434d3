package kafka

// Names of the two features that are unlike the others (KIP-584): the level of one says which records the metadata log may have, that
// of the other belongs to the quorum and not to the log's records.
const (
	MetadataVersionFeature = "metadata.version"
	KRaftVersionFeature    = "kraft.version"
)
