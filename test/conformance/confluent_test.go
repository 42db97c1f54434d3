package conformance

import "testing"

// confluent-kafka is librdkafka, on which the clients of most languages without one of their own stand.
func TestCourseWithConfluentKafka(t *testing.T) {
	t.Parallel()
	runCourse(t, python(t, "confluent-kafka", "course_confluent.py"))
}
