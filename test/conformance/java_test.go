package conformance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ottla/ottla/test/realkafka"
)

// java returns a run of a main class, or of a single source file, with Kafka's jars on the class path.
func java(t *testing.T, class string, args ...string) program {
	t.Helper()
	if err := realkafka.Missing(); err != nil {
		if os.Getenv("OTTLA_TEST_ALL") == "1" {
			t.Fatalf("%v, and OTTLA_TEST_ALL=1 asks for every client", err)
		}
		t.Skipf("%v: Kafka's Java clients are not tested", err)
	}
	libs, err := realkafka.Jars(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// These programs live for seconds: the flags make the JVM start fast and stay small.
	argv := []string{"java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Dfile.encoding=UTF-8",
		"-Dlog4j2.configurationFile=" + absolute(t, filepath.Join("java", "log4j2.yaml")), "-cp", filepath.Join(libs, "*"), class}
	return program{argv: append(argv, args...)}
}

func TestCourseWithJava(t *testing.T) {
	t.Parallel()
	runCourse(t, java(t, absolute(t, filepath.Join("java", "Course.java"))))
}
