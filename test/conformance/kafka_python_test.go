package conformance

import (
	"strings"
	"testing"
)

// The versions are those that are met: 2.0.2, for years the last release; 2.3; and 3.
func TestCourseWithKafkaPython(t *testing.T) {
	t.Parallel()
	for _, c := range pythonClients {
		if strings.HasPrefix(c.requirements, "kafka-python") {
			t.Run(c.requirements, func(t *testing.T) {
				t.Parallel()
				runCourse(t, python(t, c.requirements, c.course))
			})
		}
	}
}
