package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ottla/ottla/test/realkafka"
)

// kafkaJars returns the folder of Kafka's jars, or skips the test where there is no JDK.
func kafkaJars(t *testing.T) string {
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
	return libs
}

// java returns a run of a main class, or of a single source file, with Kafka's jars on the class path.
func java(t *testing.T, class string, args ...string) program {
	t.Helper()
	return jvm(t, []string{filepath.Join(kafkaJars(t), "*")}, class, args...)
}

func jvm(t *testing.T, classPath []string, class string, args ...string) program {
	t.Helper()
	// These programs live for seconds: the flags make the JVM start fast and stay small.
	argv := []string{"java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Dfile.encoding=UTF-8",
		"-Dlog4j2.configurationFile=" + absolute(t, filepath.Join("java", "log4j2.yaml")), "-cp", strings.Join(classPath, string(filepath.ListSeparator)), class}
	return program{argv: append(argv, args...)}
}

// javaProof returns a run of a class of java/proofs, or of Kafka Streams and Connect, which have more jars than the broker.
func javaProof(t *testing.T, class string, args ...string) program {
	t.Helper()
	libs := kafkaJars(t)
	need(t, "Maven (Kafka Streams, Connect)", "mvn")
	need(t, "a JDK", "javac")
	project := absolute(t, filepath.Join("java", "pom.xml"))
	more := installed(t, "java", contents(t, project), func(dir string) error {
		return command(dir, "mvn", "-q", "-B", "-f", project, "dependency:copy-dependencies", "-DoutputDirectory="+dir)
	})
	sources, err := filepath.Glob(absolute(t, filepath.Join("java", "proofs", "*.java")))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, s := range sources {
		text.WriteString(contents(t, s))
	}
	path := []string{filepath.Join(more, "*"), filepath.Join(libs, "*")}
	classes := installed(t, "java-classes", text.String(), func(dir string) error {
		return command(dir, append([]string{"javac", "-nowarn", "-d", dir, "-cp", strings.Join(path, string(filepath.ListSeparator))}, sources...)...)
	})
	return jvm(t, append([]string{classes}, path...), class, args...)
}

func TestCourseWithJava(t *testing.T) {
	t.Parallel()
	runCourse(t, java(t, absolute(t, filepath.Join("java", "Course.java"))))
}
