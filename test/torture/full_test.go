package torture

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/test/torture/machines"
)

func TestOperationsADiskIsFull(t *testing.T) {
	m := machines.Start(t, 3)
	if m.SmallMissing != nil {
		t.Skip(m.SmallMissing)
	}
	o := &operator{Cluster: m.Cluster, t: t, topic: "watched"}
	o.raw = connect(t, o.Addrs(), append(quickRetries(), impatient)...)
	o.admin = kadm.NewClient(o.raw)
	o.create(o.topic, everywhere)
	for p := range int32(3) {
		o.mustWrite(p, "before")
	}
	if err := m.Small.Fill(4 << 20); err != nil {
		t.Fatal(err)
	}
	o.until("the node notices", func() error {
		if !strings.Contains(m.Nodes[2].Log(), "reserve") {
			return errors.New(m.Nodes[2].Log())
		}
		return nil
	})
	for range 2 {
		for p := range int32(3) {
			begun := time.Now()
			err := o.write(p, "full", 60*time.Second)
			now := o.look(p)
			t.Logf("partition %d: %v after %v; leader %d, in sync %v", p, err, time.Since(begun), now.Leader, now.ISR)
		}
	}
}
