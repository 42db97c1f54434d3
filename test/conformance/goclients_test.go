package conformance

import (
	"path/filepath"
	"testing"

	"github.com/ottla/ottla/test/harness"
)

// The Go clients live in a module of their own below goclients, so that they are no dependencies of Ottla's.
func TestCourseWithGoClients(t *testing.T) {
	t.Parallel()
	source := absolute(t, "goclients")
	dir, err := harness.CacheDir("goclients", source)
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "goclients")
	if err := command(source, "go", "build", "-o", binary, "."); err != nil {
		t.Fatal(err)
	}
	for _, client := range []string{"kgo", "sarama", "kafka-go"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			runCourse(t, program{argv: []string{binary, client}})
		})
	}
}
