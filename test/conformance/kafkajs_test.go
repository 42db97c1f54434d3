package conformance

import (
	"os"
	"path/filepath"
	"testing"
)

// node returns a program of the node folder, with the packages that its package.json names.
func node(t *testing.T, script string) program {
	t.Helper()
	need(t, "Node.js with npm", "node", "npm")
	dir := absolute(t, "node")
	manifest := contents(t, filepath.Join(dir, "package.json"))
	packages := installed(t, "node", manifest, func(to string) error {
		if err := os.WriteFile(filepath.Join(to, "package.json"), []byte(manifest), 0o644); err != nil {
			return err
		}
		return command(to, "npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
	})
	return program{argv: []string{"node", filepath.Join(dir, script)}, env: []string{"NODE_PATH=" + filepath.Join(packages, "node_modules")}}
}

func TestCourseWithKafkaJS(t *testing.T) {
	t.Parallel()
	runCourse(t, node(t, "course_kafkajs.js"))
}
