package tools

import (
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire/recordjson"
)

// controlMessages are the control records that are messages, with what is printed before them.
var controlMessages = map[record.ControlType]struct{ name, title string }{
	record.LeaderChange:   {"LeaderChangeMessage", "LeaderChange: "},
	record.SnapshotHeader: {"SnapshotHeaderRecord", "SnapshotHeader "},
	record.SnapshotFooter: {"SnapshotFooterRecord", "SnapshotFooter "},
	record.KRaftVersion:   {"KRaftVersionRecord", "KRaftVersion "},
	record.KRaftVoters:    {"VotersRecord", "KRaftVoters "},
}

// controlRecord prints what a control record says.
func (p *segmentPrinter) controlRecord(r *dumpedRecord) error {
	kind, err := record.ParseControlKey(r.key)
	if err != nil {
		return recordException(err)
	}
	message, ok := controlMessages[kind]
	switch {
	case kind == record.AbortMarker || kind == record.CommitMarker:
		marker, err := record.ParseEndTxnMarker(r.v2)
		if err != nil {
			return recordException(err)
		}
		p.printf(" endTxnMarker: %s coordinatorEpoch: %d", kind, marker.CoordinatorEpoch)
	case ok:
		// Kafka reads all of them in version 0 and prints them in the version that they say to have.
		s, err := recordjson.Load("control_records").Data(message.name).Decode(recordjson.NewBuffer(r.value), 0)
		if err != nil {
			return err
		}
		version, _ := s.Get("Version").(int64)
		p.printf(" %s%s", message.title, s.JSON(int16(version)))
	default:
		p.printf(" controlType: UNKNOWN(%d)", int16(kind))
	}
	return nil
}
