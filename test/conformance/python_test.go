package conformance

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// pythonClients are the files in python/requirements, each with its program for the course and for the suite.
var pythonClients = []struct{ requirements, course, suite string }{
	{"kafka-python-2.0", "course_kafka_python.py", "check_kafka_python.py"},
	{"kafka-python-2.3", "course_kafka_python.py", "check_kafka_python.py"},
	{"kafka-python-3", "course_kafka_python.py", "check_kafka_python.py"},
	{"confluent-kafka", "course_confluent.py", "check_confluent.py"},
	{"aiokafka", "course_aiokafka.py", "check_aiokafka.py"},
}

// python returns a program of the python folder, in the virtual environment of a requirements file.
func python(t *testing.T, requirements, script string) program {
	t.Helper()
	need(t, "Python 3", "python3")
	file := absolute(t, filepath.Join("python", "requirements", requirements+".txt"))
	version, err := exec.Command("python3", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	venv := installed(t, "python", contents(t, file)+string(version), func(dir string) error {
		if err := command(dir, "python3", "-m", "venv", "--clear", dir); err != nil {
			return err
		}
		return command(dir, venvPython(dir), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", file)
	})
	dir := absolute(t, "python")
	return program{
		argv: []string{venvPython(venv), "-W", "ignore", filepath.Join(dir, script)},
		env:  []string{"PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=" + dir},
	}
}

func venvPython(dir string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(dir, "Scripts", "python.exe")
	}
	return filepath.Join(dir, "bin", "python")
}
