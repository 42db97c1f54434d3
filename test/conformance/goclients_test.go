package conformance

import (
	"path/filepath"
	"testing"

	"github.com/ottla/ottla/test/harness"
)

// goClients builds the program of the Go clients. They live in a module of their own below goclients, so that they are no
// dependencies of Ottla's.
func goClients(t *testing.T) string {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	source := absolute(t, "goclients")
	dir, err := harness.CacheDir("goclients", source)
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "goclients")
	if err := command(source, "go", "build", "-o", binary, "."); err != nil {
		t.Fatal(err)
	}
	return binary
}

func TestCourseWithGoClients(t *testing.T) {
	t.Parallel()
	binary := goClients(t)
	for _, client := range []string{"kgo", "sarama", "kafka-go"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			runCourse(t, program{argv: []string{binary, client}})
		})
	}
}
