package main

// startRow is the row of what is measured without load: start, idle memory, idle CPU.
const startRow = "start and idle"

// rows returns the rows under load that -only asks for, in the order of the table.
func rows(o Options) []*Work {
	all := []*Work{
		produceWork("produce 1 KB, 1 connection, 1 in flight", produceShape{records: 1, connections: 1, inFlight: 1, partitions: 1}),
		produceWork("produce 1 KB, 1 connection, 5 in flight", produceShape{records: 1, connections: 1, inFlight: 5, partitions: 1}),
		produceWork("produce 1 KB, 16 connections, 1 in flight", produceShape{records: 1, connections: 16, inFlight: 1, partitions: 16}),
		produceWork("produce 1 KB, 16 connections, 5 in flight", produceShape{records: 1, connections: 16, inFlight: 5, partitions: 16}),
		produceWork("produce 1 KB, 16 connections, 5 in flight, 1 partition", produceShape{records: 1, connections: 16, inFlight: 5, partitions: 1}),
		produceWork("produce 64 KB batches, 1 connection, 5 in flight", produceShape{records: recordsPer64KB, connections: 1, inFlight: 5, partitions: 1}),
		produceWork("produce 64 KB batches, 16 connections, 5 in flight", produceShape{records: recordsPer64KB, connections: 16, inFlight: 5, partitions: 16}),
		fetchWork("fetch 64 KB, 1 connection", 1, 64<<10),
		fetchWork("fetch 1 MB, 1 connection", 1, 1<<20),
		fetchWork("fetch 1 MB, 4 connections", 4, 1<<20),
		commitWork("commit an offset, 1 connection, 1 in flight", commitShape{groups: 100, connections: 1, inFlight: 1}),
		commitWork("commit an offset, 16 connections, 5 in flight, 1,600 groups", commitShape{groups: 1600, connections: 16, inFlight: 5}),
		commitWork("commit an offset, 4 connections, 64 in flight, 1,600 groups", commitShape{groups: 1600, connections: 4, inFlight: 64}),
		latencyWork("end to end, 1,000 records/s", 1000),
	}
	var asked []*Work
	for _, w := range all {
		if o.Only.MatchString(w.name) {
			asked = append(asked, w)
		}
	}
	return asked
}
