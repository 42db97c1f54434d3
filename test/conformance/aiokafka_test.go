package conformance

import "testing"

func TestCourseWithAIOKafka(t *testing.T) {
	t.Parallel()
	runCourse(t, python(t, "aiokafka", "course_aiokafka.py"))
}
