package tools

import (
	"fmt"
	"os"
	"path/filepath"
)

// Links makes, in dir, a symbolic link to binary for each name and for the name with ".sh", so that the tools
// are found under the names that Kafka gives them. dir is made if it is not there. A link from an earlier
// run is replaced; anything else under one of the names is left alone and is an error.
func Links(dir, binary string, names []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("links: %w", err)
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return fmt.Errorf("links: %w", err)
	}
	for _, name := range names {
		for _, path := range []string{filepath.Join(dir, name), filepath.Join(dir, name+".sh")} {
			if err := relink(binary, path); err != nil {
				return fmt.Errorf("links: %w", err)
			}
		}
	}
	return nil
}

func relink(target, path string) error {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.Mode()&os.ModeSymlink == 0:
		return fmt.Errorf("%s exists and is not a link; remove it or choose another directory", path)
	case err == nil:
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return os.Symlink(target, path)
}
