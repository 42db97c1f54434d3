package bubble

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ottla/ottla/test/harness"
)

// patch replaces a text that must be in a file of the runtime exactly once.
type patch struct{ file, old, new string }

// patches are against Go 1.26.
var patches = []patch{
	{"runtime2.go", "	waitReasonSyncCondWait:          true,\n", `	waitReasonSyncCondWait:          true,
	waitReasonSyncMutexLock:         true,
	waitReasonSyncRWMutexRLock:      true,
	waitReasonSyncRWMutexLock:       true,
`},
	{"synctest.go", "	active  int // other sources of activity\n", "	active  int // other sources of activity\n	random  uint64\n"},
	{"rand.go", "func rand() uint64 {\n", `func rand() uint64 {
	if b := getg().bubble; b != nil {
		return b.draw()
	}
`},
	{"rand.go", "func cheaprand() uint32 {\n", `func cheaprand() uint32 {
	if b := getg().bubble; b != nil {
		return uint32(b.draw() >> 32)
	}
`},
	{"rand.go", "// mrandinit initializes", `// draw is splitmix64.
//
//go:nosplit
func (b *synctestBubble) draw() uint64 {
	b.random += 0x9e3779b97f4a7c15
	z := b.random
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// mrandinit initializes`},
	{"alg.go", "		key[i] = bootstrapRand()\n", "		key[i] = 0x9e3779b97f4a7c15 * uint64(i+1)\n"},
	{"alg.go", "		hashkey[i] = uintptr(bootstrapRand())\n", "		hashkey[i] = uintptr(0x9e3779b97f4a7c15 * uint64(i+1) & (1<<31 - 1))\n"},
	{"sema.go", "func internal_sync_nanotime() int64 {\n", `func internal_sync_nanotime() int64 {
	if b := getg().bubble; b != nil {
		return b.now
	}
`},
	{"time.go", "		return sec, nsec, 0\n", "		return sec, nsec, bubble.now\n"},
	{"proc.go", "const forcePreemptNS = 10 * 1000 * 1000", "const forcePreemptNS = 3600 * 1000 * 1000 * 1000"},
}

// Overlay writes the patched files to the user's cache directory and returns the file to give to go build -overlay.
func Overlay() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return "", err
	}
	root, version, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	dir, err := harness.CacheDir("bubble", root+version+fmt.Sprint(patches))
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	if _, err := os.Stat(list); err == nil {
		return list, nil
	}
	texts := map[string]string{}
	for _, p := range patches {
		name := filepath.Join(root, "src", "runtime", p.file)
		if texts[name] == "" {
			content, err := os.ReadFile(name)
			if err != nil {
				return "", err
			}
			texts[name] = string(content)
		}
		if n := strings.Count(texts[name], p.old); n != 1 {
			return "", fmt.Errorf("%s of %s has %q %d times, not once: the patches of test/sim/bubble are for Go 1.26", p.file, version, p.old, n)
		}
		texts[name] = strings.Replace(texts[name], p.old, p.new, 1)
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, text := range texts {
		patched := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(patched, []byte(text), 0o644); err != nil {
			return "", err
		}
		overlay.Replace[name] = patched
	}
	content, err := json.Marshal(overlay)
	if err == nil {
		err = os.WriteFile(list, content, 0o644)
	}
	return list, err
}
