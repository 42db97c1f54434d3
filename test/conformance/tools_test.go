package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/harness"
)

// linked makes the symbolic links by which Ottla's tools are called, with the command that makes them for users.
var linked = sync.OnceValues(func() (string, error) {
	binary, err := harness.BuiltBinary()
	if err != nil {
		return "", err
	}
	dir, err := harness.CacheDir("links", binary)
	if err != nil {
		return "", err
	}
	return dir, exec.Command(binary, "links", dir).Run()
})

// tool returns one of Ottla's command-line tools, called by its name.
func tool(t *testing.T, name string, args ...string) program {
	t.Helper()
	dir, err := linked()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return program{argv: append([]string{path}, args...)}
}

// kafkaClient returns a franz-go client, closed when the test ends.
func kafkaClient(t *testing.T, tg target, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.Split(tg.addr, ",")...)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
