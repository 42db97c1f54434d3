package wire

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/ottla/ottla/internal/wire/schema"
)

// constructors make messages by kind and key.
var constructors = map[string]func(int16) Message{
	"request":           NewRequest,
	"response":          NewResponse,
	"metadata record":   NewMetadataRecord,
	"remote log record": NewRemoteLogRecord,
	"group key":         NewGroupKey,
	"group value":       NewGroupValue,
	"transaction key":   NewTransactionKey,
	"transaction value": NewTransactionValue,
	"share key":         NewShareKey,
	"share value":       NewShareValue,
	"without key":       newWithoutKey,
}

// newWithoutKey makes the messages that have no key, by their place in this list.
func newWithoutKey(i int16) Message {
	switch i {
	case 0:
		return new(RequestHeader)
	case 1:
		return new(ResponseHeader)
	case 2:
		return new(ConsumerProtocolSubscription)
	case 3:
		return new(ConsumerProtocolAssignment)
	case 4:
		return new(DefaultPrincipalData)
	case 5:
		return new(ControlRecordTypeSchema)
	case 6:
		return new(EndTxnMarker)
	case 7:
		return new(LeaderChangeMessage)
	case 8:
		return new(KRaftVersionRecord)
	case 9:
		return new(SnapshotHeaderRecord)
	case 10:
		return new(SnapshotFooterRecord)
	case 11:
		return new(VotersRecord)
	case 12:
		return new(ProducerSnapshot)
	case 13:
		return new(QuorumStateData)
	}
	return nil
}

// subject is a message under test with the versions that its schema gives it.
type subject struct {
	kind     string
	key      int16
	name     string
	versions schema.Versions
}

func (s subject) make() Message { return constructors[s.kind](s.key) }

// subjects returns every message of every schema; it fails if one has no constructor.
func subjects(t testing.TB) []subject {
	t.Helper()
	versions := map[string]schema.Versions{}
	texts, err := filepath.Glob("schema/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range texts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		messages, err := schema.Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, m := range messages {
			if !m.Versions.Empty() {
				versions[m.Name] = m.Versions
			}
		}
	}
	var all []subject
	for kind, construct := range constructors {
		for key := range int16(firstOwn + 100) {
			if m := construct(key); m != nil {
				name := reflect.TypeOf(m).Elem().Name()
				all = append(all, subject{kind, key, name, versions[name]})
				delete(versions, name)
			}
		}
	}
	for name := range versions {
		t.Errorf("%s has no constructor", name)
	}
	return all
}

// fresh returns an empty message of the same type.
func fresh(m Message) Message {
	return reflect.New(reflect.TypeOf(m).Elem()).Interface().(Message)
}
