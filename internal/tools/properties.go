package tools

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/ottla/ottla/internal/config"
)

// loadProperties reads a Java properties file. A file that is not there is named as Java names it.
func loadProperties(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &exception{class: "java.nio.file.NoSuchFileException", message: path, cause: err}
	}
	if err != nil {
		return nil, &exception{class: "java.nio.file.FileSystemException", message: err.Error(), cause: err}
	}
	entries, err := config.ParseProperties(string(text))
	if err != nil {
		return nil, illegalArgument(path + ": " + err.Error())
	}
	properties := make(map[string]string)
	for _, entry := range entries {
		properties[entry.Name] = entry.Value
	}
	return properties, nil
}

// keyValues reads arguments of the form key=value; a value may hold '=', and may be missing.
func keyValues(args []string) map[string]string {
	properties := make(map[string]string)
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		properties[key] = value
	}
	return properties
}
