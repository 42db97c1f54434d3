package realkafka

import (
	"context"
	"os"
	"testing"
	"time"
)

func TestStartAndStop(t *testing.T) {
	if err := Missing(); err != nil {
		if os.Getenv("OTTLA_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c, err := Start(ctx, t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	t.Logf("served after %v", c.Nodes[0].Ready)
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := countBrokers(c.Addr); err == nil {
		t.Fatal("it still answers after Stop")
	}
}
