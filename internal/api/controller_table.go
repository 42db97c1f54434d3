package api

// controllerTable lists what is served on listeners of controllers. Requests of clients are decided here if this node is the
// active controller, and refused with NOT_CONTROLLER otherwise: who talks to controllers finds the right one by itself.
func controllerTable() []row {
	return []row{
		since(13, on((*API).fetchMetadata)),
		on((*API).apiVersions),
		on((*API).createTopics),
		on((*API).deleteTopics),
		on((*API).describeConfigs),
		on((*API).alterConfigs),
		on((*API).createPartitions),
		on((*API).electLeaders),
		on((*API).incrementalAlterConfigsHere),
		on((*API).alterPartitionReassignments),
		on((*API).listPartitionReassignments),
		on((*API).alterPartition),
		on((*API).updateFeatures),
		on((*API).envelope),
		on((*API).describeQuorumHere),
		on((*API).fetchSnapshot),
		on((*API).describeControllers),
		on((*API).brokerRegistration),
		on((*API).brokerHeartbeat),
		on((*API).unregisterBroker),
		on((*API).allocateProducerIDs),
		on((*API).assignReplicasToDirs),
		on((*API).addRaftVoter),
		on((*API).removeRaftVoter),
		on((*API).updateRaftVoter),
		on((*API).raft),
	}
}

// since is the row of an API of which old versions are not served.
func since(version int16, r row) row {
	r.Min = version
	return r
}
