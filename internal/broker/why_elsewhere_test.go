package broker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/wire"
)

// Whichever node is asked why a group or a transaction is as it is, its coordinator answers.
func TestWhyIsAskedOfAnyNode(t *testing.T) {
	t.Parallel()
	c := newNodes(t, 3, "http.address=localhost:0")
	c.startAll()
	first := c.all[0].Broker
	createTopic(t, first, "orders", 1)
	for i := range 4 { // so that more than one node coordinates some
		name := fmt.Sprintf("name-%d", i)
		admin := kadm.NewClient(connect(t, first))
		offsets := kadm.Offsets{}
		offsets.AddOffset("orders", 0, 0, -1)
		if err := admin.CommitAllOffsets(t.Context(), name, offsets); err != nil {
			t.Fatal(err)
		}
		producer := connect(t, first, kgo.TransactionalID(name), kgo.DefaultProduceTopic("orders"))
		if err := producer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := producer.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr(); err != nil {
			t.Fatal(err)
		}
		for kind, answer := range map[string]func() (int32, error){
			"groups":       func() (int32, error) { return coordinator(admin.FindGroupCoordinators(t.Context(), name), name) },
			"transactions": func() (int32, error) { return coordinator(admin.FindTxnCoordinators(t.Context(), name), name) },
		} {
			node, err := answer()
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range c.all {
				untilRight(t, fmt.Sprintf("%s/%s asked of node %d", kind, name, n.id), func() error { return askedWhy(t, n, kind+"/"+name, node) })
			}
		}
	}
	for _, n := range c.all {
		if status, body := get(t, n.Broker, "/api/v1/groups/nobody/why"); status != http.StatusNotFound {
			t.Errorf("node %d of no group: %d %s", n.id, status, body)
		}
	}
}

func coordinator(found kadm.FindCoordinatorResponses, name string) (int32, error) {
	return found[name].NodeID, found[name].Err
}

func askedWhy(t *testing.T, n *testNode, path string, coordinator int32) error {
	status, body := get(t, n.Broker, "/api/v1/"+path+"/why")
	var report struct {
		ClusterID string
		Node      int32
	}
	if err := json.Unmarshal([]byte(body), &report); err != nil {
		return err
	}
	if status != http.StatusOK || report.Node != coordinator || report.ClusterID != n.Broker.ClusterID() {
		return fmt.Errorf("status %d, node %d, want node %d: %s", status, report.Node, coordinator, body)
	}
	return nil
}

// Clients are not told of what nodes ask each other.
func TestOwnAPIsAreNotAdvertised(t *testing.T) {
	c := newNodes(t, 3)
	c.startAll()
	response, err := kmsg.NewPtrApiVersionsRequest().RequestWith(t.Context(), connect(t, c.all[0].Broker))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range response.ApiKeys {
		if api, _ := wire.FindAPI(k.ApiKey); api.Own() {
			t.Errorf("API %d is advertised", k.ApiKey)
		}
	}
}
